// Who worked, queued, slept, waited and tried again, and when.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import type { History } from "../api";
import { phaseAt, timeline } from "../model/run";
import { duration } from "../model/time";
import { PHASES } from "./common";

interface Props {
  history: History;
  end: number;
  seq: number;
  picked?: number;
  pick: (invocation: number) => void;
}

const ROW = 26;

export function Timeline({ history, end, seq, picked, pick }: Props) {
  const { rows, length } = useMemo(() => timeline(history, end), [history, end]);
  const [zoom, setZoom] = useState(1);
  const box = useRef<HTMLDivElement>(null);
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 10 });
  const at = (time: number) => `${(time / length) * 100}%`;
  const ticks = Array.from({ length: 5 }, (_, index) => (length * index) / 4);
  return (
    <div className="timeline">
      <div className="tools">
        <span className="legend" aria-hidden="true">
          {(["queued", "executing", "sleeping", "waiting", "blocked", "retrying", "failed"] as const).map((phase) => (
            <span key={phase} className={phase}><i /> {PHASES[phase].text}</span>
          ))}
        </span>
        <span className="grow" />
        <button className="quiet small" aria-label="Zoom out" disabled={zoom <= 1} onClick={() => setZoom(Math.max(1, zoom / 2))}>−</button>
        <button className="quiet small" aria-label="Zoom in" onClick={() => setZoom(Math.min(512, zoom * 2))}>+</button>
      </div>
      <div
        className="lanes"
        ref={box}
        tabIndex={0}
        role="list"
        aria-label="Timeline"
        onWheel={(event) => {
          if (event.ctrlKey) setZoom((before) => Math.min(512, Math.max(1, before * (event.deltaY < 0 ? 1.25 : 0.8))));
        }}
      >
        <div style={{ width: `${zoom * 100}%`, minWidth: "100%" }}>
          <div className="ticks" aria-hidden="true">
            <span className="lane-name" />
            <span className="lane">
              {ticks.map((time) => (
                <span key={time} style={{ left: at(time) }}>{time === 0 ? "0" : duration(time)}</span>
              ))}
            </span>
          </div>
          <div style={{ height: list.getTotalSize(), position: "relative" }}>
            {list.getVirtualItems().map(({ index, start }) => {
              const { invocation, bars } = rows[index]!;
              const phase = phaseAt(invocation, seq);
              const sign = phase ? PHASES[phase] : undefined;
              return (
                <div
                  key={invocation.id}
                  role="listitem"
                  className={`lane-row ${picked === invocation.id ? "picked" : ""} ${phase ? "" : "later"}`}
                  style={{ height: ROW, transform: `translateY(${start}px)` }}
                >
                  <button className="lane-name" onClick={() => pick(invocation.id)} aria-pressed={picked === invocation.id}>
                    <span className={phase} aria-hidden="true">{sign?.sign ?? "·"}</span> {invocation.step}
                    <span className="soft"> #{invocation.id}</span>
                    <span className="sr">{sign?.text ?? "not yet"}</span>
                  </button>
                  <span className="lane">
                    {bars.map((bar, place) => (
                      <i
                        key={place}
                        className={`bar-of ${bar.phase} ${bar.seq > seq ? "later" : ""}`}
                        style={{ left: at(bar.from), width: `max(2px, ${((bar.until - bar.from) / length) * 100}%)` }}
                        title={`${PHASES[bar.phase].text}, attempt ${bar.attempt + 1}: ${duration(bar.until - bar.from)}`}
                      />
                    ))}
                  </span>
                </div>
              );
            })}
          </div>
        </div>
      </div>
    </div>
  );
}
