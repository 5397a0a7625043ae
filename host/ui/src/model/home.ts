// Workflows in the order in which they want somebody's attention.

import type { Listing, Run } from "../api";
import { goesOn } from "./status";

export type Standing = "broken" | "failing" | "waiting" | "failed" | "sound";

const ORDER: Standing[] = ["broken", "failing", "waiting", "failed", "sound"];

export interface Workflow {
  listing: Listing;
  /** Its last runs, the newest first. */
  recent: Run[];
  /** Its runs that wait for somebody. */
  waiting: Run[];
}

/** `failing`: the last of its runs that has ended failed; `failed`: one of the last did, and a later one did not. */
export function standing({ listing, recent, waiting }: Workflow): Standing {
  if (listing.error) return "broken";
  if (recent.find((it) => !goesOn(it))?.status === "failed") return "failing";
  if (waiting.length > 0) return "waiting";
  return recent.some((it) => it.status === "failed") ? "failed" : "sound";
}

/** `still`: those that have their place already, by their paths; the others come after them. */
export function ordered<T extends Workflow>(all: T[], still: string[] = []): T[] {
  const ranks = new Map(all.map((it) => [it, ORDER.indexOf(standing(it))]));
  const place = (it: T) => (still.includes(it.listing.path) ? still.indexOf(it.listing.path) : still.length);
  return [...all].sort((one, other) => place(one) - place(other) || ranks.get(one)! - ranks.get(other)! || one.listing.name.localeCompare(other.listing.name));
}
