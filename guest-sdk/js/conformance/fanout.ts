import { defineWorkflow, event, StopEvent } from "wf-guest";
import * as z from "zod";

const FanStart = event("FanStart", z.object({ n: z.int().min(0).max(1000).default(3) }).describe("How many numbers to square."), {
  kind: "start",
});
/** A number to square. */
const WorkEvent = event("WorkEvent", z.object({ i: z.int() }));
/** A number that is squared. */
const DoneEvent = event("DoneEvent", z.object({ i: z.int(), square: z.int() }));

const workflow = defineWorkflow<{ n: number }>({ name: "fanout", description: "Squares numbers beside each other." });

workflow.step(
  "dispatch",
  { accepts: [FanStart], emits: [StopEvent], sends: [WorkEvent], description: "Sends each number to a worker." },
  async (context, { data: { n } }) => {
    if (n === 0) return StopEvent.with([]);
    await context.state.set("n", n);
    for (let i = 0; i < n; i++) await context.send(WorkEvent.with({ i }), { step: "work" });
  },
);

workflow.step(
  "work",
  { accepts: [WorkEvent], emits: [DoneEvent], workers: 4, description: "Squares one." },
  async (context, { data: { i } }) => {
    await context.sleep("10ms");
    return DoneEvent.with({ i, square: i * i });
  },
);

workflow.step(
  "collect",
  { accepts: [DoneEvent], emits: [StopEvent], description: "Gathers all of them." },
  async (context, done) => {
    const n = (await context.state.get("n")) ?? 0;
    const all = await context.collect(done, Array<typeof DoneEvent>(n).fill(DoneEvent));
    if (all) return StopEvent.with(all.map(({ data }) => data.square).sort((a, b) => a - b));
  },
);

export default workflow;
