import { defineWorkflow, event, StartEvent, StopEvent } from "wf-guest";
import * as z from "zod";

/** Asks for an answer. */
const AskEvent = event("AskEvent", z.object({ question: z.string() }), { kind: "input-required" });
/** An answer, of somebody. */
const AnswerEvent = event("AnswerEvent", z.object({ user: z.string().default("anyone"), answer: z.string() }), {
  kind: "human-response",
});

export default defineWorkflow({
  name: "waiter",
  description: "Waits for one person's answer.",
  additionalEvents: [AskEvent, AnswerEvent],
}).step(
  "ask",
  { accepts: [StartEvent], emits: [StopEvent], sends: [AskEvent], description: "Asks, and waits as many seconds as the start event says." },
  async (context, { data: { wait = 60 } }) => {
    const { data } = await context.wait(AnswerEvent, {
      requirements: { user: "laurie" },
      request: AskEvent.with({ question: "who?" }),
      timeout: `${wait as number}s`,
    });
    return StopEvent.with({ answer: data.answer });
  },
);
