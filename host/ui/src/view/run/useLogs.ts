// What the steps of a run have written, read part by part while somebody looks at it.

import { useEffect, useRef, useState } from "react";
import { api } from "../../api";
import { added, NOTHING, type Line, type Written } from "../../model/logs";

/** What a run that goes on has written since is asked for again after so long, in milliseconds. */
const AGAIN = 1500;
/** So many lines are asked for at once. */
const PART = 5000;
/** A long log is shown in parts, so often. */
const SHOWN = 300;

export interface Logs {
  lines: readonly Line[];
  /** Whether more is on its way. */
  reading: boolean;
  problem?: unknown;
}

export function useLogs(id: string, needed: boolean, running: boolean): Logs {
  const kept = useRef<{ written: Written; known: Map<string, Line> }>({ written: NOTHING, known: new Map() });
  const [shown, show] = useState<Logs>({ lines: NOTHING.lines, reading: true });
  useEffect(() => {
    if (!needed) return;
    let left = false;
    let timer = 0;
    let shownAt = performance.now();
    const read = async () => {
      // Nobody sees it: later.
      let more = !document.hidden;
      try {
        while (more) {
          const part = await api.logs(id, kept.current.written.last, PART);
          if (left) return;
          kept.current.written = added(kept.current.written, part, kept.current.known);
          more = part.more;
          if (more && performance.now() - shownAt < SHOWN) continue;
          shownAt = performance.now();
          show({ lines: kept.current.written.lines, reading: more });
        }
      } catch (problem) {
        if (left) return;
        show({ lines: kept.current.written.lines, reading: false, problem });
      }
      if (running || document.hidden) timer = window.setTimeout(() => void read(), AGAIN);
    };
    void read();
    return () => {
      left = true;
      window.clearTimeout(timer);
    };
  }, [id, needed, running]);
  return shown;
}
