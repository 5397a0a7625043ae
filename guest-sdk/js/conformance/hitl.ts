import { defineWorkflow, event, StartEvent } from "wf-guest";
import * as z from "zod";

/** Asks a person for something. */
const RequestEvent = event("RequestEvent", z.object({ prompt: z.string().describe("What to ask.") }), { kind: "input-required" });
/** What the person says. */
const ResponseEvent = event("ResponseEvent", z.object({ response: z.string() }), { kind: "human-response" });
/** The greeting. */
const OutEvent = event("OutEvent", z.object({ output: z.string() }), { kind: "stop" });

/** Asks for a name and greets. */
const workflow = defineWorkflow({ name: "hitl" });

/** Asks for the name. */
workflow.step("prompt_human", { accepts: [StartEvent], emits: [RequestEvent] }, () =>
  RequestEvent.with({ prompt: "What is your name?" }),
);

/** Greets whoever answered. */
workflow.step("greet_human", { accepts: [ResponseEvent], emits: [OutEvent] }, (_context, { data }) =>
  OutEvent.with({ output: `Hello, ${data.response}` }),
);

export default workflow;
