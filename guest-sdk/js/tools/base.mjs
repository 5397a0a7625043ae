// node base.mjs WORLD OUT.wasm
// What every component of a world begins as: QuickJS, with a program that waits for a bundle. `wf-host build` gives it
// one, by a call of its step, and keeps what memory holds after that.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { componentize } from "componentize-qjs";
import { begin, contractIn } from "./worlds.mjs";

// The bundle is evaluated, and its steps take the place of these. One that fails does so at the first of its lines that
// is the author's. Last, where its text has been there come zeros, of which a component keeps none: as many as there is
// room for.
const program = `
let bundle;
steps = {
  describe() { throw new Error("no bundle was given"); },
  invoke(_, events) {
    let { code, lines, comments, file, hint } = JSON.parse(events.pop().payload);
    globalThis.wfLines = lines;
    globalThis.wfComments = comments;
    try {
      bundle = (0, eval)(code)(wfImports, wfBegun);
      bundle.next();
    } catch (thrown) {
      const is = thrown instanceof Error;
      const frames = is ? [...String(thrown.stack).matchAll(/:(\\d+):\\d+/g)] : [];
      const at = frames.map(([, line]) => lines[line]).find((line) => line !== undefined) ?? file;
      let message = "something was thrown that is no error, and no text";
      try {
        message = String(is ? thrown.message : thrown).trim().replaceAll("\\n", " ");
      } catch {}
      throw { kind: "invalid", message: at + ": " + message, details: JSON.stringify({ hint }) };
    }
    const { length } = code;
    code = undefined;
    try {
      for (let size = length, zeros = []; size > 4096; size >>= 1) zeros.push(...[size, size, size].map((it) => new ArrayBuffer(it)));
    } catch {}
    return [];
  },
};
export { steps };`;

const [world, out] = process.argv.slice(2);
const work = mkdtempSync(path.join(tmpdir(), "wf-guest-"));
try {
  // All of it is its first line, which in a bundle is nobody's: so no frame of it is taken for one of the author's.
  const jsSource = `${begin(world)}${program}`.replaceAll("\n", " ");
  const { component } = await componentize({ witPath: contractIn(work), jsSource, world, sync: true });
  writeFileSync(out, component);
} finally {
  rmSync(work, { recursive: true, force: true });
}
