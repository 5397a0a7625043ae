// How a run stands to the page that shows it.

import type { History, Run } from "../api";
import { goesOn } from "./status";

export type Stage =
  /** Nothing is known yet, or not all. */
  | "loading"
  /** The server answers that it takes no requests yet. */
  | "starting"
  /** The run goes on, and its stream is followed. */
  | "live"
  /** It went on when it was last heard of. */
  | "offline"
  | "ended"
  /** It was there, and was purged. */
  | "gone"
  /** It was never there, or before anybody looked. */
  | "missing"
  /** The run is known, but what happened in it cannot be read. */
  | "broken";

export interface Shown {
  stage: Stage;
  run?: Run;
  history?: History;
  /** What was answered last, where it was not what was asked for. */
  problem?: unknown;
}

export type Told =
  | { kind: "looked"; run: Run; history: History }
  /** A part of what is read; more is on its way. */
  | { kind: "reading"; run: Run; history: History }
  | { kind: "broken"; run: Run; problem: unknown }
  /** `status`: none where nobody has answered. */
  | { kind: "refused"; status?: number; problem: unknown }
  | { kind: "connection"; there: boolean };

export const NOTHING: Shown = { stage: "loading" };

export function told(before: Shown, it: Told): Shown {
  // Nothing comes after the end of all.
  if (before.stage === "gone") return before;
  switch (it.kind) {
    case "looked":
      return { stage: goesOn(it.run) ? "live" : "ended", run: it.run, history: it.history };
    case "reading":
      // Until the end of the journal is read, the run is what it was before: one does not run ahead of the other.
      return before.stage === "loading" || !before.run ? { stage: "loading", history: it.history, run: it.run } : { ...before, history: it.history };
    case "broken":
      return { ...before, stage: "broken", run: it.run, problem: it.problem };
    case "refused":
      return { ...before, stage: refused(before.stage, it.status), problem: it.problem };
    case "connection":
      if (before.stage === "live" && !it.there) return { ...before, stage: "offline" };
      if (before.stage === "offline" && it.there) return { ...before, stage: "live" };
      return before;
  }
}

function refused(before: Stage, status: number | undefined): Stage {
  const new_ = before === "loading" || before === "starting" || before === "missing";
  if (status === 404) return new_ ? "missing" : "gone";
  if (status === 503 && new_) return "starting";
  // What has ended does not change because nobody answers.
  return before === "ended" || new_ ? before : "offline";
}
