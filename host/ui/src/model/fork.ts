// A run forked from a moment of another: what may be edited, and what is asked for.

import type { Fork, History, Invocation, Run } from "../api";
import { parse, written } from "./json";
import { culprit, phaseAt } from "./run";
import { goesOn } from "./status";

/** An event that may be edited. */
export interface Editable {
  type: string;
  value: unknown;
  /** Who is given it; none: it comes from outside. */
  invocation?: number;
  step?: string;
}

const OVER = ["returned", "failed", "dropped"];

/** What was in flight after an entry is given its events anew; where nothing was, an event came next from outside. */
export function editable(history: History, at: number): Editable[] {
  const flight = history.invocations.filter((it) => {
    const phase = phaseAt(it, at);
    return phase !== undefined && !OVER.includes(phase);
  });
  if (flight.length > 0) return flight.flatMap(({ id, step, events: [event, ...others] }) => (event && others.length === 0 && event.value != null ? [{ type: event.type, value: event.value, invocation: id, step }] : []));
  const next = history.moments.find((it) => it.seq > at);
  const taken = next?.kind === "event-received" ? history.invocations.find((it) => it.seq === next.seq)?.events[0] : undefined;
  return taken && taken.value != null ? [{ type: taken.type, value: taken.value }] : [];
}

/** The entry from which a step that failed is tried again: the one with which its last attempt began. */
export function lastAttempt({ seq, spans, failures }: Invocation): number {
  const attempt = failures.at(-1)?.attempt;
  return spans.find((it) => it.attempt === attempt && it.phase === "executing")?.seq ?? seq;
}

/** Where a run is forked from as long as nobody has chosen a moment: from its failure there is nowhere to go, from its end neither. */
export function starting(run: Run, history: History): { at: number; title: string } {
  const newest = history.moments.at(-1)?.seq ?? 0;
  const failing = run.status === "failed" ? culprit(history) : undefined;
  if (failing) return { at: lastAttempt(failing), title: `Fork from ${failing.step}` };
  if (run.status === "completed") return { at: history.moments[0]?.seq ?? 0, title: "Fork from the beginning" };
  return goesOn(run) ? { at: newest, title: "Fork from here" } : { at: history.moments.at(-2)?.seq ?? 0, title: "Fork from before its end" };
}

/** The request; what was not edited is not sent. */
export function request(at: number, definition: Fork["definition"], state: { before?: string; after?: string }, event?: { before: Editable; after: string }): Fork {
  const how: Fork = { at, definition };
  if (state.after !== undefined && state.after !== state.before) how.state = parse(state.after);
  if (event && written(event.before.value) !== event.after) {
    how.event = { type: event.before.type, value: parse(event.after) };
    how.invocation = event.before.invocation;
  }
  return how;
}

/** What is wrong with a text that should be an object; none: nothing is. */
export function wrong(text: string): string | undefined {
  try {
    const value = parse(text);
    return value === null || typeof value !== "object" || Array.isArray(value) ? "An object is needed: { … }" : undefined;
  } catch (problem) {
    return (problem as Error).message;
  }
}
