import { defineWorkflow, event } from "wf-guest";
import * as z from "zod";

const Ordered = event("Ordered", z.object({ guest: z.string(), item: z.string(), count: z.int().default(1) }).describe("What somebody orders."), {
  kind: "start",
});
const Line = event("Line", z.object({ item: z.string(), count: z.int() }).describe("What is to be made."));

const workflow = defineWorkflow({ name: "order", description: "Takes an order in TypeScript, prices it in Rust, serves it in C." });

workflow.step(
  "take",
  { accepts: [Ordered], emits: [Line], description: "Notes whose order it is, in the state that all steps share." },
  async (context, { data: { guest, item, count } }) => {
    await context.state.set("guest", guest);
    return Line.with({ item, count });
  },
);

export default workflow;
