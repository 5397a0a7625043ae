// What happened in a run, put together from its pages.

import type { History, Invocation } from "../api";

/** What is known after one more page. What it does not tell of stays the same object. */
export function joined(before: History | undefined, page: History): History {
  if (!before) return page;
  if (page.moments.length === 0) return before;
  const invocations = [...before.invocations];
  for (const told of page.invocations) {
    const place = placeOf(invocations, told.id);
    const known = invocations[place];
    // One that is new has the highest number so far.
    invocations[place] = known ? goneOn(known, told) : told;
  }
  return { moments: [...before.moments, ...page.moments], invocations, next: page.next };
}

/** Where one with a number is, or would come: they are in their order. */
function placeOf(invocations: Invocation[], id: number): number {
  let [low, high] = [0, invocations.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (invocations[middle]!.id < id) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A page begins with the span in which it stood by then. */
function goneOn(known: Invocation, told: Invocation): Invocation {
  return {
    ...told,
    spans: [...known.spans.slice(0, -1), ...told.spans],
    sent: [...known.sent, ...told.sent],
    failures: [...known.failures, ...told.failures],
  };
}
