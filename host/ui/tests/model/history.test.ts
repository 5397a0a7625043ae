// A history in pages is the history.

import { expect, test } from "vitest";
import type { History } from "../../src/api";
import { joined } from "../../src/model/history";
import { micros } from "../../src/model/time";
import fanoutJson from "./fanout.json";
import retryJson from "./retry.json";
import waiterJson from "./waiter.json";

const histories = [fanoutJson, retryJson, waiterJson] as unknown as History[];

/** The entries from one place up to another, as a server tells of them. */
function page(whole: History, from: number, to: number): History {
  const moments = whole.moments.slice(from, to);
  const end = micros(moments.at(-1)!.at);
  const within = (seq: number) => seq >= from && seq < to;
  const invocations = whole.invocations.flatMap((it) => {
    const stood = Math.max(0, it.spans.findLastIndex((span) => span.seq < from));
    const spans = it.spans.slice(stood).filter((span) => span.seq < to);
    const failed = (attempt: number) => it.spans.find((span) => span.attempt > attempt)?.seq ?? it.end!.seq;
    const told = {
      ...it,
      spans: spans.map((span) => ({ ...span, until: span.until && (micros(span.until) > end ? null : span.until) })),
      sent: it.sent.filter(({ seq }) => within(seq)),
      failures: it.failures.filter(({ attempt }) => within(failed(attempt))),
      end: it.end && it.end.seq < to ? it.end : null,
    };
    const isTold = spans.some(({ seq }) => within(seq)) || told.sent.length > 0 || told.failures.length > 0 || (it.end && within(it.end.seq));
    return isTold ? [told] : [];
  });
  return { moments, invocations, next: to < whole.moments.length ? to - 1 : null };
}

test("pages of every size are the whole", () => {
  for (const whole of histories) {
    for (let size = 1; size <= whole.moments.length; size++) {
      let known: History | undefined;
      for (let from = 0; from < whole.moments.length; from += size) {
        known = joined(known, page(whole, from, Math.min(from + size, whole.moments.length)));
      }
      expect(known).toEqual({ ...whole, next: null });
    }
  }
});

test("an empty page changes nothing", () => {
  for (const whole of histories) expect(joined(whole, { moments: [], invocations: [], next: null })).toBe(whole);
});
