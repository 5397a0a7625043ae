import { defineWorkflow, StartEvent, StopEvent } from "wf-guest";

export default defineWorkflow({ name: "slow", description: "Sleeps, and says for how long." }).step(
  "nap",
  { accepts: [StartEvent], emits: [StopEvent], description: "Sleeps as many seconds as the start event says." },
  async (context, { data: { seconds = 1 } }) => {
    await context.sleep(`${seconds as number}s`);
    return StopEvent.with(`slept ${Number.isInteger(seconds) ? seconds.toFixed(1) : seconds}`);
  },
);
