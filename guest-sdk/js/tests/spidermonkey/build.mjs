// node build.mjs WORKFLOW.ts OUT.wasm: the workflow's same bundle as a component of SpiderMonkey.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { componentize } from "@bytecodealliance/componentize-js";
import { bundle, contractIn } from "../../tools/bundle.mjs";

const [source, out] = process.argv.slice(2);
const work = mkdtempSync(path.join(tmpdir(), "wf-guest-spidermonkey-"));
try {
  const { jsSource, world } = await bundle(source, work);
  const sourcePath = path.join(work, "bundle.js");
  writeFileSync(sourcePath, jsSource);
  const { component } = await componentize({ sourcePath, witPath: contractIn(work), worldName: world, disableFeatures: ["http", "fetch-event"] });
  writeFileSync(out, component);
} finally {
  rmSync(work, { recursive: true, force: true });
}
