import { defineWorkflow, StartEvent, StopEvent } from "wf-guest";

export default defineWorkflow({ name: "random", description: "Gives two numbers by chance." }).step(
  "draw",
  { accepts: [StartEvent], emits: [StopEvent], description: "Draws one before and one after a wait that drops the instance." },
  async (context, { data: { sleep = 0 } }) => {
    const a = Math.random();
    await context.sleep(`${sleep as number}s`);
    return StopEvent.with({ a, b: Math.random() });
  },
);
