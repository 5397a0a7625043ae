// A run at any of its moments, from its history.

import type { Frame, History, Invocation, Moment, Span } from "../api";
import { micros } from "./time";

export type Phase = "queued" | "executing" | "sleeping" | "waiting" | "blocked" | "retrying" | "returned" | "failed" | "dropped";

/** How many invocations of a step stand where. */
export type Counts = Partial<Record<Phase, number>>;

export interface Picture {
  steps: Map<string, Counts>;
  /** How often events went along an edge, by `source→target`. */
  flows: Map<string, number>;
}

export const edge = (source: string, target: string): string => `${source}→${target}`;

/** The edges along which something flowed. */
export function edges(picture: Picture): { source: string; target: string }[] {
  return [...picture.flows.keys()].map((key) => {
    const [source = "", target = ""] = key.split("→");
    return { source, target };
  });
}

/** Where an invocation stood after an entry; none: it was not there yet. */
export function phaseAt(invocation: Invocation, seq: number): Phase | undefined {
  if (invocation.seq > seq) return undefined;
  if (invocation.end && invocation.end.seq <= seq) return invocation.end.outcome as Phase;
  return invocation.spans.findLast((span) => span.seq <= seq)?.phase as Phase | undefined;
}

/** The whole run after an entry. `published`: frames that count as going from their step to their event. */
export function pictureAt(history: History, seq: number, published: Frame[] = []): Picture {
  const steps = new Map<string, Counts>();
  const flows = new Map<string, number>();
  const flow = (source: string, target: string) => {
    const key = edge(source, target);
    flows.set(key, (flows.get(key) ?? 0) + 1);
  };
  for (const invocation of history.invocations) {
    const phase = phaseAt(invocation, seq);
    if (!phase) continue;
    const counts = steps.get(invocation.step) ?? {};
    counts[phase] = (counts[phase] ?? 0) + 1;
    steps.set(invocation.step, counts);
    for (const event of invocation.events) flow(event.type, invocation.step);
    for (const sent of invocation.sent) if (sent.seq <= seq) flow(invocation.step, sent.type);
    if (invocation.end && invocation.end.seq <= seq) {
      for (const name of invocation.end.events) flow(invocation.step, name);
    }
  }
  for (const { step, type, seq: at } of answers(history)) if (at <= seq) flow(type, step);
  const stepOf = new Map(history.invocations.map((it) => [it.id, it.step]));
  let place = 0;
  for (const { type, sequence } of published) {
    while (place < history.moments.length && history.moments[place]!.frames <= sequence) place++;
    const moment = history.moments[place];
    const step = moment && stepOf.get(moment.invocation ?? -1);
    if (step !== undefined && moment!.seq <= seq) flow(step, type);
  }
  return { steps, flows };
}

/** What ended a wait from outside, and when. */
function answers(history: History): { step: string; type: string; seq: number }[] {
  const received = new Map(history.moments.filter((it) => it.kind === "event-received").map((it) => [it.seq, it.event]));
  return history.invocations.flatMap(({ step, spans, end }) =>
    spans.flatMap(({ wait }, at) => {
      const seq = spans[at + 1]?.seq ?? end?.seq ?? -1;
      const type = received.get(seq);
      return type && wait?.types.includes(type) ? [{ step, type, seq }] : [];
    }),
  );
}

/** The phase that stands for a step with all its invocations: the one that asks for attention most. */
export function leading(counts: Counts | undefined): Phase | undefined {
  const order: Phase[] = ["failed", "retrying", "waiting", "blocked", "executing", "sleeping", "queued", "returned", "dropped"];
  return order.find((phase) => (counts?.[phase] ?? 0) > 0);
}

export interface Waiting {
  invocation: number;
  step: string;
  /** The first event of any of them answers. */
  types: string[];
  since: string;
  due?: string | null;
  requirements: Record<string, unknown>;
}

/** What the run waits for from outside, after an entry. */
export function waitsAt(history: History, seq: number): Waiting[] {
  return history.invocations.flatMap((invocation) => {
    if (phaseAt(invocation, seq) !== "waiting") return [];
    const span = invocation.spans.findLast((it) => it.seq <= seq);
    if (!span?.wait) return [];
    return [{ invocation: invocation.id, step: invocation.step, types: span.wait.types, since: span.from, due: span.wait.due, requirements: span.wait.requirements }];
  });
}

/** A bar of the timeline, in microseconds from the run's beginning. */
export interface Bar {
  phase: Phase;
  attempt: number;
  from: number;
  until: number;
  seq: number;
}

export interface Row {
  invocation: Invocation;
  bars: Bar[];
}

/** The timeline, up to `end` (microseconds since 1970) where something goes on. */
export function timeline(history: History, end: number): { rows: Row[]; start: number; length: number } {
  const start = history.moments[0] ? micros(history.moments[0].at) : 0;
  const forks = forksOf(history);
  const rows = history.invocations.map((invocation) => ({
    invocation,
    bars: invocation.spans.map((span) => {
      const from = micros(span.from) - start;
      return {
        phase: failedIn(invocation, span) ? ("failed" as const) : (span.phase as Phase),
        attempt: span.attempt,
        from,
        until: cutOff(span, forks) ? from : Math.max(from, (span.until ? micros(span.until) : end) - start),
        seq: span.seq,
      };
    }),
  }));
  const length = rows.reduce((most, row) => row.bars.reduce((max, bar) => Math.max(max, bar.until), most), 0);
  return { rows, start, length: Math.max(length, 1) };
}

/** Whether a fork took over from there: how long it went on where it began is not known here. */
export function cutOff({ until, seq }: Span, forks: Moment[]): boolean {
  return !!until && forks.some((it) => it.at === until && it.seq > seq);
}

/** Where a run took over from others: few of its moments. */
export const forksOf = (history: History): Moment[] => history.moments.filter((it) => it.kind === "forked");

/** Whether an attempt failed in this very span: its last executing one. */
function failedIn(invocation: Invocation, span: Span): boolean {
  if (!invocation.failures.some((failure) => failure.attempt === span.attempt)) return false;
  return invocation.spans.findLast((it) => it.attempt === span.attempt && it.phase !== "retrying") === span;
}

/** The number of the moment after which a frame was in the stream. */
export function momentOfFrame(history: History, sequence: number): number {
  const moment = history.moments.find((it) => it.frames > sequence);
  return moment?.seq ?? history.moments.at(-1)?.seq ?? 0;
}

/** The invocation that made a run fail; of one that goes on, the last that has failed at all. */
export function culprit(history: History): Invocation | undefined {
  return history.invocations.findLast((it) => it.end?.outcome === "failed") ?? history.invocations.findLast((it) => it.failures.length > 0);
}

/** The name of an error: that one is Python's own is no news. */
export const plainly = (kind: string): string => kind.replace(/^builtins\./, "");

/** The step that a moment is about: one at work, or one that waits; the newest of them. */
export function activeAt(history: History, seq: number): string | undefined {
  const at = (...phases: Phase[]) => history.invocations.findLast((it) => phases.includes(phaseAt(it, seq)!))?.step;
  const ended = () => history.invocations.findLast((it) => it.end && it.end.seq <= seq)?.step;
  return at("failed") ?? at("executing", "retrying") ?? at("waiting", "blocked") ?? at("sleeping", "queued") ?? ended();
}
