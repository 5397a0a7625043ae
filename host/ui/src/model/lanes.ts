// The timeline's lanes: one for each step, and within it one for each time that it ran.

import type { Row } from "./run";

export interface Group {
  step: string;
  rows: Row[];
  failed: boolean;
}

export type Lane = { group: Group; row?: undefined } | { group: Group; row: Row };

/** A step with more than this is drawn as how much of it went on, not bar by bar. */
export const BARS_MAX = 8;

export function groups(rows: Row[]): Group[] {
  const by = new Map<string, Group>();
  for (const row of rows) {
    const { step } = row.invocation;
    const group = by.get(step) ?? by.set(step, { step, rows: [], failed: false }).get(step)!;
    group.rows.push(row);
    group.failed ||= row.invocation.end?.outcome === "failed" || row.bars.some((bar) => bar.phase === "failed");
  }
  return [...by.values()];
}

/** What is listed, where some groups are open. One that holds a single run of its step is that. */
export function lanes(all: Group[], open: ReadonlySet<string>): Lane[] {
  return all.flatMap((group): Lane[] => {
    if (group.rows.length === 1) return [{ group, row: group.rows[0]! }];
    return [{ group }, ...(open.has(group.step) ? group.rows.map((row) => ({ group, row })) : [])];
  });
}

/** How many of a group were at work in each part of the time, on average; and in which parts one failed. */
export function density({ rows }: Group, length: number, parts: number): { busy: number[]; failed: boolean[] } {
  const [busy, failed] = [new Array<number>(parts).fill(0), new Array<boolean>(parts).fill(false)];
  const part = length / parts;
  for (const { bars } of rows) {
    for (const { phase, from, until } of bars) {
      if (phase !== "executing" && phase !== "failed") continue;
      const [first, last] = [Math.min(parts - 1, Math.floor(from / part)), Math.min(parts - 1, Math.floor(until / part))];
      for (let at = first; at <= last; at++) busy[at]! += Math.max(0, Math.min(until, (at + 1) * part) - Math.max(from, at * part)) / part;
      if (phase === "failed") failed[last] = true;
    }
  }
  return { busy, failed };
}

/** The place of the last of some times that is not after one; the first where all are. */
export function placeAt(times: number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}
