// node build.mjs WORKFLOW.ts OUT.wasm [WORKFLOW.ts OUT.wasm …]
// Builds components. Mistakes go to stderr, a line each: `file:line: what is wrong`.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { componentize } from "componentize-qjs";
import { bundle, contractIn, Mistake } from "./bundle.mjs";

const given = process.argv.slice(2);
const work = mkdtempSync(path.join(tmpdir(), "wf-guest-"));
try {
  const witPath = contractIn(work);
  for (let at = 0; at < given.length; at += 2) await component(witPath, given[at], given[at + 1]);
} catch (error) {
  if (!(error instanceof Mistake)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

async function component(witPath, source, out) {
  const { jsSource, world, table } = await bundle(source, work);
  let made;
  try {
    made = await componentize({ witPath, jsSource, world, sync: true });
  } catch (error) {
    throw new Mistake(said(String(error?.message ?? error), table, source));
  }
  writeFileSync(out, made.component);
}

/** What the engine said of code that failed while it was taken in, at the author's line. */
function said(text, table, source) {
  const at = [...text.matchAll(/:(\d+):\d+/g)].map(([, line]) => table[line]).find((line) => line !== undefined);
  const message = text.split("evaluation: ").at(-1).split(/\n\s+at /)[0].replace(/^Error: /, "");
  return `${at ?? path.relative(process.cwd(), path.resolve(source))}: ${message.trim().replaceAll("\n", " ")}`;
}
