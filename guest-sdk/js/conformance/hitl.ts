import { defineWorkflow, event, StartEvent } from "wf-guest";
import * as z from "zod";

const RequestEvent = event("RequestEvent", z.object({ prompt: z.string().describe("What to ask.") }), { kind: "input-required" });
const ResponseEvent = event("ResponseEvent", z.object({ response: z.string() }), { kind: "human-response" });
const OutEvent = event("OutEvent", z.object({ output: z.string() }), { kind: "stop" });

const workflow = defineWorkflow({ name: "hitl", description: "Asks for a name and greets." });

workflow.step("prompt_human", { accepts: [StartEvent], emits: [RequestEvent], description: "Asks for the name." }, () =>
  RequestEvent.with({ prompt: "What is your name?" }),
);

workflow.step(
  "greet_human",
  { accepts: [ResponseEvent], emits: [OutEvent], description: "Greets whoever answered." },
  (_context, { data }) => OutEvent.with({ output: `Hello, ${data.response}` }),
);

export default workflow;
