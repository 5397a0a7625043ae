// What the steps of a run have written, put together from its parts: in the order of time.

import type { LogLine, Logs } from "../api";
import { brief } from "./json";
import { micros } from "./time";

export interface Line {
  line: LogLine;
  /** When, in microseconds since 1970. */
  time: number;
}

export interface Written {
  lines: readonly Line[];
  /** After which place the next part is asked for. */
  last: number;
}

export const NOTHING: Written = { lines: [], last: 0 };

const key = ({ invocation, attempt, source, number }: LogLine): string => `${invocation}.${attempt}.${source}.${number}`;

/** What is known with one more part. `known`: the lines by what they are, which this keeps up to date. */
export function added(before: Written, part: Logs, known: Map<string, Line>): Written {
  const over = new Set<Line>();
  const forget = (name: string) => {
    const line = known.get(name);
    if (line) over.add(line);
    known.delete(name);
  };
  let place = 0;
  const come = (until: number) => {
    for (; place < until; place++) {
      const line = part.logs[place]!;
      forget(key(line));
      known.set(key(line), { line, time: micros(line.at) });
    }
  };
  for (const gone of part.gone) {
    come(gone.before);
    const of = ({ line }: Line) => line.invocation === gone.invocation && line.attempt === gone.attempt && line.source === gone.source && line.number >= gone.number;
    for (const [name, it] of known) if (of(it)) forget(name);
  }
  come(part.logs.length);
  const news = part.logs.flatMap((line) => {
    const it = known.get(key(line));
    // One that was written twice in this part is there once.
    return it?.line === line ? [it] : [];
  });
  news.sort((one, other) => one.time - other.time);
  const kept = over.size > 0 ? before.lines.filter((it) => !over.has(it)) : before.lines;
  return { lines: merged(kept, news), last: part.last ?? before.last };
}

/** Two that are in the order of time, as one. */
function merged(before: readonly Line[], news: Line[]): readonly Line[] {
  if (news.length === 0) return before;
  if (before.length === 0 || before.at(-1)!.time <= news[0]!.time) return [...before, ...news];
  const all: Line[] = [];
  let [at, other] = [0, 0];
  while (at < before.length || other < news.length) {
    const first = other === news.length || (at < before.length && before[at]!.time <= news[other]!.time);
    all.push(first ? before[at++]! : news[other++]!);
  }
  return all;
}

/** Those until a moment. */
export function until(lines: readonly Line[], time: number): readonly Line[] {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lines[middle]!.time <= time) low = middle + 1;
    else high = middle;
  }
  return low === lines.length ? lines : lines.slice(0, low);
}

export const LEVELS = ["trace", "debug", "info", "warn", "error"];

export interface Wanted {
  search: string;
  /** The least. */
  level: string;
  /** Of any where it is empty. */
  step: string;
}

const searched = new WeakMap<Line, string>();

/** What a line says, to be searched: put together once. */
function words(it: Line, step: string): string {
  const known = searched.get(it);
  if (known !== undefined) return known;
  const { message, level, source, fields } = it.line;
  const text = `${message} ${level} ${source} ${step} ${brief(fields)}`.toLowerCase();
  searched.set(it, text);
  return text;
}

export function filtered(lines: readonly Line[], { search, level, step }: Wanted, steps: ReadonlyMap<number, string>): readonly Line[] {
  const [word, least] = [search.toLowerCase(), LEVELS.indexOf(level)];
  if (!word && least <= 0 && !step) return lines;
  return lines.filter((it) => {
    const of = steps.get(it.line.invocation) ?? "";
    return LEVELS.indexOf(it.line.level) >= least && (!step || of === step) && (!word || words(it, of).includes(word));
  });
}
