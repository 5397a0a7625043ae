// What the steps of a run have written.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import type { History, Json, LogLine } from "../../api";
import { brief } from "../../model/json";
import { clock, micros } from "../../model/time";
import { Copy } from "../common";

const LEVELS = ["trace", "debug", "info", "warn", "error"];

interface Props {
  lines: LogLine[];
  history: History;
  pick: (invocation: number) => void;
}

export function LogsTab({ lines, history, pick }: Props) {
  const [search, setSearch] = useState("");
  const [level, setLevel] = useState("trace");
  const [step, setStep] = useState("");
  const box = useRef<HTMLUListElement>(null);
  const steps = useMemo(() => new Map(history.invocations.map((it) => [it.id, it.step])), [history]);
  const ordered = useMemo(() => [...lines].sort((one, other) => micros(one.at) - micros(other.at)), [lines]);
  const shown = useMemo(() => {
    const [word, least] = [search.toLowerCase(), LEVELS.indexOf(level)];
    return ordered.filter(
      (it) =>
        LEVELS.indexOf(it.level) >= least &&
        (!step || steps.get(it.invocation) === step) &&
        (!word || `${it.message} ${it.level} ${it.source} ${steps.get(it.invocation)} ${brief(it.fields as Json)}`.toLowerCase().includes(word)),
    );
  }, [ordered, search, level, step, steps]);
  const list = useVirtualizer({ count: shown.length, getScrollElement: () => box.current, estimateSize: () => 22, overscan: 20 });
  return (
    <div className="log">
      <div className="tools">
        <input type="search" aria-label="Search the logs" placeholder="Search" value={search} onChange={(event) => setSearch(event.target.value)} />
        <select aria-label="Level" value={level} onChange={(event) => setLevel(event.target.value)}>
          {LEVELS.map((it) => <option key={it} value={it}>{it === "trace" ? "every level" : it === "error" ? "error" : `${it} and above`}</option>)}
        </select>
        <select aria-label="Step" value={step} onChange={(event) => setStep(event.target.value)}>
          <option value="">every step</option>
          {[...new Set(lines.map((it) => steps.get(it.invocation)))].map((it) => it && <option key={it}>{it}</option>)}
        </select>
        <span className="grow" />
        <span className="soft">{shown.length} of {lines.length}</span>
        <Copy text={() => shown.map((it) => `${it.at} ${it.level} ${steps.get(it.invocation) ?? ""}#${it.invocation} ${it.message}`).join("\n")} />
      </div>
      {shown.length === 0 && <p className="soft pad">{lines.length === 0 ? "Its steps have written nothing." : "None fits."}</p>}
      <ul className="lines scroll" tabIndex={0} aria-label="Log" ref={box}>
        <li aria-hidden="true" style={{ height: list.getTotalSize() }} />
        {list.getVirtualItems().map(({ index, start }) => {
          const it = shown[index]!;
          return (
            <li key={`${it.invocation}.${it.attempt}.${it.source}.${it.number}`} data-index={index} ref={list.measureElement} className={`drawn ${it.level}`} style={{ transform: `translateY(${start}px)` }}>
              <span className="soft">{clock(it.at)}</span> <span className="level">{it.level}</span>{" "}
              <button className="link" onClick={() => pick(it.invocation)}>{steps.get(it.invocation) ?? ""} #{it.invocation}</button> <span>{it.message}</span>
              {Object.keys(it.fields as Json).length > 0 && it.source === "log" && <code className="soft"> {brief(it.fields as Json)}</code>}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
