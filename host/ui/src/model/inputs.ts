// What somebody started a workflow with before, kept by the browser.

import type { Json } from "../api";

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

export function previous(workflow: string): Json[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key(workflow)) ?? "[]");
    return Array.isArray(kept) ? (kept as Json[]) : [];
  } catch {
    return [];
  }
}

export function remember(workflow: string, input: Json): void {
  const text = JSON.stringify(input);
  const others = previous(workflow).filter((it) => JSON.stringify(it) !== text);
  keep(key(workflow), JSON.stringify([input, ...others].slice(0, KEPT_MAX)));
}
