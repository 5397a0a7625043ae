// Where in its author's source a step failed, as its backtrace tells it.

export interface Place {
  /** As the backtrace names it. */
  file: string;
  line: string;
}

/** Files that are nobody's own: of languages, their packages, and what steps stand on. */
const FOREIGN = /^<|(^|\/)(rustc|registry\/src|library\/(std|core|alloc)|site-packages|node_modules|wf-guest|wf_guest|guest-sdk|wasi-libc|libc)\/|\/(go|tinygo)\/src\/|\/lib\/python\d|\/usr\/(lib|include)\//;

/** `at step (flow.ts:12)`, `at /home/me/src/lib.rs:12:9`, `panicked at src/lib.rs:12:9`, `/home/me/flow.go:12 +0x1d`. */
const INNERMOST_FIRST = /(?:\bat |\(|^\s+)((?:[A-Za-z]:)?[^\s():]*\.\w+):(\d+)(?::\d+)?\)?(?: \+0x[0-9a-f]+)?\s*$/gm;
/** `File "flow.py", line 12, in step`. */
const PYTHON = /^\s*File "([^"]+)", line (\d+)/gm;

/** The place that its author looks at first: in the innermost of their own functions. */
export function placeOf(trace: string | null | undefined): Place | undefined {
  if (!trace) return undefined;
  const found = (of: RegExp, text: string) => [...text.matchAll(of)].map(([, file, line]): Place => ({ file: file!, line: line! })).filter((it) => !FOREIGN.test(it.file));
  // What was raised last is told last; its own frames end with the innermost.
  const python = found(PYTHON, trace.slice(Math.max(0, trace.lastIndexOf("Traceback (most recent call last)"))));
  if (python.length > 0) return python.findLast((it) => it.file === python[0]!.file);
  // Below `panic(`, Go tells of the panic itself.
  const panic = trace.lastIndexOf("\npanic(");
  return found(INNERMOST_FIRST, panic < 0 ? trace : trace.slice(panic))[0];
}

/** Short enough to be read at a glance: the file in its folder. */
export function short({ file, line }: Place): string {
  return `${file.split(/[\\/]/).slice(-2).join("/")}:${line}`;
}
