// What happened, in order: when, in which step, what, and with what.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import { brief, written } from "../../model/json";
import type { Line, Told } from "../../model/journal";
import { clock, micros, since } from "../../model/time";
import { Copy } from "../common";
import { JsonView } from "../JsonView";

interface Props {
  lines: Line[];
  /** The entry that is looked at; none: the newest. */
  at?: number;
  live: boolean;
  search: string;
  find: (search: string) => void;
  look: (seq: number | undefined) => void;
  step: (invocation: number) => void;
  /** None: nothing is forked here. */
  fork?: (seq: number) => void;
}

export function JournalTab({ lines, at, live, search, find, look, step, fork }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const begin = lines[0] ? micros(lines[0].moment.at) : 0;
  const shown = useMemo(() => {
    const word = search.toLowerCase();
    return word ? lines.filter((it) => said(it).toLowerCase().includes(word)) : lines;
  }, [lines, search]);
  const list = useVirtualizer({ count: shown.length, getScrollElement: () => box.current, estimateSize: () => 30, overscan: 20 });
  const atEnd = useRef(true);
  useEffect(() => {
    if (live && at === undefined && atEnd.current && shown.length > 0) list.scrollToIndex(shown.length - 1);
  }, [shown.length, live, at, list]);
  const place = at === undefined ? -1 : shown.findIndex((it) => it.moment.seq === at);
  useEffect(() => {
    if (place >= 0) list.scrollToIndex(place, { align: "auto" });
  }, [place, list]);
  return (
    <div className="log">
      <div className="tools">
        <input type="search" aria-label="Search the journal" placeholder="Search" value={search} onChange={(event) => find(event.target.value)} />
        <span className="grow" />
        <span className="soft">{shown.length === lines.length ? `${lines.length} entries` : `${shown.length} of ${lines.length} entries`}</span>
        <Copy text={() => shown.map((it) => `${it.moment.at} ${said(it)}`).join("\n")} />
      </div>
      {shown.length === 0 && <p className="soft pad">{search ? "None fits." : "Nothing has happened yet."}</p>}
      <div className="scroll" ref={box} tabIndex={0} role="list" aria-label="Journal" onScroll={({ currentTarget: it }) => (atEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < 40)}>
        <div style={{ height: list.getTotalSize(), position: "relative" }}>
          {list.getVirtualItems().map(({ index, start, key }) => {
            const line = shown[index]!;
            const { seq } = line.moment;
            const open = at === seq;
            return (
              <div key={key} data-index={index} ref={list.measureElement} role="listitem" className={`event entry ${open ? "picked" : ""} ${at !== undefined && seq > at ? "later" : ""}`} style={{ transform: `translateY(${start}px)` }}>
                <button aria-expanded={open} onClick={() => look(open ? undefined : seq)}>
                  <span className="time" title={clock(line.moment.at)}>{since(micros(line.moment.at) - begin)}</span>
                  <span className="who" title={line.invocation && `${line.invocation.step} #${line.invocation.id}`}><span>{line.invocation?.step ?? "run"}</span>{line.invocation && <span className="soft"> #{line.invocation.id}</span>}</span>
                  <span className={`what ${line.tone}`}>{line.what}</span>
                  <Brief line={line} />
                </button>
                {open && (
                  <div className="inside">
                    {line.note && <pre>{line.note}</pre>}
                    {line.events.map((event, place) => <Payload key={place} event={event} />)}
                    <div className="tools">
                      <span className="soft">entry {seq}, {clock(line.moment.at)}</span>
                      <span className="grow" />
                      {line.invocation && <button className="quiet small" onClick={() => step(line.invocation!.id)}>Show the step</button>}
                      {fork && <button className="quiet small" onClick={() => fork(seq)}>Fork from here</button>}
                    </div>
                  </div>
                )}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function Brief({ line }: { line: Line }) {
  const [first, ...rest] = line.events;
  if (!first && !line.note) return null;
  return (
    <span className="payload">
      {first && <span className="type">{first.type}{rest.length > 0 && ` + ${rest.length}`}</span>}
      <span className="brief">{line.note ?? (first ? text(first) : "")}</span>
    </span>
  );
}

function Payload({ event }: { event: Told }) {
  return (
    <div className="told">
      <code className="type">{event.type}</code>
      {event.known ? <JsonView value={event.value} label={`Event ${event.type}`} /> : <p className="soft">Its fields are not kept where the page can read them.</p>}
    </div>
  );
}

/** Of long values the beginning: only so much of it is seen. */
const text = ({ known, value }: Told): string => (!known ? "" : value !== null && typeof value === "object" ? brief(value).slice(0, 300) : written(value).slice(0, 300));

function said(line: Line): string {
  return [line.invocation?.step ?? "run", line.what, line.note, ...line.events.map((it) => `${it.type} ${it.known ? (it.value !== null && typeof it.value === "object" ? brief(it.value) : written(it.value)) : ""}`)].filter(Boolean).join(" ");
}
