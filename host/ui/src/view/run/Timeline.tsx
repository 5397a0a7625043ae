// Who worked, queued, slept, waited and tried again, and when; and the moment that is looked at, as a line through all of it.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent } from "react";
import type { History } from "../../api";
import { BARS_MAX, density, groups, lanes, placeAt, type Group } from "../../model/lanes";
import { culprit, leading, phaseAt, timeline, type Counts, type Phase, type Row } from "../../model/run";
import { duration, micros } from "../../model/time";
import { PHASES, useNow } from "../common";

interface Props {
  history: History;
  /** When the run ended, in microseconds since 1970; none: it goes on. */
  ended?: number;
  /** The entry that is looked at, and whether it is the newest. */
  seq: number;
  live: boolean;
  set: (seq: number | undefined) => void;
  picked?: number;
  pick: (invocation: number) => void;
}

const ROW = 26;
const PARTS = 240;
/** Of more entries a run is drawn anew less often. */
const MANY = 2000;

export function Timeline({ history, ended, seq, live, set, picked, pick }: Props) {
  const now = useNow(history.moments.length > MANY ? 3000 : 500, ended === undefined);
  const end = ended ?? now * 1000;
  const { rows, length } = useMemo(() => timeline(history, end), [history, end]);
  const failing = useMemo(() => culprit(history), [history]);
  const all = useMemo(() => groups(rows), [rows]);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const listed = useMemo(() => lanes(all, open), [all, open]);
  const [zoom, setZoom] = useState(1);
  const box = useRef<HTMLDivElement>(null);
  const list = useVirtualizer({ count: listed.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 10 });
  const begin = history.moments[0] ? micros(history.moments[0].at) : 0;
  const times = useMemo(() => history.moments.map((it) => micros(it.at) - begin), [history, begin]);
  const place = live ? history.moments.length - 1 : Math.max(0, history.moments.findIndex((it) => it.seq === seq));
  const at = (time: number) => `${Math.min(100, (time / length) * 100)}%`;
  const head = live && ended === undefined ? length : (times[place] ?? 0);
  const turn = (step: string) =>
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(step)) after.add(step);
      return after;
    });
  // What is chosen, or what failed, comes into view.
  const shown = picked ?? failing?.id;
  const lane = shown === undefined ? -1 : listed.findIndex((it) => (it.row ? it.row.invocation.id === shown : it.group.rows.some((row) => row.invocation.id === shown)));
  useEffect(() => {
    if (lane >= 0) list.scrollToIndex(lane, { align: "auto" });
  }, [shown, lane, list]);
  const wheel = (delta: number) => setZoom((before) => Math.min(512, Math.max(1, before * (delta < 0 ? 1.25 : 0.8))));
  return (
    <div className="timeline">
      <Scrubber history={history} place={place} live={live} set={set}>
        <button className="quiet small icon" aria-label="Zoom out" disabled={zoom <= 1} onClick={() => setZoom(Math.max(1, zoom / 2))}>−</button>
        <button className="quiet small icon" aria-label="Zoom in" onClick={() => setZoom(Math.min(512, zoom * 2))}>+</button>
      </Scrubber>
      <div className="lanes" ref={box} onWheel={(event) => event.ctrlKey && wheel(event.deltaY)}>
        <div className="wide-lanes" style={{ width: `${zoom * 100}%` }}>
          <Ruler history={history} times={times} length={length} place={place} head={at(head)} set={set} zoom={zoom} />
          <div className="listed" style={{ height: list.getTotalSize() }}>
            <span className="playhead" aria-hidden="true"><i style={{ left: at(head) }} /></span>
            <div role="list" aria-label="Timeline">
              {list.getVirtualItems().map(({ index, start }) => {
                const { group, row } = listed[index]!;
                const style = { height: ROW, transform: `translateY(${start}px)` };
                return row ? (
                  <One key={row.invocation.id} row={row} alone={group.rows.length === 1} seq={seq} length={length} picked={picked === row.invocation.id} pick={pick} style={style} />
                ) : (
                  <Many key={group.step} group={group} open={open.has(group.step)} seq={seq} length={length} picked={group.rows.some((it) => it.invocation.id === picked)} turn={() => turn(group.step)} pick={pick} style={style} />
                );
              })}
            </div>
          </div>
        </div>
      </div>
    </div>
  );
}

