import { defineWorkflow, event, StopEvent } from "wf-guest";
import * as z from "zod";

const Begin = event("Begin", z.object({ name: z.string().default("") }).describe("Whom to greet."), { kind: "start" });
const Progress = event("Progress", z.object({ done: z.int() }).describe("How far it is."));
const Ask = event("Ask", z.object({ question: z.string() }).describe("A question to a person."), { kind: "input-required" });
const Answer = event("Answer", z.object({ name: z.string() }).describe("What the person says."), { kind: "human-response" });

const workflow = defineWorkflow({
  name: "{{name}}",
  description: "Greets whoever it is told, and asks first where it is told nobody.",
});

workflow.step(
  "begin",
  { accepts: [Begin], emits: [Ask, StopEvent], sends: [Progress], description: "Greets at once where it knows whom, else asks." },
  async (context, { data: { name } }) => {
    if (name === "") return Ask.with({ question: "Who are you?" });
    for (let done = 0; done < 3; done++) {
      await context.publish(Progress.with({ done }));
      // Durable: the server may be stopped meanwhile.
      await context.sleep("10ms");
    }
    return StopEvent.with(`Hello, ${name}!`);
  },
);

workflow.step(
  "answered",
  { accepts: [Answer], emits: [StopEvent], description: "Greets whoever has answered." },
  async (_context, { data: { name } }) => StopEvent.with(`Hello, ${name}!`),
);

export default workflow;
