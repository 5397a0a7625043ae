import { defineWorkflow, StartEvent, StopEvent } from "wf-guest";

export default defineWorkflow({ name: "timeout", description: "Sleeps for longer than its run may take.", timeout: "300ms" }).step(
  "nap",
  { accepts: [StartEvent], emits: [StopEvent], description: "Sleeps as many seconds as the start event says." },
  async (context, { data: { seconds = 1 } }) => {
    await context.sleep(`${seconds as number}s`);
    return StopEvent.with(`slept ${Number.isInteger(seconds) ? seconds.toFixed(1) : seconds}`);
  },
);