type Style = { height: number; transform: string };

function One({ row, alone, seq, length, picked, pick, style }: { row: Row; alone: boolean; seq: number; length: number; picked: boolean; pick: (id: number) => void; style: Style }) {
  const { invocation } = row;
  const phase = phaseAt(invocation, seq);
  const sign = phase ? PHASES[phase] : undefined;
  return (
    <div role="listitem" className={`lane-row ${picked ? "picked" : ""} ${phase ? "" : "later"}`} style={style}>
      <button className={alone ? "lane-name" : "lane-name inner"} onClick={() => pick(invocation.id)} aria-pressed={picked}>
        <span className={phase} aria-hidden="true">{sign?.sign ?? "·"}</span> {alone && invocation.step}
        <span className="soft"> #{invocation.id}</span>
        <span className="sr">{alone ? "" : invocation.step} {sign?.text ?? "not yet"}</span>
      </button>
      <span className="lane"><Bars row={row} seq={seq} length={length} /></span>
    </div>
  );
}

function Many({ group, open, seq, length, picked, turn, pick, style }: { group: Group; open: boolean; seq: number; length: number; picked: boolean; turn: () => void; pick: (id: number) => void; style: Style }) {
  const counts: Counts = {};
  for (const { invocation } of group.rows) {
    const phase = phaseAt(invocation, seq);
    if (phase) counts[phase] = (counts[phase] ?? 0) + 1;
  }
  const phase = leading(counts);
  return (
    <div role="listitem" className={`lane-row ${picked ? "picked" : ""} ${phase ? "" : "later"}`} style={style}>
      <button className="lane-name" onClick={turn} aria-expanded={open}>
        <span className={phase} aria-hidden="true">{phase ? PHASES[phase].sign : "·"}</span> {group.step}
        <span className="soft"> ×{group.rows.length} {open ? "▾" : "▸"}</span>
        <span className="sr">{(Object.entries(counts) as [Phase, number][]).map(([name, count]) => `${count} ${PHASES[name].text}`).join(", ")}</span>
      </button>
      <span className="lane">
        {group.rows.length > BARS_MAX ? <Dense group={group} length={length} /> : group.rows.map((row) => <span key={row.invocation.id} onClick={() => pick(row.invocation.id)}><Bars row={row} seq={seq} length={length} /></span>)}
      </span>
    </div>
  );
}

function Bars({ row, seq, length }: { row: Row; seq: number; length: number }) {
  return row.bars.map((bar, place) => (
    <i
      key={place}
      className={`bar-of ${bar.phase} ${bar.seq > seq ? "later" : ""}`}
      style={{ left: `${(bar.from / length) * 100}%`, width: `max(2px, ${((bar.until - bar.from) / length) * 100}%)` }}
      title={`${row.invocation.step} #${row.invocation.id} ${PHASES[bar.phase].text}, attempt ${bar.attempt + 1}: ${duration(bar.until - bar.from)}`}
    />
  ));
}

function Dense({ group, length }: { group: Group; length: number }) {
  const { busy, failed } = useMemo(() => density(group, length, PARTS), [group, length]);
  const most = Math.max(1, ...busy);
  const area = busy.map((it, at) => `L${at} ${20 - (it > 0 ? Math.max(2, (it / most) * 18) : 0)}h1`).join("");
  return (
    <svg className="dense" viewBox={`0 0 ${PARTS} 20`} preserveAspectRatio="none" aria-hidden="true">
      <title>{`up to ${Math.round(most)} at once`}</title>
      <path className="executing" d={`M0 20${area}L${PARTS} 20z`} />
      {failed.map((it, at) => it && <rect key={at} className="failed" x={at} y={0} width={1.5} height={20} />)}
    </svg>
  );
}

