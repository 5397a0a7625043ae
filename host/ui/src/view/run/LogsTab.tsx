// What the steps of a run have written.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import type { History, Json } from "../../api";
import { brief } from "../../model/json";
import { filtered, LEVELS, until, type Wanted } from "../../model/logs";
import { clock } from "../../model/time";
import { Copy, Problem } from "../common";
import type { Logs } from "./useLogs";

interface Props {
  logs: Logs;
  history: History;
  /** The moment that is looked at, in microseconds since 1970; none: the newest. */
  at?: number;
  live: boolean;
  pick: (invocation: number) => void;
}

export function LogsTab({ logs, history, at, live, pick }: Props) {
  const [wanted, want] = useState<Wanted>({ search: "", level: "trace", step: "" });
  // Of many lines: what is typed is seen at once, what it finds soon.
  const looked = useDeferredValue(wanted);
  const box = useRef<HTMLUListElement>(null);
  const steps = useMemo(() => new Map(history.invocations.map((it) => [it.id, it.step])), [history]);
  const lines = useMemo(() => (at === undefined ? logs.lines : until(logs.lines, at)), [logs.lines, at]);
  const shown = useMemo(() => filtered(lines, looked, steps), [lines, looked, steps]);
  const list = useVirtualizer({ count: shown.length, getScrollElement: () => box.current, estimateSize: () => 22, overscan: 20 });
  // Stays at the end while new ones come, unless somebody has scrolled up.
  const atEnd = useRef(true);
  useEffect(() => {
    if (live && at === undefined && atEnd.current && shown.length > 0) list.scrollToIndex(shown.length - 1);
  }, [shown.length, live, at, list]);
  const of = (invocation: number): string => `${steps.get(invocation) ?? ""} #${invocation}`;
  return (
    <div className="log">
      <div className="tools">
        <input type="search" aria-label="Search the logs" placeholder="Search" value={wanted.search} onChange={(event) => want({ ...wanted, search: event.target.value })} />
        <select aria-label="Level" value={wanted.level} onChange={(event) => want({ ...wanted, level: event.target.value })}>
          {LEVELS.map((it) => <option key={it} value={it}>{it === "trace" ? "every level" : it === "error" ? "error" : `${it} and above`}</option>)}
        </select>
        <select aria-label="Step" value={wanted.step} onChange={(event) => want({ ...wanted, step: event.target.value })}>
          <option value="">every step</option>
          {[...new Set(steps.values())].map((it) => <option key={it}>{it}</option>)}
        </select>
        <span className="grow" />
        <span className="soft" role="status">{shown.length} of {lines.length}{logs.reading && " so far …"}</span>
        <Copy text={() => shown.map(({ line: it }) => `${it.at} ${it.level} ${of(it.invocation)} ${it.message}`).join("\n")} />
      </div>
      {logs.problem != null && <Problem error={logs.problem} title="The log cannot be read" />}
      {shown.length === 0 && !logs.reading && logs.problem == null && <p className="soft pad">{lines.length === 0 ? "Its steps have written nothing." : "None fits."}</p>}
      <ul className="lines scroll" tabIndex={0} aria-label="Log" ref={box} onScroll={({ currentTarget: it }) => (atEnd.current = it.scrollHeight - it.scrollTop - it.clientHeight < 40)}>
        <li aria-hidden="true" style={{ height: list.getTotalSize() }} />
        {list.getVirtualItems().map(({ index, start }) => {
          const it = shown[index]!.line;
          return (
            <li key={`${it.invocation}.${it.attempt}.${it.source}.${it.number}`} data-index={index} ref={list.measureElement} className={`drawn ${it.level}`} style={{ transform: `translateY(${start}px)` }}>
              <span className="soft" title={it.at}>{clock(it.at)}</span> <span className="level">{it.level}</span>{" "}
              <button className="link" onClick={() => pick(it.invocation)}>{of(it.invocation)}</button> <span>{it.message}</span>
              {Object.keys(it.fields as Json).length > 0 && it.source === "log" && <code className="soft"> {brief(it.fields as Json)}</code>}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
