#!/usr/bin/env node
// Starts the binary of this platform, which is in a package of its own.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";

const platform = `${process.platform}-${process.arch}`;

function binary() {
  try {
    return createRequire(import.meta.url).resolve(`@wf-host/${platform}/wf-host`);
  } catch {
    console.error(`error: the package \`@wf-host/${platform}\`, with the program itself, is not installed`);
    console.error("hint: install `wf-host` without `--omit=optional`; where it has no such package, build it from its sources");
    process.exit(1);
  }
}

const child = spawn(binary(), process.argv.slice(2), { stdio: "inherit" });
// A terminal sends Ctrl-C to both; all else comes to this process alone.
process.on("SIGINT", () => {});
for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("error", (error) => {
  console.error(`error: \`${child.spawnfile}\` cannot be started: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => {
  if (signal === null) process.exit(code ?? 1);
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
});
