// node build.mjs WORKFLOW.ts OUT.wasm: the workflow's same bundle as a component of SpiderMonkey.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { componentize } from "@bytecodealliance/componentize-js";
import { bundle } from "../../tools/bundle.mjs";
import { begin, contractIn } from "../../tools/worlds.mjs";

const [source, out] = process.argv.slice(2);
const work = mkdtempSync(path.join(tmpdir(), "wf-guest-spidermonkey-"));
try {
  const { code, world, lines, comments } = await bundle(source);
  const sourcePath = path.join(work, "bundle.js");
  const known = `globalThis.wfLines = ${JSON.stringify(lines)}; globalThis.wfComments = ${JSON.stringify(comments)};`;
  writeFileSync(sourcePath, `${begin(world)} ${known} ${code}(wfImports, wfBegun).next(); export { steps };`);
  const { component } = await componentize({ sourcePath, witPath: contractIn(work), worldName: world, disableFeatures: ["http", "fetch-event"] });
  writeFileSync(out, component);
} finally {
  rmSync(work, { recursive: true, force: true });
}
