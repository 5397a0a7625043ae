// Whole runs by `testing/harness.mjs`, on the components of `make guests`: WF_HOST names the program.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

import { Harness, HarnessError } from "../testing/harness.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "../../..");
process.env.WF_HOST = path.resolve(process.env.WF_HOST ?? path.join(root, "target/release/wf-host"));
const guest = (name) => path.join(root, "target/guests", name);

let harness;
before(async () => {
  const names = ["js/waiter", "js/retry", "js/slow", "rust/counter", "rust/outside"];
  harness = await Harness.open(...names.map((name) => guest(`${name}.wasm`)));
});
after(() => harness.close());

test("answers come when they are asked for, and the clock moves as far as it is told", async () => {
  const asked = [];
  const answers = {
    AskEvent: ({ question }) => {
      asked.push(question);
      return { type: "AnswerEvent", value: { user: "laurie", answer: "me" } };
    },
  };
  let run = await harness.start({ wait: 60 }, { workflow: "waiter", answers, restartAt: "every" });
  assert.deepEqual([run.result, asked, run.types], [{ answer: "me" }, ["who?"], ["AskEvent", "StopEvent"]]);
  assert.ok(run.restarts > 0);
  assert.deepEqual(await run.replay(), []);

  run = await harness.start({ wait: 3600 }, { workflow: "waiter" });
  await run.advance(3599);
  assert.deepEqual([run.status, run.next, run.now, run.waits[0].types], ["running", 1, 3599, ["AnswerEvent"]]);
  assert.match((await run.advance(1)).failure, /AnswerEvent/);
  assert.throws(() => run.result, /the run has not completed\nfailed: [^]*AskEvent/);

  run = await harness.start({ seconds: 1e6 }, { workflow: "slow" });
  assert.equal((await (await run.restart()).finish()).status, "completed");
  assert.equal(Math.round(run.now), 1e6);
});

test("attempts fail on demand", async () => {
  const fail = [{ step: "flaky", message: "not today", kind: "Boom", retryAfter: 9 }];
  const run = await harness.start({}, { workflow: "retry", state: { tries: 2 }, fail });
  assert.equal(run.next, 9);
  assert.deepEqual([(await run.finish()).result, await run.state()], [{ tries: 4 }, { tries: 4 }]);
  const attempts = await run.attempts("flaky");
  assert.deepEqual(attempts.map((it) => it.failure), [{ kind: "Boom", message: "not today" }, undefined]);
  assert.ok((await run.log()).some((it) => it.source === "failure" && it.message === "not today"));
});

test("requests are answered here", async () => {
  const http = [{ url: "https://api.*", status: 503, times: 1 }, { url: "https://api.*", json: { is: "green" } }];
  const task = { url: "https://api.example.com/tea", method: "POST", body: "hello", fails: true };
  const run = await (await harness.start({ tasks: [task] }, { workflow: "outside", http })).finish();
  assert.equal(run.result.told[0].body, '{"is":"green"}');
  assert.deepEqual((await run.requests()).map((it) => [it.method, it.text]), [["POST", "hello"], ["POST", "hello"]]);
});

test("numbers keep their digits", async () => {
  const run = await harness.start({ by: 1 }, { workflow: "counter", state: { count: 12345678901234567n } });
  assert.deepEqual(run.result, { count: 12345678901234568n });
});

test("what a server refuses is an error with a hint, and so is what cannot be loaded", async () => {
  await assert.rejects(harness.start({}, { workflow: "nope" }), (error) => {
    assert.ok(error instanceof HarnessError && /no workflow `nope`/.test(error.message) && /`waiter`/.test(error.hint));
    return true;
  });
  const run = await harness.start({ wait: 1 }, { workflow: "waiter" });
  await assert.rejects(run.send("Nope"), /unknown event type Nope/);
  assert.equal((await run.cancel()).status, "cancelled");
  await assert.rejects(Harness.open("nope.wasm"), /there is no file/);
  await assert.rejects(Harness.open("x.wasm", { wfHost: "./nothing" }), /cannot be started/);
});

test("a new project passes its own test, which the README shows, by Node's runner and by vitest", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "wf-guest-test-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  assert.equal(spawnSync(process.env.WF_HOST, ["new", "hello", "--lang", "typescript"], { cwd: folder }).status, 0);
  const project = path.join(folder, "hello");
  const readme = readFileSync(path.join(root, "guest-sdk/js/README.md"), "utf8");
  const own = readFileSync(path.join(project, "hello.test.mjs"), "utf8");
  assert.ok(readme.includes(own));
  // zod, as `npm install` would bring it, and the vitest that the page is tested with.
  mkdirSync(path.join(project, "node_modules"));
  symlinkSync(path.join(root, "guest-sdk/js/node_modules/zod"), path.join(project, "node_modules/zod"));
  const vitest = path.join(root, "host/ui/node_modules/vitest");
  symlinkSync(vitest, path.join(project, "node_modules/vitest"));
  // Not as a part of this run, and without colours.
  const { NODE_TEST_CONTEXT: _, FORCE_COLOR: __, ...env } = { ...process.env, NO_COLOR: "1" };
  const passes = (...given) => {
    const tested = spawnSync(process.execPath, given, { cwd: project, encoding: "utf8", env });
    assert.equal(tested.status, 0, tested.stdout + tested.stderr);
    return tested.stdout;
  };
  passes("--test");
  const nodes = 'import { after, before, test } from "node:test";\n';
  const [theirs] = readme.match(/import \{[^}]*\} from "vitest";/);
  writeFileSync(path.join(project, "hello.test.mjs"), own.replace(nodes, `${theirs}\n`));
  assert.match(passes(path.join(vitest, "vitest.mjs"), "run", "--hookTimeout", "120000"), /Tests +2 passed/);
});
