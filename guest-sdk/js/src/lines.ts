/** Comes with the bundle: one of its lines → `file:line` of the author's. */
declare global {
  var wfLines: Record<string, string> | undefined;
}

(Error as { stackTraceLimit?: number }).stackTraceLimit = 64;

/** The frames of a stack that the author wrote, at their own lines; all frames where there are none. */
export function own(stack: string): string {
  const table = globalThis.wfLines ?? {};
  let frames = "";
  for (const frame of stack.split("\n")) {
    const line = table[/:(\d+):\d+\)?$/.exec(frame)?.[1] ?? ""];
    const name = /^\s*(?:at )?([^@(]*)/.exec(frame)?.[1]?.trim();
    if (line) frames += `    at ${name || "<anonymous>"} (${line})\n`;
  }
  return frames || stack;
}
