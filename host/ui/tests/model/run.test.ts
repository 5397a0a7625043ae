// The model on histories of the conformance set, as a server has told them.

import { expect, test } from "vitest";
import type { Details, Frame, Graph, History } from "../../src/api";
import { align, executing } from "../../src/model/compare";
import { completed, drawn, languages, layout } from "../../src/model/graph";
import { href, parse } from "../../src/model/route";
import { edge, leading, momentOfFrame, phaseAt, pictureAt, timeline, waitsAt } from "../../src/model/run";
import { age, duration, micros } from "../../src/model/time";
import fanoutJson from "./fanout.json";
import fanoutGraph from "./fanout-graph.json";
import retryJson from "./retry.json";
import waiterJson from "./waiter.json";

const [fanout, retry, waiter] = [fanoutJson, retryJson, waiterJson] as unknown as History[] as [History, History, History];
const graph = (fanoutGraph as unknown as { graph: Graph }).graph;
const last = (history: History): number => history.moments.at(-1)!.seq;

test("a picture at the end counts what was done and what flowed", () => {
  const picture = pictureAt(fanout, last(fanout));
  expect(picture.steps.get("work")).toEqual({ returned: 3 });
  expect(picture.flows.get(edge("dispatch", "WorkEvent"))).toBe(3);
  expect(picture.flows.get(edge("WorkEvent", "work"))).toBe(3);
  expect(picture.flows.get(edge("collect", "StopEvent"))).toBe(1);
});

test("a picture at the beginning knows nothing of what comes", () => {
  const picture = pictureAt(fanout, 0);
  expect([...picture.steps.keys()]).toEqual(["dispatch"]);
  expect(leading(picture.steps.get("dispatch"))).toBe("executing");
  expect(picture.flows.get(edge("dispatch", "WorkEvent"))).toBeUndefined();
});

test("every moment of every history can be drawn", () => {
  for (const history of [fanout, retry, waiter]) {
    for (const { seq } of history.moments) {
      const counted = [...pictureAt(history, seq).steps.values()].flatMap((it) => Object.values(it)).reduce((sum, it) => sum + it, 0);
      expect(counted).toBe(history.invocations.filter((it) => it.seq <= seq).length);
    }
  }
});

test("an attempt that failed is red in the timeline, and retries lie between", () => {
  const { rows } = timeline(retry, 0);
  expect(rows[0]!.bars.map((bar) => bar.phase)).toEqual(["failed", "retrying", "failed", "retrying", "executing"]);
  expect(rows[0]!.bars.every((bar, at, bars) => at === 0 || bar.from >= bars[at - 1]!.from)).toBe(true);
  expect(phaseAt(retry.invocations[0]!, last(retry))).toBe("returned");
});

test("what a run waits for is told with its conditions", () => {
  expect(waitsAt(waiter, last(waiter))).toMatchObject([{ step: "ask", types: ["AnswerEvent"], requirements: { user: "laurie" } }]);
  expect(waitsAt(waiter, 0)).toEqual([]);
});

test("what goes on reaches to now", () => {
  const now = micros(waiter.moments[0]!.at) + 5e6;
  expect(timeline(waiter, now).length).toBe(5e6);
});

test("a frame belongs to the moment that published it", () => {
  expect(momentOfFrame(waiter, 0)).toBe(0);
  expect(momentOfFrame(waiter, 2)).toBe(1);
});

test("the same graph lies the same way, from top to bottom, and nothing covers another", () => {
  const placed = layout(graph);
  expect(layout(graph)).toEqual(placed);
  const at = new Map(placed.map((it) => [it.id, it]));
  for (const { source, target } of graph.edges) expect(at.get(source)!.y).toBeLessThan(at.get(target)!.y);
  for (const one of placed) {
    for (const other of placed.filter((it) => it !== one)) {
      const apart = one.x + one.width <= other.x || other.x + other.width <= one.x || one.y + one.height <= other.y || other.y + other.height <= one.y;
      expect(apart, `${one.id} and ${other.id}`).toBe(true);
    }
  }
});

test("a long chain is folded into columns that fit a screen", () => {
  const nodes = Array.from({ length: 401 }, (_, at) => ({ id: `n${at}`, label: `n${at}`, node_type: at % 2 ? "step" : "event" }));
  const edges = nodes.slice(1).map((node, at) => ({ source: `n${at}`, target: node.id }));
  const placed = layout({ name: "chain", nodes, edges } as unknown as Graph);
  const width = Math.max(...placed.map((it) => it.x + it.width)) - Math.min(...placed.map((it) => it.x));
  const height = Math.max(...placed.map((it) => it.y + it.height));
  expect(width / height).toBeGreaterThan(1);
  expect(width / height).toBeLessThan(4);
  expect(new Set(placed.map((it) => `${it.x} ${it.y}`)).size).toBe(401);
});

