// A run as it is and as it goes on: read page by page, told by its stream, until it ends or is gone.

import { useEffect, useReducer, useRef, useState } from "react";
import { api, Refused, type Frame, type History, type Run } from "../../api";
import { follow } from "../../api/follow";
import { joined } from "../../model/history";
import { goesOn } from "../../model/status";
import { NOTHING, told, type Shown } from "../../model/stage";

/** A server that starts, or that is away, is asked again after so long, in milliseconds. */
const AGAIN = 1000;
/** A long history is shown in parts, so often. */
const PART = 400;
/** Whether a run that has ended is still there is asked so often. */
const STILL_THERE = 5000;

export interface RunData extends Shown {
  frames: Frame[];
  /** Changes whenever something was learned. */
  version: number;
  look: () => void;
}

export function useRunData(id: string): RunData {
  const [shown, tell] = useReducer(told, NOTHING);
  const [frames, setFrames] = useState<Frame[]>([]);
  const [version, setVersion] = useState(0);
  const again = useRef<() => void>(() => {});
  useEffect(() => {
    let left = false;
    let busy = false;
    let more = false;
    let timer = 0;
    let streamed = false;
    let count = 0;
    let shownAt = performance.now();
    let known: History | undefined;
    let run: Run | undefined;

    const later = (delay: number) => {
      timer ||= window.setTimeout(() => {
        timer = 0;
        void look();
      }, delay);
    };
    const look = async () => {
      if (left || document.hidden) return;
      if (busy) return void (more = true);
      busy = true;
      more = false;
      try {
        // Of a run that has ended nothing changes, unless it goes.
        const settled = run && !goesOn(run) && known;
        if (settled) await api.history(id, known!.moments.at(-1)?.seq, 1);
        else await read();
        if (run && !goesOn(run)) later(STILL_THERE);
        // The stream has ended, and so does the run.
        else if (streamed) later(AGAIN / 2);
      } catch (problem) {
        if (left) return;
        const status = problem instanceof Refused ? problem.status : undefined;
        tell({ kind: "refused", status, problem });
        if (status === 404 && run) return;
        later(AGAIN);
      } finally {
        busy = false;
        if (more) later(0);
      }
    };
    const read = async () => {
      // Asked for first: what the journal then says is at least as new.
      const asked = await api.run(id);
      for (;;) {
        let page: History;
        try {
          page = await api.history(id, known?.moments.at(-1)?.seq);
        } catch (problem) {
          // Refused for good: what happened in it cannot be read.
          if (!(problem instanceof Refused) || problem.status === 503 || problem.status === 404 || problem.status === 429) throw problem;
          run = asked;
          return void (left || tell({ kind: "broken", run: asked, problem }));
        }
        if (left) return;
        known = joined(known, page);
        if (page.next == null) break;
        // Drawing it takes time from the reading.
        if (performance.now() - shownAt > PART) {
          shownAt = performance.now();
          tell({ kind: "reading", run: asked, history: known });
        }
      }
      run = asked;
      tell({ kind: "looked", run: asked, history: known });
      setVersion((it) => it + 1);
    };
    again.current = () => later(0);
    void look();
    const stop = follow(id, -1, {
      frames: (some) => {
        count += some.length;
        setFrames((before) => [...before, ...some.filter((it) => it.sequence > (before.at(-1)?.sequence ?? -1))]);
        // What follows from a burst of frames is asked for once; seldom, where there is much of it.
        later(Math.min(3000, 150 + count / 5));
      },
      connection: (there) => tell({ kind: "connection", there }),
      end: () => {
        streamed = true;
        tell({ kind: "connection", there: true });
        window.clearTimeout(timer);
        timer = 0;
        void look();
      },
    });
    const seen = () => void (document.hidden || later(0));
    document.addEventListener("visibilitychange", seen);
    return () => {
      left = true;
      stop();
      window.clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [id]);
  return { ...shown, frames, version, look: () => again.current() };
}
