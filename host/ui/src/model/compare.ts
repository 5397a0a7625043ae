// Two runs beside each other.

import { diffArrays } from "diff";
import type { Frame, History } from "../api";
import { Exact, written } from "./json";
import { micros } from "./time";

export interface Pair {
  left?: Frame;
  right?: Frame;
  same: boolean;
}

const shape = (frame: Frame): string => frame.type;
const content = (frame: Frame): string => `${frame.type} ${timeless(frame.value)}`;

/** Times of two runs always differ; that says nothing of them. */
const TIME = /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/;
/** Names of fields whose numbers are times. */
const NAMED = /(^|_)(at|time|timestamp|elapsed|duration|took|seconds|millis|ms)$/i;

/** A value as text, all times in it the same. */
export function timeless(value: unknown, name = ""): string {
  if (typeof value === "string") return TIME.test(value) ? '"a time"' : JSON.stringify(value);
  if (typeof value === "number" || value instanceof Exact) return NAMED.test(name) ? '"a time"' : written(value);
  if (value === null || typeof value !== "object") return written(value);
  if (Array.isArray(value)) return `[${value.map((it) => timeless(it, name)).join(",")}]`;
  // The order of keys is no difference either.
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${timeless((value as Record<string, unknown>)[key], key)}`).join(",")}}`;
}

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

export interface Field {
  /** Where it is, as `order.items`. */
  name: string;
  left?: unknown;
  right?: unknown;
  same: boolean;
}

/** The fields of two values, down to where one of them is no object. */
export function fields(left: unknown, right: unknown, within = ""): Field[] {
  const object = (it: unknown): it is Record<string, unknown> => it !== null && typeof it === "object" && !Array.isArray(it) && !(it instanceof Exact);
  if (!object(left) || !object(right)) {
    return [{ name: within, left, right, same: left !== undefined && right !== undefined && timeless(left, within) === timeless(right, within) }];
  }
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])];
  return names.flatMap((name) => fields(left[name], right[name], within ? `${within}.${name}` : name));
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
