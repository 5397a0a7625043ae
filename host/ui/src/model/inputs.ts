// What somebody started a workflow with before, kept by the browser as it was written.

import { compact, parse, written } from "./json";

const KEPT_MAX = 10;
const key = (workflow: string): string => `wf-host inputs ${workflow}`;

/** Keeps something in the browser; where there is no room, it is not kept. */
export function keep(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // Nothing depends on it.
  }
}

export function previous(workflow: string): string[] {
  try {
    const kept = parse(localStorage.getItem(key(workflow)) ?? "[]");
    return Array.isArray(kept) ? kept.map(written) : [];
  } catch {
    return [];
  }
}

export function remember(workflow: string, input: string): void {
  const text = compact(input);
  const others = previous(workflow).filter((it) => it !== text);
  keep(key(workflow), `[${[text, ...others].slice(0, KEPT_MAX).join(",")}]`);
}
