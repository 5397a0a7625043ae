import { defineWorkflow, event, StopEvent } from "wf-guest";
import * as z from "zod";

const Passing = event("Passing", z.object({ url: z.string(), large: z.any(), fails: z.boolean().default(false) }), { kind: "start" });
const Part = event("Part", z.object({ text: z.string() }));
const Ask = event("Ask", z.object({ chance: z.number(), said: z.string() }), { kind: "input-required" });
const Answer = event("Answer", z.object({ large: z.any() }), { kind: "human-response" });

/** Goes to the outside, and asks a person after it. */
const workflow = defineWorkflow({ name: "border", additionalEvents: [Answer] });

/** Makes a request, asks, and tells all that it has come by. */
workflow.step("pass", { accepts: [Passing], emits: [StopEvent], sends: [Part, Ask] }, async (context, { data: { url, large, fails } }) => {
  if (fails) throw new RangeError("as asked"); // fails here
  const chance = Math.random();
  const { BORDER_KEY: key, BORDER_PLACE: place } = process.env;
  const headers = { "x-mine": "1", authorization: `Bearer ${key}` };
  const answered = await fetch(url, { method: "POST", headers, body: `{"large":${large}}`, idempotencyKey: "pay" });
  const decoder = new TextDecoder();
  let said = "";
  for await (const part of answered.parts()) {
    const text = decoder.decode(part, { stream: true });
    await context.publish(Part.with({ text }));
    said += text;
  }
  const { data } = await context.wait(Answer, { request: Ask.with({ chance, said }) });
  return StopEvent.with({ chance, status: answered.status, way: answered.headers.get("x-way"), said, key, place, large: [large, data.large] });
});

export default workflow;
