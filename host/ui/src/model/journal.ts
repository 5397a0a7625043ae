// What happened in a run, line by line, with what each step was given and what came of it.

import type { Frame, History, Invocation, Moment } from "../api";
import { plainly } from "./run";

/** An event, as far as its fields are known. */
export interface Told {
  type: string;
  value?: unknown;
  /** Whether its fields are known. */
  known: boolean;
}

export interface Line {
  moment: Moment;
  /** Whose it is; none: the run's. */
  invocation?: Invocation;
  /** What happened, as one word or two. */
  what: string;
  tone: "" | "good" | "bad" | "wait";
  events: Told[];
  /** What else there is to say. */
  note?: string;
}

/** What came of an invocation: the entry that has committed it, and the event. */
export interface Output extends Told {
  seq: number;
}

/** What every invocation sent and returned, in order, with its fields. */
export function outputs(history: History, frames: Frame[]): Map<number, Output[]> {
  const taken = new Map<string, { step: string; value: unknown; known: boolean }[]>();
  const later = new Map<string, { seq: number; value: unknown; known: boolean }[]>();
  for (const { events, seq, step } of history.invocations) {
    for (const { type, value } of events) {
      const known = value !== undefined && value !== null;
      const key = `${seq} ${type}`;
      (taken.get(key) ?? taken.set(key, []).get(key)!).push({ step, value, known });
      (later.get(type) ?? later.set(type, []).get(type)!).push({ seq, value, known });
    }
  }
  const by = framesBy(history, frames);
  const counted = new Map<string, number>();
  const found = (seq: number, type: string): Output => {
    const key = `${seq} ${type}`;
    const place = counted.get(key) ?? 0;
    counted.set(key, place + 1);
    // Several steps may take the same event: those of one of them are as many as were sent.
    const all = taken.get(key);
    const one = all?.filter((it) => it.step === all[0]!.step)[place];
    if (one) return { seq, type, value: one.value, known: one.known };
    const frame = by.get(seq)?.filter((it) => it.type === type)[place];
    if (frame) return { seq, type, value: frame.value, known: true };
    // One that a join has kept is told of where that begins.
    const kept = later.get(type);
    const at = kept?.findIndex((it) => it.seq > seq) ?? -1;
    const [it] = at >= 0 ? kept!.splice(at, 1) : [];
    return { seq, type, value: it?.value, known: it?.known ?? false };
  };
  const all = new Map<number, Output[]>();
  for (const { id, sent, end } of history.invocations) {
    all.set(id, [...sent.map(({ seq, type }) => found(seq, type)), ...(end?.events ?? []).map((type) => found(end!.seq, type))]);
  }
  return all;
}

/** The frames that were published by each entry, without those of the machinery. */
function framesBy(history: History, frames: Frame[]): Map<number, Frame[]> {
  const by = new Map<number, Frame[]>();
  let place = 0;
  for (const frame of frames) {
    while (place < history.moments.length && history.moments[place]!.frames <= frame.sequence) place++;
    const moment = history.moments[place];
    if (!moment) break;
    if (internal(frame)) continue;
    (by.get(moment.seq) ?? by.set(moment.seq, []).get(moment.seq)!).push(frame);
  }
  return by;
}

/** What steps have published beside what they sent and returned. */
export function published(history: History, frames: Frame[]): Frame[] {
  const by = new Map(history.invocations.map((it) => [it.id, it]));
  const moments = new Map(history.moments.map((it) => [it.seq, it]));
  const all: Frame[] = [];
  for (const [seq, some] of framesBy(history, frames)) {
    const own = by.get(moments.get(seq)?.invocation ?? -1);
    const made = new Set([...(own?.sent.filter((it) => it.seq === seq).map((it) => it.type) ?? []), ...(own?.end?.seq === seq ? own.end.events : [])]);
    for (const frame of some) if (!made.has(frame.type)) all.push(frame);
  }
  return all;
}

