// Which workflow asks for attention first.

import { expect, test } from "vitest";
import type { Listing, Run } from "../../src/api";
import { ordered, standing, type Workflow } from "../../src/model/home";

const run = (status: string): Run => ({ status }) as Run;
const workflow = (name: string, statuses: string[], waiting = 0, error?: Listing["error"]): Workflow => ({ listing: { name, error } as Listing, recent: statuses.map(run), waiting: Array.from({ length: waiting }, () => run("waiting")) });

test("what is not loaded comes first, then what fails, then what waits, then what has failed once; each by name", () => {
  const all = [
    workflow("sound", ["completed"]),
    workflow("mended", ["completed", "failed"], 0),
    workflow("asks", ["waiting", "completed"], 1),
    workflow("fails", ["running", "failed", "completed"]),
    workflow("also-fails", ["failed"], 3),
    workflow("broken", [], 0, { message: "it is not WebAssembly" } as Listing["error"]),
    workflow("new", []),
  ];
  expect(ordered(all).map((it) => it.listing.name)).toEqual(["broken", "also-fails", "fails", "asks", "mended", "new", "sound"]);
  // Those that somebody is about to click on stay where they are.
  const named = all.map((it) => ({ ...it, listing: { ...it.listing, path: it.listing.name } }));
  expect(ordered(named, ["sound", "broken"]).map((it) => it.listing.name)).toEqual(["sound", "broken", "also-fails", "fails", "asks", "mended", "new"]);
  expect(ordered(all).map(standing)).toEqual(["broken", "failing", "failing", "waiting", "failed", "sound", "sound"]);
});
