// What the comments above workflows, steps and event types say: `/** … */` directly before `defineWorkflow(…)`,
// `workflow.step("name", …)` or `const Name = event("Name", …)`.

const DOCUMENTED =
  /\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*(?:export\s+(?:default\s+)?)?(?:(?:const|let|var)\s+\w+\s*(?::[^=\n]+)?=\s*)?(?:\w+\s*)?(?:\.\s*)?\b(step|event|defineWorkflow)\s*(?:<[^(]*>)?\(\s*(?:"([^"\n]*)"|'([^'\n]*)')?/g;

/** By `step NAME`, `event NAME`, and `workflow`. */
export function comments(text) {
  const found = {};
  for (const [, comment, what, double, single] of text.matchAll(DOCUMENTED)) {
    const lines = comment.split("\n").map((line) => line.replace(/^\s*\* ?/, "").trimEnd());
    const said = lines.join("\n").trim();
    const key = what === "defineWorkflow" ? "workflow" : `${what} ${double ?? single}`;
    if (said !== "") found[key] = said;
  }
  return found;
}
