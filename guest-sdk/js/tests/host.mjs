// What tests of components share: a folder that goes with them, the host (WF_HOST names its binary), and the workflow
// that checks itself.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";

export const here = path.dirname(fileURLToPath(import.meta.url));
export const host = path.resolve(process.env.WF_HOST ?? path.join(here, "../../../target/release/wf-host"));
export const folder = mkdtempSync(path.join(tmpdir(), "wf-guest-test-"));
after(() => rmSync(folder, { recursive: true, force: true }));

export function run(wasm, event = {}) {
  return spawnSync(host, ["run", wasm, "--event", JSON.stringify(event)], { cwd: folder, encoding: "utf8" });
}

/** A component of `inside.ts`: all that it checks must hold. */
export function holds(wasm) {
  const event = '{"large":61695499031416832,"small":12}';
  const ran = spawnSync(host, ["run", wasm, "--event", event], { encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stdout + ran.stderr);
  const { checked, wrong } = JSON.parse(ran.stdout.trim().split("\n").at(-1)).value.result;
  assert.deepEqual(wrong, {});
  assert.equal(checked, 16);
}
