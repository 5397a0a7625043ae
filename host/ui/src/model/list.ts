// Lists of runs: what stands in a line, and what many have in common.

import type { Run } from "../api";
import { Exact, written } from "./json";
import { asked } from "./questions";

const BRIEF_MAX = 200;

/** What went in, shortened; none: the server does not tell. */
export function wentIn(run: Run): string | undefined {
  return run.input_preview ?? undefined;
}

/** What came out, why it failed, or what it waits for, in one line. */
export function cameOut(run: Run): string {
  if (run.error) return firstLine(run.error);
  const [wait, ...others] = run.waiting_for ?? [];
  if (wait) return `${asked(wait.request?.value) ?? `for ${wait.types.join(" or ")}`}${others.length > 0 ? `, and ${others.length} more` : ""}`;
  const value = (run.result as { value?: unknown } | null)?.value;
  if (value === undefined || value === null) return run.result_preview ?? "";
  const inner = typeof value === "object" && !(value instanceof Exact) && Object.keys(value).length === 1 && "result" in value ? (value as { result: unknown }).result : value;
  return inner === null || inner === undefined ? "" : written(inner).slice(0, BRIEF_MAX);
}

const firstLine = (text: string): string => text.split("\n", 1)[0]!.slice(0, BRIEF_MAX);

export interface Kind {
  /** What they say, apart from numbers and quoted names. */
  shape: string;
  /** What the newest of them says. */
  example: string;
  runs: Run[];
}

/** Runs that failed, by what they say; those of which there are most in front. */
export function byError(runs: Run[]): Kind[] {
  const kinds = new Map<string, Kind>();
  for (const run of runs) {
    if (run.status !== "failed") continue;
    const example = firstLine(run.error ?? "it does not say why");
    const shape = `${run.workflow_name} ${example.replace(/(["'`]).*?\1/g, "…").replace(/\d+/g, "#")}`;
    const kind = kinds.get(shape) ?? kinds.set(shape, { shape, example, runs: [] }).get(shape)!;
    kind.runs.push(run);
  }
  return [...kinds.values()].sort((one, other) => other.runs.length - one.runs.length);
}
