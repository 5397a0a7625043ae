/** What the compiler must refuse, and infer; it is compiled, and never run. */
import { all, defineWorkflow, event, or, StopEvent } from "wf-guest";
import * as z from "zod";

import type { Plan } from "../testing/harness.mjs";

const A = event("A", z.object({ a: z.int(), more: z.string().default("x") }), { kind: "start" });
const B = event("B", z.object({ b: z.string() }));
const C = event("C", z.object({ c: z.boolean() }));

// @ts-expect-error a text is no number
A.with({ a: "1" });
A.with({ a: 1 });

defineWorkflow<{ count: number }>({ name: "types" })
  .step("one", { accepts: [A], emits: [B], sends: [C] }, async (context, { data }) => {
    const more: string = data.more;
    await context.send(C.with({ c: true }));
    // @ts-expect-error it does not declare to send it
    await context.send(B.with({ b: "" }));
    // @ts-expect-error the state has no such key
    await context.state.get("other");
    // @ts-expect-error the state has a number there
    await context.state.set("count", "1");
    const answer = await context.wait([B, C]);
    if (answer.name === "B") answer.data.b.length;
    // @ts-expect-error it is B or C
    answer.data.b;
    return B.with({ b: more });
  })
  // @ts-expect-error it returns what it does not emit
  .step("two", { accepts: [B], emits: [StopEvent] }, async () => C.with({ c: true }))
  .step("three", { accepts: [A, B], emits: [StopEvent] }, async (_context, a, b) => StopEvent.with(a.data.a + b.data.b))
  .step("four", { accepts: or(A, B), emits: [StopEvent] }, (_context, it) => StopEvent.with(it.name === "A" ? it.data.a : it.data.b))
  .step("five", { accepts: all(B), emits: [StopEvent] }, (_context, all) => StopEvent.with(all.map((it) => it.data.b)));

export const plan: Plan = { restartAt: "every", fail: [{ step: "one", retryAfter: 5 }], answers: { A: () => ({ type: "B" }) } };
// @ts-expect-error there is no such moment
export const never: Plan = { restartAt: "sometimes" };
