import { defineWorkflow, Failure, StartEvent, StopEvent } from "wf-guest";

export default defineWorkflow({ name: "failing", description: "Fails, with the message that it is given." }).step(
  "fail",
  { accepts: [StartEvent], emits: [StopEvent], description: "Fails." },
  async (_context, { data: { message = "boom" } }) => {
    throw new Failure("ValueError", message);
  },
);
