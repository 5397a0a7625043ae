// What the workspace shows, on histories of the conformance set.

import { expect, test } from "vitest";
import type { Details, Frame, Graph, History, Run } from "../../src/api";
import { fields, timeless } from "../../src/model/compare";
import { editable, lastAttempt, request, starting, wrong } from "../../src/model/fork";
import { drawn, layout } from "../../src/model/graph";
import { journal, outputs, published } from "../../src/model/journal";
import { parse, written } from "../../src/model/json";
import { density, groups, lanes, placeAt } from "../../src/model/lanes";
import { byError, cameOut } from "../../src/model/list";
import { svg, type Paint } from "../../src/model/picture";
import { asking as asked, questions, waitsForSomebody, words } from "../../src/model/questions";
import { leading, pictureAt, timeline } from "../../src/model/run";
import { neighbour, route, scene } from "../../src/model/scene";
import { NOTHING, told, type Told } from "../../src/model/stage";
import { since } from "../../src/model/time";
import { leaf, rows, summary, tree } from "../../src/model/tree";
import fanoutJson from "./fanout.json";
import fanoutGraph from "./fanout-graph.json";
import retryJson from "./retry.json";
import waiterJson from "./waiter.json";

const [fanout, retry, waiter] = [fanoutJson, retryJson, waiterJson] as unknown as History[] as [History, History, History];
const graph = (fanoutGraph as unknown as { graph: Graph }).graph;
const last = (history: History): number => history.moments.at(-1)!.seq;
const paint: Paint = { page: "#fff", card: "#fff", ink: "#111", soft: "#555", line: "#ddd", accent: "#44c", phases: { returned: { line: "#080", ground: "#efe", sign: "✓" } } };
const frame = (sequence: number, type: string, value: object, types: string[] | null = null): Frame => ({ sequence, type, types, value: value as Frame["value"] });