test("an edge is declared where the step says that it returns the event; all others are what it may return, or has sent", () => {
  const event = (id: string, produced_by: string[]) => ({ id, label: id, node_type: "event", produced_by });
  const edges = [{ source: "A", target: "any" }, { source: "any", target: "B" }, { source: "any", target: "C" }];
  const open: Graph = { name: "open", nodes: [{ id: "any", label: "any", node_type: "step" }, event("A", []), event("B", ["any"]), event("C", [])], edges };
  expect(drawn(open).map((it) => it.declared)).toEqual([true, true, false]);
  const flows = new Map([[edge("any", "B"), 1], [edge("any", "A"), 2], [edge("any", "unknown"), 1]]);
  expect(drawn(open, { steps: new Map(), flows }).slice(3)).toEqual([{ source: "any", target: "A", declared: false }]);
});

test("a question and its answer are in the graph, and count once they were published and came", () => {
  const known: Graph = { name: "ask", nodes: [{ id: "ask", label: "ask", node_type: "step" }], edges: [] };
  const details = { manifests: [{ steps: [{ name: "ask", sends: ["AskEvent"] }, { name: "gone", sends: ["Other"] }] }], schemas: { AskEvent: { type: "object" } } };
  const whole = completed(known, details as unknown as Details, waiter);
  expect(whole.nodes.map((it) => it.id)).toEqual(["ask", "AskEvent", "AnswerEvent"]);
  expect(whole.nodes[1]).toMatchObject({ event_schema: { type: "object" } });
  expect(drawn(whole)).toEqual([{ source: "ask", target: "AskEvent", declared: true }, { source: "AnswerEvent", target: "ask", declared: true }]);
  expect(completed(whole, details as unknown as Details, waiter)).toBe(whole);
  const [first] = waiter.invocations as [History["invocations"][number]];
  const spans = [...first.spans, { ...first.spans[0]!, seq: 2 }];
  const moments = [...waiter.moments, { ...waiter.moments[0]!, seq: 2, kind: "event-received", event: "AnswerEvent", frames: 4 }];
  const answered: History = { ...waiter, moments, invocations: [{ ...first, spans }] };
  const published = [frame(2, "AskEvent", {})];
  expect(pictureAt(answered, 0, published).flows.get(edge("ask", "AskEvent"))).toBeUndefined();
  expect(pictureAt(answered, 1, published).flows.get(edge("ask", "AskEvent"))).toBe(1);
  expect(pictureAt(answered, 1, published).flows.get(edge("AnswerEvent", "ask"))).toBeUndefined();
  expect(pictureAt(answered, 2, published).flows.get(edge("AnswerEvent", "ask"))).toBe(1);
});

const frame = (sequence: number, type: string, value: object): Frame => ({ sequence, type, types: null, value: value as Frame["value"] });

test("two streams are aligned, and part where they first differ", () => {
  const left = [frame(0, "A", { n: 1 }), frame(1, "B", {}), frame(2, "Stop", { r: 1 })];
  const right = [frame(0, "A", { n: 1 }), frame(1, "Stop", { r: 2 })];
  const pairs = align(left, right);
  expect(pairs.map((it) => [it.left?.type, it.right?.type, it.same])).toEqual([["A", "A", true], ["B", undefined, false], ["Stop", "Stop", false]]);
  expect(align(left, left).every((it) => it.same)).toBe(true);
});

test("executing time leaves out waits, sleeps and queues", () => {
  const times = executing(retry, 0);
  expect([...times.keys()]).toEqual(["flaky"]);
  expect(times.get("flaky")).toBeLessThan(timeline(retry, 0).length / 2);
});

test("durations and ages are for people", () => {
  expect([12, 1500, 2.5e6, 90e6, 3600e6, 90000e6].map(duration)).toEqual(["12 µs", "1.50 ms", "2.50 s", "1 min 30 s", "1 h", "1 d 1 h"]);
  const at = "2026-01-01T00:00:00.123456+00:00";
  expect(micros(at) % 1e6).toBe(123456);
  expect(age(at, micros(at) / 1000 + 30_000)).toBe("30 s ago");
});

test("a place in the page is its URL", () => {
  const route = parse(href(["runs", "a/b"], { status: ["failed", "running"], search: "x y", none: undefined }));
  expect(route.path).toEqual(["runs", "a/b"]);
  expect(route.query.getAll("status")).toEqual(["failed", "running"]);
  expect(route.query.get("search")).toBe("x y");
});

test("steps say what they are written in where a workflow has several languages", () => {
  const part = (language: string, ...names: string[]) => ({ language, steps: names.map((name) => ({ name })) });
  const several = (...manifests: object[]) => ({ manifests }) as unknown as Details;
  expect([...languages(several(part("rust", "price"), part("c", "serve", "clean")))]).toEqual([["price", "rust"], ["serve", "c"], ["clean", "c"]]);
  expect(languages(several(part("rust", "price"), part("rust", "serve"))).size).toBe(0);
  expect(languages(undefined).size).toBe(0);
});
