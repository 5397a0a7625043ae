// A step that waits at a breakpoint: what of it may be edited, and what is asked for when it goes on.

import type { GoOn, PausedStep } from "../api";
import { parse, pretty, written } from "./json";

/** What it is about to be given, as text to be edited; none: it is too large to be shown. */
export function given({ events: [event, ...others] }: PausedStep): string | undefined {
  if (others.length > 0 || event === undefined || event.value == null) return undefined;
  return pretty(written(event.value));
}

/** The request; what was not edited is not sent. */
export function goingOn(paused: PausedStep, edited: string | undefined): GoOn {
  const how: GoOn = { invocation: paused.invocation };
  if (edited === undefined || edited === given(paused)) return how;
  return { ...how, event: { type: paused.events[0]!.type, value: parse(edited) } };
}
