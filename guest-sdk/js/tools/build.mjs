// node build.mjs WORKFLOW.ts [WORKFLOW.ts …]
// Bundles workflows, for `wf-host build`: a line of JSON each. Mistakes go to stderr, a line each: `file:line: what is wrong`.
import { bundle, Mistake } from "./bundle.mjs";

try {
  const bundles = [];
  for (const source of process.argv.slice(2)) bundles.push(await bundle(source));
  for (const each of bundles) console.log(JSON.stringify(each));
} catch (error) {
  if (!(error instanceof Mistake)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