interface RulerProps {
  history: History;
  times: number[];
  length: number;
  place: number;
  head: string;
  set: (seq: number | undefined) => void;
  zoom: number;
}

/** The times, which stay in view; and the slider that is the line's upper end. */
function Ruler({ history, times, length, place, head, set, zoom }: RulerProps) {
  const count = Math.min(64, 4 * Math.ceil(zoom));
  const ticks = Array.from({ length: count + 1 }, (_, index) => (length * index) / count);
  const { moments } = history;
  const moment = moments[place];
  const step = history.invocations.find((it) => it.id === moment?.invocation)?.step;
  const move = (to: number) => set(moments[Math.min(Math.max(to, 0), moments.length - 1)]?.seq);
  const pressed = (event: KeyboardEvent) => {
    const page = Math.max(1, Math.round(moments.length / 20));
    const to = { ArrowLeft: place - 1, ArrowDown: place - 1, ArrowRight: place + 1, ArrowUp: place + 1, PageDown: place - page, PageUp: place + page, Home: 0, End: moments.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    move(to);
  };
  const pointed = (event: PointerEvent) => {
    const box = event.currentTarget.getBoundingClientRect();
    move(placeAt(times, ((event.clientX - box.left) / box.width) * length));
  };
  return (
    <div className="ticks">
      <span className="lane-name">time</span>
      <span
        className="lane"
        role="slider"
        tabIndex={0}
        aria-label="Moment of the run"
        aria-valuemin={1}
        aria-valuemax={moments.length}
        aria-valuenow={place + 1}
        aria-valuetext={moment ? `${place + 1} of ${moments.length}: ${moment.kind} ${step ?? moment.event ?? ""}` : ""}
        onKeyDown={pressed}
        onPointerDown={(event) => (event.currentTarget.setPointerCapture(event.pointerId), pointed(event))}
        onPointerMove={(event) => event.currentTarget.hasPointerCapture(event.pointerId) && pointed(event)}
      >
        {ticks.map((time, at) => (
          <span key={at} style={{ left: `${(time / length) * 100}%` }}>{time === 0 ? "0" : duration(time)}</span>
        ))}
        <b style={{ left: head }} aria-hidden="true" />
      </span>
    </div>
  );
}

function Scrubber({ history, place, live, set, children }: { history: History; place: number; live: boolean; set: (seq: number | undefined) => void; children: React.ReactNode }) {
  const { moments } = history;
  const moment = moments[place];
  const step = history.invocations.find((it) => it.id === moment?.invocation)?.step;
  const begin = moments[0] ? micros(moments[0].at) : 0;
  const move = (to: number) => set(moments[to]?.seq);
  return (
    <div className="tools" role="group" aria-label="Moment">
      <button className="quiet small icon" aria-label="Earlier" disabled={place === 0} onClick={() => move(place - 1)}>◀</button>
      <button className="quiet small icon" aria-label="Later" disabled={place >= moments.length - 1} onClick={() => move(place + 1)}>▶</button>
      <button className={live ? "chip small on" : "chip small"} aria-pressed={live} onClick={() => set(live ? moments[place]?.seq : undefined)}>{live ? "● newest" : "Go to newest"}</button>
      <span className="moment">
        <code>{place + 1}/{moments.length}</code> {moment?.kind.replaceAll("-", " ")} {step ?? moment?.event ?? ""}
        <span className="soft"> +{duration(moment ? micros(moment.at) - begin : 0)}</span>
      </span>
      <span className="grow" />
      <span className="legend" aria-hidden="true">
        {(["queued", "executing", "sleeping", "waiting", "blocked", "retrying", "failed"] as const).map((phase) => (
          <span key={phase} className={phase}><i /> {SHORT[phase]}</span>
        ))}
      </span>
      {children}
    </div>
  );
}

const SHORT = { queued: "queued", executing: "running", sleeping: "sleeping", waiting: "waiting", blocked: "its turn", retrying: "retrying", failed: "failed" };
