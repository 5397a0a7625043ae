import { defineWorkflow, Failure, StartEvent, StopEvent } from "wf-guest";

export default defineWorkflow<{ tries: number }>({ name: "retry", description: "Succeeds at the third attempt." }).step(
  "flaky",
  {
    accepts: [StartEvent],
    emits: [StopEvent],
    retry: { delay: "50ms", attempts: 3 },
    description: "Counts its attempts in the run's state, and fails twice.",
  },
  async (context) => {
    const tries = await context.state.edit("tries", (tries = 0) => tries + 1);
    if (tries < 3) throw new Failure("ValueError", `try ${tries - 1}`);
    return StopEvent.with({ tries });
  },
);
