// A workflow and the SDK as one piece of JavaScript, and the world that it is a component of. Nothing here is of one engine.
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { comments } from "./comments.mjs";
import { lines } from "./lines.mjs";
import { imports, worldOf } from "./worlds.mjs";

const sdk = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");

export class Mistake extends Error {}

/**
 * The code: an expression, a function of the imports by name, and of whom to give its steps. It is one that pauses at its
 * end: what it has at its top is not freed, which would leave gaps, and what each step allocates would lie scattered in
 * them. And the world whose imports those are, which of the author's lines each of its lines came from, what the author's
 * comments say, and the file as messages name it.
 */
export async function bundle(source) {
  if (!existsSync(source)) throw new Mistake(`there is no file \`${source}\``);
  const documented = {};
  const entry = [
    `import ${JSON.stringify(path.join(sdk, "src/globals"))};`,
    `import * as file from ${JSON.stringify(path.resolve(source))};`,
    `import { serve } from ${JSON.stringify(path.join(sdk, "src/serve"))};`,
    `wfBegun(serve(file.default));`,
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
    outfile: path.join(sdk, "bundle.js"),
    // It exports nothing, and so is as good inside of a function.
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    target: "es2022",
    // The engine runs no promises in a synchronous call: see src/promise.ts.
    supported: { "async-await": false, "async-generator": false, "for-await": false, "import-meta": false },
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
  const table = lines(map, sdk, (file) => isOwn(file) && !file.includes("node_modules") && path.basename(file) !== "wf-entry");
  return {
    // In its first line, so that all lines stay where they are.
    code: `(function* (wfImports, wfBegun) { "use strict"; ${code}\nyield; })`,
    world: worldOf(code),
    lines: table,
    comments: documented,
    file: path.relative(process.cwd(), path.resolve(source)),
  };
}

/**
 * The author's files: what their comments say is noted. `import { z } from "zod"` brings all of zod along; the namespace
 * leaves out what is not used.
 */
function own(build, documented) {
  // An import that nothing uses is none.
  build.onResolve({ filter: /^(wf|wasi):/ }, ({ path: name }) =>
    imports.includes(name)
      ? { path: name, namespace: "imports", sideEffects: false }
      : { errors: [{ text: `there is no \`${name}\` for a component to import (there is ${imports.join(", ")})` }] },
  );
  build.onLoad({ filter: /./, namespace: "imports" }, ({ path: name }) => ({
    contents: `export default wfImports[${JSON.stringify(name)}];`,
  }));
  // Chance while the component is built stops some engines, and its own count tells these keys apart in one bundle.
  build.onLoad({ filter: /[\\/]core-js-pure[\\/]internals[\\/]uid\.js$/ }, ({ path: file }) => ({
    contents: readFileSync(file, "utf8").replace("Math.random()", "0.5"),
  }));
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