test("a picture has every edge as a path and every name as text, with colours of its own", () => {
  const shown = scene(graph, layout(graph), {}, pictureAt(fanout, last(fanout)));
  const text = svg(shown, paint);
  expect(text.match(/<path class="wire" d="M[^"]+" fill="none" stroke="#[0-9a-f]+"/g)).toHaveLength(shown.wires.length);
  for (const box of shown.boxes) expect(text).toMatch(new RegExp(`<text [^>]*fill="#111"[^>]*>${box.label}</text>`));
  expect(text).toContain("✓ 3");
  expect(text).not.toMatch(/var\(|class="node|NaN|undefined/);
  expect(svg(scene({ name: "x", edges: [], nodes: [{ id: "a<b>&\"c", label: "", node_type: "step" }] }, layout({ name: "x", edges: [], nodes: [{ id: "a<b>&\"c", label: "", node_type: "step" }] }), {}), paint)).toContain("a&lt;b&gt;&amp;&quot;c");
});

test("what goes out to somebody and comes back flows along the way there", () => {
  const nodes = [["ask", "step"], ["Question", "event"], ["external", "external"], ["Answer", "event"], ["take", "step"]].map(([id, node_type]) => ({ id, label: id, node_type })) as Graph["nodes"];
  const names = nodes.map((it) => it.id);
  const line: Graph = { name: "line", nodes, edges: names.slice(1).map((target, at) => ({ source: names[at]!, target })) };
  const counts = (flows: [string, number][]) => scene(line, layout(line), {}, { steps: new Map(), flows: new Map(flows) }).wires.map((it) => it.count);
  expect(counts([["ask→Question", 2]])).toEqual([2, 2, 0, 0]);
  expect(counts([["ask→Question", 2], ["Answer→take", 1]])).toEqual([2, 2, 1, 1]);
});

test("what was begun before a fork takes no time in it", () => {
  const [at, forked, end] = ["2026-01-01T00:00:01Z", "2026-01-01T01:00:00Z", "2026-01-01T01:00:02Z"];
  const span = { attempt: 0, phase: "executing", slot: 0, wait: null };
  const spans = [{ ...span, seq: 0, from: at, until: forked }, { ...span, attempt: 1, seq: 1, from: forked, until: end }];
  const moment = { kind: "started", invocation: null, event: null, frames: 1 };
  const history = { moments: [{ ...moment, seq: 0, at }, { ...moment, seq: 1, at: forked, kind: "forked" }], invocations: [{ ...fanout.invocations[0]!, spans, failures: [] }] } as unknown as History;
  expect(timeline(history, 0).rows[0]!.bars.map((it) => (it.until - it.from) / 1e6)).toEqual([0, 2]);
});

test("an edge follows its nodes, and goes around where they stand the other way", () => {
  const placed = layout(graph);
  const path = (places: Parameters<typeof scene>[2]) => scene(graph, placed, places).wires.find((it) => it.id === "WorkEvent→work")!.path;
  expect(path({ work: { x: 500, y: 500 } })).not.toBe(path({}));
  const box = (id: string, x: number, y: number) => ({ id, label: id, type: "step" as const, x, y, width: 100, height: 40 });
  expect(route(box("a", 0, 0), box("b", 0, 100))).toBe("M50 40C50 70 50 70 50 100");
  for (const to of [box("b", 300, 0), box("b", -300, -50), box("b", 0, -200)]) expect(route(box("a", 0, 0), to)).toMatch(/^M50 40(L[\d. -]+Q[\d. -]+){4}L/);
});

test("an edge goes around the boxes that are in its way, on the nearer side, whatever stands there", () => {
  const box = (id: string, x: number, y: number, width = 100) => ({ id, label: id, type: "step" as const, x, y, width, height: 40 });
  const [from, to] = [box("a", 100, 0), box("d", 100, 300)];
  const xs = (path: string) => [...path.matchAll(/L([\d.-]+) /g)].map(([, x]) => Number(x));
  expect(route(from, to, [from, to, box("beside", 300, 100)])).toBe(route(from, to));
  const [beside] = xs(route(from, to, [from, to, box("b", 60, 100)]));
  expect(beside).toBeGreaterThan(160);
  expect(beside).toBeLessThan(200);
  // On the other side there is less room, and then none.
  expect(xs(route(from, to, [from, to, box("b", 100, 100), box("c", 205, 100, 400)]))[0]).toBeLessThan(100);
  for (const x of [0, 40, 90]) expect(xs(route(from, to, [from, to, box("b", x, 100, 300)])).every((it) => it < x || it > x + 300)).toBe(true);
});

test("the arrow keys go to the nearest box that way, and nowhere where there is none", () => {
  const placed = layout(graph);
  expect(neighbour(placed, "work", "ArrowDown")).toBe("DoneEvent");
  expect(neighbour(placed, "work", "ArrowUp")).toBe("WorkEvent");
  expect(neighbour(placed, placed.reduce((top, it) => (it.y < top.y ? it : top)).id, "ArrowUp")).toBeUndefined();
});

test("what steps may return without naming it is left out where it would hide the rest", () => {
  const events = Array.from({ length: 12 }, (_, at) => ({ id: `E${at}`, label: "", node_type: "event", produced_by: [] }));
  const many: Graph = { name: "many", nodes: [{ id: "s", label: "", node_type: "step" }, ...events], edges: [...events.map((it) => ({ source: "s", target: it.id })), { source: "E0", target: "s" }] };
  expect(drawn(many)).toEqual([{ source: "E0", target: "s", declared: true }]);
  expect(drawn({ ...many, nodes: many.nodes.slice(0, 4), edges: many.edges.slice(0, 3) })).toHaveLength(3);
});

test("the journal tells who did what, when, and with what, and every step has its output", () => {
  const lines = journal(fanout, [frame(14, "StopEvent", { result: [0, 1, 4] })]);
  expect(lines).toHaveLength(fanout.moments.length);
  expect(lines[0]).toMatchObject({ what: "began with", events: [{ type: "FanStart", known: true }] });
  const dispatched = lines.find((it) => it.invocation?.step === "dispatch" && it.what === "returned")!;
  expect(dispatched.events.map((it) => written(it.value))).toEqual(['{"i":0}', '{"i":1}', '{"i":2}']);
  const done = lines.filter((it) => it.invocation?.step === "work" && it.what === "returned").map((it) => written(it.events[0]!.value));
  expect(done.sort()).toEqual(['{"i":0,"square":0}', '{"i":1,"square":1}', '{"i":2,"square":4}']);
  expect(lines.at(-1)).toMatchObject({ what: "returned", events: [{ type: "StopEvent", known: true, value: { result: [0, 1, 4] } }] });
  // Without the stream, the type is known alone.
  expect(journal(fanout, []).at(-1)!.events).toEqual([expect.objectContaining({ type: "StopEvent", known: false })]);
  for (const made of outputs(fanout, []).values()) for (const it of made) expect(it.seq).toBeLessThanOrEqual(last(fanout));
});

test("the journal tells of failures, retries and waits", () => {
  const lines = journal(retry, []);
  expect(lines.filter((it) => it.what === "failed").map((it) => it.note)).toEqual(retry.invocations[0]!.failures.map((it) => `${it.kind}: ${it.message}`));
  expect(lines.some((it) => it.what === "tries again")).toBe(true);
  expect(journal(waiter, []).find((it) => it.what === "waits")).toMatchObject({ tone: "wait", note: "for AnswerEvent" });
});

const human = { manifests: [{ events: [{ name: "Ask", kind: "input-required" }, { name: "Answer", kind: "human-response" }], steps: [{ name: "ask", accepts: ["StartEvent"] }, { name: "take", accepts: ["Answer"] }] }] } as unknown as Details;

/** A run that asks by events: `asked` of them, `answered` by answers. */
function asking(asked: number, answered: number): [History, Frame[]] {
  const at = (seq: number) => `2026-01-01T00:00:0${seq}.000000+00:00`;
  const kinds = ["started", ...Array.from({ length: asked }, () => "step-returned"), ...Array.from({ length: answered }, () => "event-received")];
  const moments = kinds.map((kind, seq) => ({ seq, at: at(seq), kind, invocation: kind === "step-returned" ? seq - 1 : null, event: kind === "event-received" ? "Answer" : null, frames: Math.min(seq, asked) }));
  const invocations = Array.from({ length: asked }, (_, id) => ({ id, step: "ask", seq: 0, at: at(0), events: [], sent: [], failures: [], spans: [], end: { seq: id + 1, at: at(id + 1), outcome: "returned", events: ["Ask"] } }));
  const frames = Array.from({ length: asked }, (_, sequence) => frame(sequence, "Ask", { prompt: `question ${sequence}` }, ["InputRequiredEvent"]));
  return [{ moments, invocations, next: null } as unknown as History, frames];
}

test("a question that is an event is open until it is answered, and each has a key of its own", () => {
  const [history, frames] = asking(3, 1);
  const open = questions(history, frames, human);
  expect(open.map(words)).toEqual(["question 1", "question 2"]);
  expect(open[0]).toMatchObject({ step: "take", types: ["Answer"], key: "asked-1" });
  expect(waitsForSomebody(history, open)).toBe(true);
  const [after, same] = asking(3, 3);
  expect(questions(after, same, human)).toEqual([]);
  expect(waitsForSomebody(after, [])).toBe(false);
  // Who is to take the answer waits for it.
  expect(leading(asked({ steps: new Map(), flows: new Map() }, open).steps.get("take"))).toBe("waiting");
  // Nothing is asked where nobody could take an answer.
  expect(questions(history, frames)).toEqual([]);
});

test("a step that waits is asked about with its own question, by its number", () => {
  const asked = waiter.moments.find((it) => it.kind === "step-progressed")!;
  const open = questions(waiter, [frame(asked.frames - 1, "AskEvent", { question: "How much?" }, ["InputRequiredEvent"])], human);
  expect(open).toMatchObject([{ step: "ask", invocation: 0, types: ["AnswerEvent"], requirements: { user: "laurie" } }]);
  expect(words(open[0]!)).toBe("How much?");
  expect(new Set([...questions(waiter, []), ...open].map((it) => it.key)).size).toBe(1);
});

test("what is published beside what is returned is told apart", () => {
  const [history, frames] = asking(2, 0);
  expect(published(history, frames)).toEqual([]);
  expect(published(history, [frame(0, "Progress", {}), ...frames.slice(1)]).map((it) => it.type)).toEqual(["Progress"]);
});

test("a lane is a step: alone, opened, or as how much went on", () => {
  const { rows: all, length } = timeline(fanout, 0);
  const steps = groups(all);
  expect(steps.map((it) => [it.step, it.rows.length])).toEqual([["dispatch", 1], ["work", 3], ["collect", 3]]);
  expect(lanes(steps, new Set())).toHaveLength(3);
  expect(lanes(steps, new Set(["work"]))).toHaveLength(6);
  const { busy, failed } = density(steps[1]!, length, 50);
  const executing = steps[1]!.rows.flatMap((it) => it.bars).filter((it) => it.phase === "executing").reduce((sum, it) => sum + it.until - it.from, 0);
  expect(busy.reduce((sum, it) => sum + it, 0) * (length / 50)).toBeCloseTo(executing, 3);
  expect(failed).not.toContain(true);
  expect(density(groups(timeline(retry, 0).rows)[0]!, timeline(retry, 0).length, 50).failed).toContain(true);
  expect([-1, 0, 4, 5, 99].map((time) => placeAt([0, 5, 5, 9], time))).toEqual([0, 0, 0, 2, 3]);
});

test("a run goes through its stages: it starts, lives, is offline, ends, and goes", () => {
  const run = (status: string) => ({ run_id: "r", status }) as Run;
  const history = waiter;
  const after = (...all: Told[]) => all.reduce(told, NOTHING).stage;
  const refused = (status?: number): Told => ({ kind: "refused", status, problem: new Error("no") });
  const live: Told = { kind: "looked", run: run("running"), history };
  const ended: Told = { kind: "looked", run: run("completed"), history };
  expect(after(refused(503))).toBe("starting");
  expect(after(refused(503), refused())).toBe("starting");
  expect(after(refused(404))).toBe("missing");
  expect(after(refused(404), live)).toBe("live");
  expect(after(live, { kind: "connection", there: false })).toBe("offline");
  expect(after(live, { kind: "connection", there: false }, { kind: "connection", there: true })).toBe("live");
  expect(after(live, refused())).toBe("offline");
  expect(after(live, refused(503))).toBe("offline");
  // One that waits for somebody goes on.
  expect(after({ kind: "looked", run: run("waiting"), history })).toBe("live");
  expect(after(live, ended)).toBe("ended");
  expect(after(ended, refused())).toBe("ended");
  expect(after(ended, { kind: "connection", there: false })).toBe("ended");
  expect(after(live, refused(404))).toBe("gone");
  expect(after(ended, refused(404), live)).toBe("gone");
  expect(after({ kind: "broken", run: run("running"), problem: new Error("no") })).toBe("broken");
  // While a long history is read, the run does not run ahead of it.
  expect(after({ kind: "reading", run: run("completed"), history })).toBe("loading");
  const reading = [live, { kind: "reading", run: run("completed"), history } as Told].reduce(told, NOTHING);
  expect([reading.stage, reading.run!.status]).toEqual(["live", "running"]);
});

test("megabytes of JSON are lines, of which only those that are open exist", () => {
  const text = JSON.stringify({ list: Array.from({ length: 50_000 }, (_, at) => ({ at })), n: 1 }).replace('"n":1', '"n":12345678901234567890.0');
  const whole = tree(text)!;
  const closed = rows(whole, 1, new Set());
  expect(closed.map((it) => it.name ?? "")).toEqual(["", "list", "n", ""]);
  expect(leaf(whole, closed[2]!)).toBe("12345678901234567890.0");
  expect(summary(closed[1]!)).toBe("[ … ] 50000 items");
  expect(rows(whole, 1, new Set(["/0"])).length).toBe(4 + 50_000 + 1);
  expect(new Set(rows(whole, 9, new Set()).map((it) => it.path)).size).toBe(rows(whole, 9, new Set()).length);
  expect(rows(tree("[]")!, 2, new Set()).map((it) => leaf(tree("[]")!, it))).toEqual(["[]"]);
});

test("times are no differences, and neither is the order of keys; digits are", () => {
  const one = parse('{"at":"2026-01-01T00:00:00.5Z","n":1,"took_ms":5,"x":{"b":1,"a":2}}');
  const other = parse('{"x":{"a":2,"b":1},"n":1,"at":"2027-01-01T00:00:00Z","took_ms":7}');
  expect(timeless(one)).toBe(timeless(other));
  expect(fields(one, other).every((it) => it.same)).toBe(true);
  expect(fields({ a: { b: 1, c: [1] } }, { a: { b: 2 } }).map(({ name, same }) => [name, same])).toEqual([["a.b", false], ["a.c", false]]);
  expect(timeless(parse("[12345678901234567890]"))).not.toBe(timeless(parse("[12345678901234567891]")));
});

test("runs that failed are together where they say the same, apart from numbers and names", () => {
  const run = (error: string, status = "failed") => ({ run_id: error, workflow_name: "w", status, error }) as Run;
  const kinds = byError([run("card 4242 refused"), run("no shelf for 'lamp'"), run("card 1 refused\nat line 3"), run("", "completed")]);
  expect(kinds.map((it) => [it.example, it.runs.length])).toEqual([["card 4242 refused", 2], ["no shelf for 'lamp'", 1]]);
  expect(cameOut({ status: "completed", result: parse('{"value":{"result":12345678901234567890}}') } as unknown as Run)).toBe("12345678901234567890");
  expect(cameOut({ status: "waiting", waiting_for: [{ types: ["AnswerEvent"] }], result: null } as unknown as Run)).toBe("for AnswerEvent");
  expect(cameOut({ status: "waiting", waiting_for: [{ types: ["A"], request: { type: "Q", value: { prompt: "May it go?" } } }, { types: ["A"] }] } as unknown as Run)).toBe("May it go?, and 1 more");
});

test("a fork sends what was edited, and nothing else", () => {
  const [event] = editable(retry, 0);
  expect(event).toMatchObject({ type: "StartEvent", invocation: 0, step: "flaky" });
  const same = request(0, "pinned", { before: "{}", after: undefined }, { before: event!, after: written(event!.value) });
  expect(same).toEqual({ at: 0, definition: "pinned" });
  expect(request(3, "current", { before: "{}", after: '{"n":1.0}' }, { before: event!, after: '{"k":12345678901234567890}' })).toMatchObject({ at: 3, invocation: 0 });
  expect(written(request(3, "current", { before: "{}", after: '{"n":1.0}' }, { before: event!, after: '{"k":12345678901234567890}' }))).toContain('"state":{"n":1.0},"event":{"type":"StartEvent","value":{"k":12345678901234567890}}');
  // Once it has returned, nothing is in flight.
  expect(editable(retry, last(retry))).toEqual([]);
  const flaky = retry.invocations[0]!;
  expect(lastAttempt(flaky)).toBe(flaky.spans.find((it) => it.attempt === flaky.failures.at(-1)!.attempt && it.phase === "executing")!.seq);
  // Where nobody has chosen a moment: before what failed, at the beginning of what succeeded, at the newest of what goes on.
  const status = (status: string) => ({ status }) as Run;
  expect(starting(status("failed"), { ...retry, invocations: [{ ...flaky, end: { ...flaky.end!, outcome: "failed" } }] })).toEqual({ at: lastAttempt(flaky), title: "Fork from flaky" });
  expect(starting(status("completed"), retry)).toEqual({ at: 0, title: "Fork from the beginning" });
  expect(starting(status("cancelled"), retry)).toEqual({ at: retry.moments.at(-2)!.seq, title: "Fork from before its end" });
  expect(starting(status("running"), retry)).toEqual({ at: last(retry), title: "Fork from here" });
  expect([wrong("{}"), wrong("[]"), wrong("{")].map((it) => it === undefined)).toEqual([true, false, false]);
});

test("times in a column", () => {
  expect([0, 1234567, 61.5e6, 3725e6].map(since)).toEqual(["+0.000", "+1.235", "+1:01.5", "+1:02:05"]);
});
