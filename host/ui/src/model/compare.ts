// Two runs beside each other.

import { diffArrays } from "diff";
import type { Frame, History } from "../api";
import { written } from "./json";
import { micros } from "./time";

export interface Pair {
  left?: Frame;
  right?: Frame;
  same: boolean;
}

const shape = (frame: Frame): string => frame.type;
const content = (frame: Frame): string => `${frame.type} ${written(frame.value)}`;

/** Event sequences, aligned by their types; the first pair that is not the same is where they part. */
export function align(left: Frame[], right: Frame[]): Pair[] {
  const pairs: Pair[] = [];
  let [at, other] = [0, 0];
  for (const part of diffArrays(left.map(shape), right.map(shape))) {
    for (let count = 0; count < part.value.length; count++) {
      if (part.added) pairs.push({ right: right[other++], same: false });
      else if (part.removed) pairs.push({ left: left[at++], same: false });
      else {
        const pair = { left: left[at++], right: right[other++] };
        pairs.push({ ...pair, same: !!pair.left && !!pair.right && content(pair.left) === content(pair.right) });
      }
    }
  }
  return pairs;
}

/** Executing time by step, in microseconds. */
export function executing(history: History, end: number): Map<string, number> {
  const times = new Map<string, number>();
  for (const { step, spans } of history.invocations) {
    for (const span of spans.filter((it) => it.phase === "executing")) {
      const until = span.until ? micros(span.until) : end;
      times.set(step, (times.get(step) ?? 0) + Math.max(0, until - micros(span.from)));
    }
  }
  return times;
}
