// A run's stream, as it comes and as it was.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import type { Frame, History } from "../../api";
import { internal as isInternal } from "../../model/journal";
import { placeAt } from "../../model/lanes";
import { brief, written } from "../../model/json";
import { clock, micros, since } from "../../model/time";
import { Copy } from "../common";
import { JsonView } from "../JsonView";

interface Props {
  frames: Frame[];
  history: History;
  /** Frames from this number on came later than the moment that is looked at. */
  until: number;
  live: boolean;
  picked?: number;
  pick: (sequence: number) => void;
  internal: boolean;
  search: string;
  /** Looks at the whole run as it was when an event was published. */
  moment: (sequence: number) => void;
  change: (changes: { internal?: boolean; search?: string }) => void;
}

export function EventsTab({ frames, history, until, live, picked, pick, internal, search, moment, change }: Props) {
  const [paused, setPaused] = useState<number>();
  const box = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => {
    const word = search.toLowerCase();
    return frames.filter(
      (frame) =>
        (internal || !isInternal(frame)) &&
        frame.sequence < until &&
        (paused === undefined || frame.sequence < paused) &&
        (!word || `${frame.type} ${brief(frame.value)}`.toLowerCase().includes(word)),
    );
  }, [frames, internal, search, until, paused]);
  const times = useMemo(() => history.moments.map((it) => it.frames), [history]);
  const begin = history.moments[0] ? micros(history.moments[0].at) : 0;
  /** When a frame was published. */
  const at = (sequence: number) => history.moments[placeAt(times, sequence) + (times[0]! <= sequence ? 1 : 0)]?.at;
  const total = useMemo(() => frames.filter((frame) => internal || !isInternal(frame)).length, [frames, internal]);
  const list = useVirtualizer({ count: shown.length, getScrollElement: () => box.current, estimateSize: () => 30, overscan: 20 });
  // Stays at the end while new ones come, unless somebody has scrolled up.
  const atEnd = useRef(true);
  useEffect(() => {
    if (live && atEnd.current && shown.length > 0) list.scrollToIndex(shown.length - 1);
  }, [shown.length, live, list]);
  // What was chosen elsewhere comes into view.
  const place = picked === undefined ? -1 : shown.findIndex((it) => it.sequence === picked);
  useEffect(() => {
    if (place >= 0) list.scrollToIndex(place, { align: "auto" });
  }, [place, list]);
  return (
    <div className="log">
      <div className="tools">
        <input type="search" aria-label="Search the events" placeholder="Search" value={search} onChange={(event) => change({ search: event.target.value })} />
        <label><input type="checkbox" checked={internal} onChange={(event) => change({ internal: event.target.checked })} /> internal</label>
        {live && (
          <button className="quiet small" onClick={() => setPaused(paused === undefined ? (frames.at(-1)?.sequence ?? -1) + 1 : undefined)}>
            {paused === undefined ? "Pause" : "Go on"}
          </button>
        )}
        <span className="grow" />
        <span className="soft">{shown.length} of {internal ? "" : "the "}{total}{internal ? "" : " published"}</span>
        <Copy text={() => shown.map(written).join("\n")} />
      </div>
      {shown.length === 0 && <p className="soft pad">{search ? "None fits." : "Nothing was published by then."}</p>}
      <div
        className="scroll"
        ref={box}
        tabIndex={0}
        role="list"
        aria-label="Events"
        onScroll={({ currentTarget: it }) => (atEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < 40)}
      >
        <div style={{ height: list.getTotalSize(), position: "relative" }}>
          {list.getVirtualItems().map(({ index, start, key }) => {
            const frame = shown[index]!;
            const open = picked === frame.sequence;
            const time = at(frame.sequence);
            return (
              <div key={key} data-index={index} ref={list.measureElement} role="listitem" className={`event ${open ? "picked" : ""}`} style={{ transform: `translateY(${start}px)` }}>
                <button aria-expanded={open} onClick={() => pick(frame.sequence)}>
                  <span className="number">{frame.sequence}</span>
                  <span className="time" title={time && clock(time)}>{time ? since(micros(time) - begin) : ""}</span>
                  <span className={`type ${frame.types?.includes("StopEvent") || frame.type === "StopEvent" ? "terminal" : ""}`}>{frame.type}</span>
                  <span className="brief">{brief(frame.value)}</span>
                </button>
                {open && <JsonView value={frame.value} label={`Event ${frame.sequence}`} />}
                {open && <button className="quiet small moment-of" onClick={() => moment(frame.sequence)}>Look at the run at this moment</button>}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}
