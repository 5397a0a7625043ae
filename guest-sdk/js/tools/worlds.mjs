// The worlds of `wit/guest.wit`, and what a bundle finds of each. Nothing here is of one engine.
import { cpSync, mkdirSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const sdk = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const contract = path.resolve(sdk, "../../wit/workflow.wit");

const always = [
  ...["events", "state", "time", "memo", "run", "log"].map((name) => `wf:workflow/${name}@0.1.0`),
  "wasi:random/random@0.2.0",
];
const [http, environment] = ["wf:workflow/http@0.1.0", "wasi:cli/environment@0.2.0"];

/** What a bundle may import. */
export const imports = [...always, http, environment];

/** The world that a bundle needs: what it asks for is shown to whoever grants it, so only what it names is in there. */
export function worldOf(code) {
  return `${code.includes(http) ? "guest" : "guest-within"}${code.includes(environment) ? "-environment" : ""}`;
}

/** The beginning of a component's module: what a bundle of its world finds, and `steps`, which it gives. */
export function begin(world) {
  const names = [...always];
  if (!world.startsWith("guest-within")) names.push(http);
  if (world.endsWith("-environment")) names.push(environment);
  const each = names.map((name, at) => `import * as wf${at} from ${JSON.stringify(name)};`);
  const table = names.map((name, at) => `${JSON.stringify(name)}: wf${at}`);
  return `${each.join(" ")} const wfImports = { ${table.join(", ")} }; let steps; const wfBegun = (given) => { steps = given; };`;
}

/** The contract, and what the SDK imports beside it, as a folder of its own. */
export function contractIn(folder) {
  const wit = path.join(folder, "wit");
  mkdirSync(path.join(wit, "deps/workflow"), { recursive: true });
  cpSync(path.join(sdk, "wit/guest.wit"), path.join(wit, "guest.wit"));
  cpSync(contract, path.join(wit, "deps/workflow/workflow.wit"));
  return wit;
}
