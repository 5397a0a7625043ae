// node build.mjs WORKFLOW.ts OUT.wasm [WORKFLOW.ts OUT.wasm …]
// Builds components. Mistakes go to stderr, a line each: `file:line: what is wrong`.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync, cpSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { componentize } from "componentize-qjs";
import { build } from "esbuild";
import { comments } from "./comments.mjs";
import { lines } from "./lines.mjs";

const sdk = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const contract = path.resolve(sdk, "../../wit/workflow.wit");

class Mistake extends Error {}

const given = process.argv.slice(2);
const work = mkdtempSync(path.join(tmpdir(), "wf-guest-"));
try {
  const wit = world(work);
  for (let at = 0; at < given.length; at += 2) await component(wit, given[at], given[at + 1]);
} catch (error) {
  if (!(error instanceof Mistake)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** The contract, and what the SDK imports beside it. */
function world(folder) {
  const wit = path.join(folder, "wit");
  mkdirSync(path.join(wit, "deps/workflow"), { recursive: true });
  cpSync(path.join(sdk, "wit/guest.wit"), path.join(wit, "guest.wit"));
  cpSync(contract, path.join(wit, "deps/workflow/workflow.wit"));
  return wit;
}

async function component(wit, source, out) {
  if (!existsSync(source)) throw new Mistake(`there is no file \`${source}\``);
  const { code, table, said: documented } = await bundle(source);
  // In the code's first line, so that its lines stay where they are.
  const jsSource = `globalThis.wfComments = ${JSON.stringify(documented)};${code}\nglobalThis.wfLines = ${JSON.stringify(table)};\n`;
  // What it asks for is shown to whoever grants it: requests only where `fetch` is named.
  const reaches = code.includes("wf:workflow/http@") ? "guest" : "guest-within";
  const world = code.includes("wasi:cli/environment@") ? `${reaches}-environment` : reaches;
  let made;
  try {
    made = await componentize({ witPath: wit, jsSource, world, sync: true });
  } catch (error) {
    throw new Mistake(said(String(error?.message ?? error), table, source));
  }
  writeFileSync(out, made.component);
}

async function bundle(source) {
  const documented = {};
  const entry = [
    `import ${JSON.stringify(path.join(sdk, "src/globals"))};`,
    `import * as file from ${JSON.stringify(path.resolve(source))};`,
    `import { serve } from ${JSON.stringify(path.join(sdk, "src/serve"))};`,
    `export const steps = serve(file.default);`,
  ].join("\n");
  const options = {
    stdin: { contents: entry, resolveDir: path.dirname(path.resolve(source)), sourcefile: "wf-entry" },
    alias: { "wf-guest": path.join(sdk, "src/index.ts") },
    // What the project does not have itself: zod.
    nodePaths: [path.join(sdk, "node_modules")],
    // Only into what names them.
    inject: ["url", "fetch", "environment"].map((name) => path.join(sdk, `src/web/${name}.ts`)),
    define: { "process.env": "wfEnvironment", "process.env.NODE_ENV": '"production"' },
    bundle: true,
    write: false,
    outfile: path.join(work, "bundle.js"),
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    // The engine runs no promises in a synchronous call: see src/promise.ts.
    supported: { "async-await": false, "async-generator": false, "for-await": false },
    keepNames: true,
    minifySyntax: true,
    sourcemap: "external",
    sourcesContent: false,
    logLevel: "silent",
    plugins: [{ name: "comments, and zod as a namespace", setup: (build) => own(build, documented) }],
  };
  let built;
  try {
    built = await build(options);
  } catch (error) {
    if (!error.errors) throw error;
    throw new Mistake(error.errors.map(message).join("\n"));
  }
  const map = JSON.parse(built.outputFiles.find((file) => file.path.endsWith(".map")).text);
  const code = built.outputFiles.find((file) => file.path.endsWith(".js")).text;
  const isOwn = (file) => !file.startsWith(sdk + path.sep) || file.startsWith(path.join(sdk, "conformance"));
  return { code, said: documented, table: lines(map, work, (file) => isOwn(file) && !file.includes("node_modules") && path.basename(file) !== "wf-entry") };
}

/**
 * The author's files: what their comments say is noted. `import { z } from "zod"` brings all of zod along; the namespace
 * leaves out what is not used.
 */
function own(build, documented) {
  // An import that nothing uses is none.
  build.onResolve({ filter: /^(wf|wasi):/ }, ({ path: interface_ }) => ({ path: interface_, external: true, sideEffects: false }));
  const named = /import\s*\{\s*z\s*\}\s*from\s*(["']zod(?:\/[\w-]+)*["'])/g;
  build.onLoad({ filter: /\.[cm]?[jt]sx?$/ }, ({ path: file }) => {
    if (file.includes("node_modules") || file.startsWith(path.join(sdk, "src"))) return undefined;
    const text = readFileSync(file, "utf8");
    Object.assign(documented, comments(text));
    const contents = text.replace(named, "import * as z from $1");
    return { contents, loader: /\.[cm]?tsx?$/.test(file) ? (file.endsWith("x") ? "tsx" : "ts") : file.endsWith("x") ? "jsx" : "js" };
  });
}

function message({ text, location }) {
  if (!location) return text;
  const native = /Could not resolve "(node:)?(fs|net|http|https|os|child_process|path|stream|crypto|util|events|worker_threads)(\/\w+)?"/.test(text);
  const hint = native ? " (a component has no modules of Node: use a package without them)" : "";
  return `${path.relative(process.cwd(), path.resolve(location.file))}:${location.line}: ${text}${hint}`;
}

/** What the engine said of code that failed while it was taken in, at the author's line. */
function said(text, table, source) {
  const at = [...text.matchAll(/:(\d+):\d+/g)].map(([, line]) => table[line]).find((line) => line !== undefined);
  const message = text.split("evaluation: ").at(-1).split(/\n\s+at /)[0].replace(/^Error: /, "");
  return `${at ?? path.relative(process.cwd(), path.resolve(source))}: ${message.trim().replaceAll("\n", " ")}`;
}