export function internal(frame: Frame): boolean {
  return frame.types?.includes("InternalDispatchEvent") ?? false;
}

const PHASES: Record<string, [string, Line["tone"]]> = {
  executing: ["goes on", ""],
  sleeping: ["sleeps", ""],
  waiting: ["waits", "wait"],
  blocked: ["waits for its turn", "wait"],
  retrying: ["will be tried again", "wait"],
  queued: ["is queued", ""],
};

/** The journal; what is known already is found in `lines` of the same history. */
export function journal(history: History, frames: Frame[]): Line[] {
  const by = new Map(history.invocations.map((it) => [it.id, it]));
  const made = outputs(history, frames);
  const shown = framesBy(history, frames);
  const began = new Map<number, { invocation: Invocation; span: Invocation["spans"][number] }[]>();
  const given = new Map<number, Told[]>();
  for (const invocation of history.invocations) {
    for (const span of invocation.spans) (began.get(span.seq) ?? began.set(span.seq, []).get(span.seq)!).push({ invocation, span });
    const told = invocation.events.map(({ type, value }) => ({ type, value, known: value !== undefined && value !== null }));
    given.set(invocation.seq, [...(given.get(invocation.seq) ?? []), ...told]);
  }
  return history.moments.map((moment): Line => {
    const own = by.get(moment.invocation ?? -1);
    const events = own ? (made.get(own.id) ?? []).filter((it) => it.seq === moment.seq) : [];
    const others = (shown.get(moment.seq) ?? []).filter((it) => !events.some((event) => event.type === it.type)).map((it): Told => ({ type: it.type, value: it.value, known: true }));
    const all = [...others, ...events];
    const starts = began.get(moment.seq) ?? [];
    switch (moment.kind) {
      case "started":
      case "event-received": {
        const type = moment.event ?? "";
        const it = given.get(moment.seq)?.find((event) => event.type === type);
        const waited = starts.find((it) => it.span.phase === "executing" && it.invocation.seq !== moment.seq);
        return { moment, invocation: waited?.invocation, what: moment.kind === "started" ? "began with" : "received", tone: "", events: [it ?? { type, known: false }] };
      }
      case "step-returned":
        return { moment, invocation: own, what: "returned", tone: "good", events: all, note: all.length === 0 ? "nothing" : undefined };
      case "step-failed": {
        const failure = own?.failures.find((it) => own.spans.find((span) => span.attempt > it.attempt)?.seq === moment.seq || (own.end?.seq === moment.seq && it === own.failures.at(-1)) || began.get(moment.seq)?.some(({ span, invocation }) => invocation === own && span.attempt === it.attempt && span.phase === "retrying"));
        return { moment, invocation: own, what: "failed", tone: "bad", events: [], note: failure ? `${plainly(failure.kind)}: ${failure.message}` : undefined };
      }
      case "step-progressed": {
        const span = starts.find((it) => it.invocation === own)?.span;
        const [what, tone] = (span && PHASES[span.phase]) ?? ["progressed", ""];
        const did = events.length > 0 ? "sent" : others.length > 0 ? "published" : undefined;
        return { moment, invocation: own, what: !did || span?.phase === "waiting" ? what : span ? `${did}, ${what}` : did, tone, events: all, note: span?.wait ? `for ${span.wait.types.join(" or ")}` : undefined };
      }
      case "timer-fired": {
        const it = starts[0];
        return { moment, invocation: it?.invocation, what: it ? (it.span.attempt > 0 && it.invocation.spans.some((span) => span.phase === "retrying") ? "tries again" : "wakes up") : "a timer fired", tone: "", events: [] };
      }
      case "cancel-requested":
        return { moment, what: "was cancelled", tone: "bad", events: all };
      case "resumed":
        return { moment, what: "was taken up again", tone: "", events: all };
      case "forked":
        return { moment, what: "was forked", tone: "", events: all };
      default:
        return { moment, invocation: own, what: moment.kind.replaceAll("-", " "), tone: "", events: all };
    }
  });
}
