// The same source on another engine: components of SpiderMonkey do on `wf-host serve` what those of QuickJS do.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const host = path.resolve(process.env.WF_HOST ?? path.join(here, "../../../target/release/wf-host"));
const folder = mkdtempSync(path.join(tmpdir(), "wf-guest-engines-"));
/** How a component of each engine is built, of `NAME.ts`. */
const builds = {
  quickjs: (name) => [host, ["build", "--part", `${name}.ts`]],
  spidermonkey: (name) => [process.execPath, [path.join(here, "spidermonkey/build.mjs"), `${name}.ts`, `${name}.spidermonkey.wasm`]],
};
/** For what hangs: all of it takes half a minute. */
const within = { timeout: 600_000 };
const workflows = { inside: "inside.ts", waiter: "../conformance/waiter.ts" };

/** A server with every workflow of both engines, on the data of the one before. */
class Server {
  static async start() {
    const server = new Server();
    const named = Object.keys(workflows).flatMap((name) => Object.keys(builds).map((engine) => `${name}-${engine}=${name}.${engine}.wasm`));
    const given = ["serve", "--strict", "--host", "127.0.0.1", "--port", "0", "--data-dir", "data", ...named];
    server.process = spawn(host, given, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    server.gone = once(server.process, "close");
    const lines = createInterface({ input: server.process.stdout });
    server.url = await new Promise((resolve, reject) => {
      lines.on("line", (line) => /listening on\s+(http:\S+)/.test(line) && resolve(/http:\S+/.exec(line)[0]));
      lines.on("close", () => reject(new Error("the server has ended")));
    });
    return server;
  }

  async kill() {
    this.process.kill("SIGKILL");
    await this.gone;
  }

  async ask(where, body) {
    const answer = await fetch(this.url + where, body && { method: "POST", body });
    return { status: answer.status, ...(await answer.json()) };
  }

  /** What the run shows, up to the first event of a type. */
  async shown(handler, last) {
    const { body } = await fetch(`${this.url}/events/${handler}?sse=false`);
    const shown = [];
    let rest = "";
    for await (const part of body.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + part).split("\n");
      rest = lines.pop();
      shown.push(...lines.map((line) => JSON.parse(line)).map(({ type, value }) => [type, value]));
      if (shown.some(([type]) => type === last)) break;
    }
    return shown;
  }
}

let server;
before(async () => {
  const made = [];
  for (const [name, source] of Object.entries(workflows)) {
    copyFileSync(path.join(here, source), path.join(folder, `${name}.ts`));
    for (const build of Object.values(builds)) {
      const [program, given] = build(name);
      made.push(once(spawn(program, given, { cwd: folder, stdio: "inherit" }), "close"));
    }
  }
  assert.deepEqual((await Promise.all(made)).flat().filter(Number), []);
  for (const name of Object.keys(workflows)) renameSync(path.join(folder, `${name}.wasm`), path.join(folder, `${name}.quickjs.wasm`));
  server = await Server.start();
}, within);
after(async () => {
  await server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

for (const engine of Object.keys(builds)) {
  test(`${engine}: the checks inside of a component hold, and its traces have the author's lines`, within, async () => {
    const ended = await server.ask(`/workflows/inside-${engine}/run`, '{"start_event":{"large":61695499031416832,"small":12}}');
    assert.deepEqual([ended.status, ended.error, ended.result?.value.result], ["completed", null, { checked: 16, wrong: {} }]);
    const { logs } = await server.ask(`/api/v1/runs/${ended.run_id}/logs`);
    const line = readFileSync(path.join(folder, "inside.ts"), "utf8").split("\n").findIndex((it) => it.includes('new Error("shown")')) + 1;
    const message = logs.find((it) => it.message.startsWith("a line ")).message;
    assert.match(message, new RegExp(`Error: shown\\n +at .*\\(inside\\.ts:${line}\\)\\n`));
  });

  test(`${engine}: it waits for a person, over a host that is killed`, within, async () => {
    const { handler_id: handler } = await server.ask(`/workflows/waiter-${engine}/run-nowait`, "{}");
    const asked = [["AskEvent", { question: "who?" }]];
    assert.deepEqual(await server.shown(handler, "AskEvent"), asked);
    await server.kill();
    server = await Server.start();
    for (const [user, answer] of [["anyone", "not this"], ["laurie", "this"]]) {
      const event = { event: { type: "AnswerEvent", value: { user, answer } } };
      assert.equal((await server.ask(`/events/${handler}`, JSON.stringify(event))).status, "sent");
    }
    assert.deepEqual(await server.shown(handler, "StopEvent"), [...asked, ["StopEvent", { result: { answer: "this" } }]]);
  });
}
