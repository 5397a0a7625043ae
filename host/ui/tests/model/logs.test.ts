// Logs that come in parts.

import { expect, test } from "vitest";
import type { LogLine, Logs } from "../../src/api";
import { added, filtered, NOTHING, until, type Line, type Written } from "../../src/model/logs";

const line = (number: number, message: string, more: Partial<LogLine> = {}): LogLine =>
  ({ invocation: 1, attempt: 0, source: "log", number, at: `2026-11-27T09:00:${String(number % 60).padStart(2, "0")}.000000Z`, level: "info", message, fields: {}, ...more }) as LogLine;
const part = (logs: LogLine[], last: number, gone: Logs["gone"] = []): Logs => ({ logs, gone, last, more: false });

function all(...parts: Logs[]): Written {
  const known = new Map<string, Line>();
  return parts.reduce((before, it) => added(before, it, known), NOTHING);
}
const said = (written: { lines: readonly Line[] }) => written.lines.map((it) => it.line.message);

test("parts are one log in the order of time, and what is written again stands once", () => {
  const first = part([line(0, "a"), line(2, "c")], 5);
  expect(said(all(first, part([line(3, "d"), line(1, "b")], 9)))).toEqual(["a", "b", "c", "d"]);
  expect(all(first).last).toBe(5);
  expect(said(all(first, part([line(2, "c again"), line(2, "and again"), line(0, "x", { source: "stdout" })], 9)))).toEqual(["a", "x", "and again"]);
  const before = all(first);
  expect(added(before, part([], 5), new Map()).lines).toBe(before.lines);
});

test("lines that a crash took with it go, and what came after stays", () => {
  const gone = [{ invocation: 1, attempt: 0, source: "log", number: 1, before: 1 }];
  const first = part([line(0, "a"), line(1, "lost"), line(2, "lost"), line(1, "other", { attempt: 1 })], 4);
  expect(said(all(first, part([line(0, "a again"), line(1, "b")], 6, gone)))).toEqual(["a again", "other", "b"]);
});

test("a hundred thousand lines are put together, filtered and cut in a moment", () => {
  const known = new Map<string, Line>();
  const time = (at: number) => new Date(Date.UTC(2026, 10, 27) + at * 10).toISOString().replace("Z", "000Z");
  let written = NOTHING;
  const begun = performance.now();
  for (let at = 0; at < 100_000; at += 5000) {
    const logs = Array.from({ length: 5000 }, (_, place) => line(at + place, `line ${at + place}`, { at: time(at + place), level: place % 100 === 0 ? "warn" : "debug", invocation: place % 2 }));
    written = added(written, part(logs, at), known);
  }
  const steps = new Map([[0, "even"], [1, "odd"]]);
  const wanted = { search: "", level: "trace", step: "" };
  expect(filtered(written.lines, wanted, steps)).toBe(written.lines);
  expect(filtered(written.lines, { ...wanted, level: "warn" }, steps)).toHaveLength(1000);
  expect(filtered(written.lines, { ...wanted, step: "odd", search: "LINE 9999" }, steps)).toHaveLength(6);
  expect(until(written.lines, written.lines[41]!.time)).toHaveLength(42);
  expect(until(written.lines, Infinity)).toBe(written.lines);
  expect(until(written.lines, 0)).toHaveLength(0);
  expect(performance.now() - begun).toBeLessThan(20_000);
});
