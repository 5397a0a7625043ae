// Components as they are built, and as they run on the host: WF_HOST names its binary.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const host = path.resolve(process.env.WF_HOST ?? path.join(here, "../../../target/release/wf-host"));
const folder = mkdtempSync(path.join(tmpdir(), "wf-guest-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Of a text, or of a file. What is said is what is wrong, without what to do. */
function build(source, name) {
  let file = `${name}.ts`;
  if (!existsSync(source)) writeFileSync(path.join(folder, file), source);
  else if (path.dirname(source) === folder) file = path.basename(source);
  else copyFileSync(source, path.join(folder, file));
  const built = spawnSync(host, ["build", "--part", file], { cwd: folder, encoding: "utf8" });
  const [, said = built.stderr] = /^error: ((?:.|\n)*)\nhint: .*$/m.exec(built.stderr) ?? [];
  return { wasm: path.join(folder, `${path.parse(file).name}.wasm`), status: built.status, said };
}

function run(wasm, event = {}) {
  return spawnSync(host, ["run", wasm, "--event", JSON.stringify(event)], { cwd: folder, encoding: "utf8" });
}

function workflow(body, more = "") {
  return `import { defineWorkflow, event, Failure, StartEvent, StopEvent } from "wf-guest";
${more}
export default defineWorkflow({ name: "it" }).step("go", { accepts: [StartEvent], emits: [StopEvent] }, async (context) => {
  ${body}
});
`;
}

test("the checks inside of a component hold", () => {
  const { wasm, status, said } = build(path.join(here, "inside.ts"), "inside");
  assert.equal(status, 0, said);
  const event = '{"large":61695499031416832,"small":12}';
  const ran = spawnSync(host, ["run", wasm, "--event", event], { encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  const { checked, wrong } = JSON.parse(ran.stdout.trim().split("\n").at(-1)).value.result;
  assert.deepEqual(wrong, {});
  assert.equal(checked, 16);
});

test("requests are asked for where `fetch` is named, and nowhere else", () => {
  const cases = [
    [workflow('return StopEvent.with("none");'), false],
    [workflow('return StopEvent.with((await fetch("https://a.example/")).status);'), true],
  ];
  for (const [text, requested] of cases) {
    const { wasm, status, said } = build(text, "it");
    assert.equal(status, 0, said);
    const inspected = spawnSync(host, ["inspect", "--format", "json", wasm], { cwd: folder, encoding: "utf8" });
    assert.deepEqual(JSON.parse(inspected.stdout).outside.http, { requested, granted: [] }, inspected.stderr);
    assert.equal(spawnSync(host, ["check", wasm], { cwd: folder, encoding: "utf8" }).stderr.includes("it asks for http"), requested);
  }
  const { wasm } = build(cases[0][0], "it");
  assert.equal(run(wasm).status, 0, "it runs without");
});

test("`process.env` is what is granted, and no variable is there for a library that looks for a process first", () => {
  const body = `const { A } = process.env;
  const library = typeof process === "undefined" ? "none" : process.env.A;
  return StopEvent.with([A, process.env.B ?? "none", Object.keys(process.env), "A" in process.env, library, process.env.NODE_ENV]);`;
  const { wasm, status, said } = build(workflow(body), "variables");
  assert.equal(status, 0, said);
  const ran = spawnSync(host, ["run", wasm, "--allow-env", "A=1"], { cwd: folder, encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  assert.deepEqual(JSON.parse(ran.stdout.trim().split("\n").at(-1)).value.result, ["1", "none", ["A"], true, "none", "production"]);
});

test("packages of the project come along, and their schemas are as good as zod's", () => {
  // One as it was written before modules, on which one of today stands; and what any library of schemas has.
  const packages = {
    "steeped/package.json": '{ "name": "steeped", "version": "1.0.0", "main": "lib.js" }',
    "steeped/lib.js": 'exports.minutes = (kind) => ({ green: 2, black: 4 })[kind];',
    "leaves/package.json": '{ "name": "leaves", "version": "2.0.0", "type": "module", "exports": { "./kinds": "./kinds.js" } }',
    "leaves/kinds.js": `import { minutes } from "steeped";
export const kind = { "~standard": {
  version: 1,
  vendor: "leaves",
  validate: (value) => minutes(value.kind) ? { value: { ...value, minutes: minutes(value.kind) } } : { issues: [{ message: "no such tea", path: ["kind"] }] },
  jsonSchema: { input: () => ({ type: "object", properties: { kind: { type: "string" } }, required: ["kind"] }) },
} };`,
  };
  for (const [file, text] of Object.entries(packages)) {
    const at = path.join(folder, "node_modules", file);
    mkdirSync(path.dirname(at), { recursive: true });
    writeFileSync(at, text);
  }
  const text = `import { defineWorkflow, event, StopEvent } from "wf-guest";
import { kind } from "leaves/kinds";
const Tea = event("Tea", kind, { kind: "start" });
export default defineWorkflow({ name: "tea" }).step("steep", { accepts: [Tea], emits: [StopEvent] }, async (_context, { data }) => {
  const refused = (() => { try { Tea.with({ kind: "none" }); } catch (error) { return error.message; } })();
  return StopEvent.with([data.minutes, refused]);
});
`;
  const { wasm, status, said } = build(text, "tea");
  assert.equal(status, 0, said);
  const { stdout, stderr } = run(wasm, { kind: "green" });
  assert.deepEqual(JSON.parse(stdout || `"${stderr}"`).value.result, [2, "Tea.kind: no such tea"]);
  const { events } = JSON.parse(spawnSync(host, ["inspect", wasm, "--format", "json"], { cwd: folder, encoding: "utf8" }).stdout);
  assert.deepEqual(events.find((it) => it.name === "Tea").schema.required, ["kind"]);
});

test("plain JavaScript is as welcome: a `.js` file without types, with another one that it imports", () => {
  const source = path.join(folder, "plain.js");
  writeFileSync(path.join(folder, "words.js"), "export const greet = (name) => `Hello, ${name}!`;\n");
  writeFileSync(
    source,
    `import { defineWorkflow, event, StopEvent } from "wf-guest";
import * as z from "zod";
import { greet } from "./words.js";
const Named = event("Named", z.object({ name: z.string(), often: z.int().default(2) }), { kind: "start" });
/** Greets. */
const workflow = defineWorkflow({ name: "plain" });
/** Greets as often as it is told. */
workflow.step("go", { accepts: [Named], emits: [StopEvent] }, async (context, { data: { name, often } }) => {
  if (name === "") throw new RangeError("nobody");
  await context.state.set("said", Array(often).fill(greet(name)));
  return StopEvent.with(await context.state.get("said"));
});
export default workflow;
`,
  );
  const { wasm, status, said } = build(source, "plain");
  assert.equal(status, 0, said);
  const { stdout, stderr } = run(wasm, { name: "Ada" });
  assert.deepEqual(JSON.parse(stdout.trim().split("\n").at(-1) || `"${stderr}"`).value.result, ["Hello, Ada!", "Hello, Ada!"]);
  const inspected = JSON.parse(spawnSync(host, ["inspect", wasm, "--format", "json"], { cwd: folder, encoding: "utf8" }).stdout);
  assert.deepEqual([inspected.description, ...inspected.steps.map((it) => it.description)], ["Greets.", "Greets as often as it is told."]);
  const failed = run(wasm, { name: "" });
  assert.match(failed.stdout + failed.stderr, /plain\.js:9/);
});

test("mistakes are said with their lines", () => {
  const cases = [
    [workflow("return {"), /^it\.ts:\d+: /],
    [workflow("", 'import it from "nothing-there"; it();'), /^it\.ts:2: Could not resolve "nothing-there"/],
    [workflow("", 'import { readFileSync } from "node:fs"; readFileSync("a");'), /^it\.ts:2: .*a component has no modules of Node/],
    [workflow("", "Math.random();"), /^it\.ts:2: chance at module level/],
    [workflow("", "process.env.KEY;"), /^it\.ts:2: variables at module level/],
    [workflow("", 'throw new TypeError("not today");'), /^it\.ts:2: not today/],
    [workflow("", 'throw "not\\ntoday";'), /^it\.ts: not today/],
    [workflow("", "undeclared = 1;"), /^it\.ts:2: undeclared is not defined/],
    [workflow("", "const deep = (): number => 1 + deep();\ndeep();"), /^it\.ts: it failed when it began: /],
    ['export const nothing = 1;', /^it\.ts: .*no workflow: `export default workflow`/],
  ];
  for (const [text, wanted] of cases) {
    const { status, said } = build(text, "it");
    assert.equal(status, 1, `${text} ${said}`);
    assert.match(said, wanted);
    assert.equal(said.trim().split("\n").length, 1, said);
  }
});

test("failures name the author's lines, and their causes", () => {
  const body = 'const inner = () => { throw new RangeError("deep"); };\n  try { inner(); } catch (cause) {\n    throw new Error("above", { cause });\n  }';
  const { wasm, status, said } = build(workflow(body), "failing");
  assert.equal(status, 0, said);
  // The log has the trace of an attempt that failed.
  const { stdout, stderr } = run(wasm);
  const all = stdout + stderr;
  assert.match(all, /above/);
  assert.match(stderr, /^ {2}error {2}above {2}kind=Error.*\n(.*\n)*.*failing\.ts:5/m);
});

test("a promise that nothing settles, and one that nobody handles, fail the step", () => {
  const cases = [
    ["await new Promise(() => {});", /awaits a promise that nothing can settle/],
    ['Promise.reject(new Error("lost")); return StopEvent.with(1);', /lost/],
    ["return 5 as any;", /returned something that is no event/],
  ];
  for (const [body, wanted] of cases) {
    const { wasm, said } = build(workflow(body), "promise");
    const { status, stdout, stderr } = run(wasm);
    assert.notEqual(status, 0, said);
    assert.match(stdout + stderr, wanted);
  }
});

test("comments become descriptions, where the code says none", () => {
  const text = `import { defineWorkflow, event, StartEvent, StopEvent } from "wf-guest";
import * as z from "zod";
/** An order. */
export const Ordered = event("Ordered", z.object({ item: z.string() }));
/** Another. */
const Said = event("Said", z.object({}).describe("Said in the code."));
/**
 * Serves tea.
 *
 * Hot.
 */
const workflow = defineWorkflow<{ n: number }>({ name: "it" });
/** Takes it. */
workflow.step("take", { accepts: [StartEvent], emits: [Ordered, Said] }, () => Ordered.with({ item: "tea" }));
/** Not this. */
workflow
  /** Serves it. */
  .step("serve", { accepts: [Ordered], emits: [StopEvent] }, () => StopEvent.with(1))
  .step("bare", { accepts: [Said], emits: [StopEvent], description: "Said." }, () => StopEvent.with(1));
export default workflow;
`;
  const { wasm, status, said } = build(text, "comments");
  assert.equal(status, 0, said);
  const { stdout, stderr } = spawnSync(host, ["inspect", wasm, "--format", "json"], { cwd: folder, encoding: "utf8" });
  const manifest = JSON.parse(stdout || `"${stderr}"`);
  assert.equal(manifest.description, "Serves tea.\n\nHot.");
  assert.deepEqual(manifest.steps.map((it) => it.description), ["Takes it.", "Serves it.", "Said."]);
  assert.deepEqual(manifest.events.map((it) => it.schema.description).sort(), ["An order.", "Said in the code."]);
});
