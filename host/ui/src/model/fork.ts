// A run forked from a moment of another: what may be edited, and what is asked for.

import type { Fork, History } from "../api";
import { parse, written } from "./json";

/** The event that comes next at an entry: what the last step that begins with it is given. None: nothing does, or it has several. */
export function nextEvent(history: History, at: number): { type: string; value: unknown } | undefined {
  const begins = history.invocations.filter((it) => it.seq === at);
  const [event, ...others] = begins.length === 1 ? begins[0]!.events : [];
  return event && others.length === 0 && event.value != null ? { type: event.type, value: event.value } : undefined;
}

/** The request; what was not edited is not sent. */
export function request(at: number, definition: Fork["definition"], before: { state?: string; event?: string; type?: string }, after: { state?: string; event?: string }): Fork {
  const state = after.state !== undefined && after.state !== before.state ? { state: parse(after.state) } : {};
  const event = before.type !== undefined && after.event !== undefined && after.event !== before.event ? { event: { type: before.type, value: parse(after.event) } } : {};
  return { at, ...state, ...event, definition };
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

export const plain = (value: unknown): string => written(value);
