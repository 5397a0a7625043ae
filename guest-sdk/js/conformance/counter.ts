import { defineWorkflow, StartEvent, StopEvent } from "wf-guest";

const workflow = defineWorkflow<{ count: number }>({
  name: "counter",
  description: "Counts on from where the handler's last run left off.",
});

workflow.step(
  "bump",
  { accepts: [StartEvent], emits: [StopEvent], description: "Adds to the count." },
  async (context, { data: { by = 1 } }) => {
    const count = await context.state.edit("count", (count = 0) => count + by);
    return StopEvent.with({ count });
  },
);

export default workflow;
