// A JSON value as a tree, as it was written; of a large one only what is seen is drawn.

import { useVirtualizer } from "@tanstack/react-virtual";
import { useMemo, useRef, useState } from "react";
import { Exact, written } from "../model/json";
import { leaf, rows, summary, tree, type Row, type Tree } from "../model/tree";

/** More lines than this are drawn only as they are seen. */
const PLAIN_MAX = 300;
/** More of a text than this is shown when it is asked for. */
const TEXT_MAX = 2000;
const LINE = 20;

/** `open`: how deep it is open at first. */
export function JsonView({ value, label, open = 2 }: { value: unknown; label: string; open?: number }) {
  const text = useMemo(() => written(value), [value]);
  const whole = useMemo(() => tree(text), [text]);
  if (!whole || value === null || typeof value !== "object" || value instanceof Exact) {
    return <pre className="value" tabIndex={0} aria-label={label}><Text text={typeof value === "string" ? value : text} /></pre>;
  }
  return <Lines whole={whole} label={label} open={open} />;
}

function Lines({ whole, label, open }: { whole: Tree; label: string; open: number }) {
  const [changed, setChanged] = useState<ReadonlySet<string>>(new Set());
  const all = useMemo(() => rows(whole, open, changed), [whole, open, changed]);
  const box = useRef<HTMLDivElement>(null);
  const many = all.length > PLAIN_MAX;
  const list = useVirtualizer({ count: many ? all.length : 0, getScrollElement: () => box.current, estimateSize: () => LINE, overscan: 20 });
  const turn = (path: string) =>
    setChanged((before) => {
      const after = new Set(before);
      if (!after.delete(path)) after.add(path);
      return after;
    });
  return (
    <div className={many ? "json many" : "json"} role="group" aria-label={label} tabIndex={0} ref={box}>
      {!many && all.map((row) => <Line key={row.path} whole={whole} row={row} turn={turn} />)}
      {many && (
        <div style={{ height: list.getTotalSize(), position: "relative" }}>
          {list.getVirtualItems().map(({ index, start }) => (
            <div key={all[index]!.path} ref={list.measureElement} data-index={index} className="drawn" style={{ transform: `translateY(${start}px)` }}>
              <Line whole={whole} row={all[index]!} turn={turn} />
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

function Line({ whole, row, turn }: { whole: Tree; row: Row; turn: (path: string) => void }) {
  const style = { paddingLeft: row.depth * 16 };
  const name = row.name === undefined ? null : <><span className="key">{row.name}</span>: </>;
  if (row.close) return <div className="leaf soft" style={style}>{row.node.type === "array" ? "]" : "}"}</div>;
  if (row.open === undefined) return <div className="leaf" style={style}>{name}<span className={`is-${row.node.type}`}><Text text={leaf(whole, row)} /></span></div>;
  return (
    <button className="fold" style={style} aria-expanded={row.open} onClick={() => turn(row.path)}>
      <span aria-hidden="true">{row.open ? "▾" : "▸"}</span>{name}
      <span className="soft">{row.open ? (row.node.type === "array" ? "[" : "{") : summary(row)}</span>
    </button>
  );
}

function Text({ text }: { text: string }) {
  const [all, setAll] = useState(false);
  if (all || text.length <= TEXT_MAX) return text;
  return <>{text.slice(0, TEXT_MAX)} <button className="link" onClick={() => setAll(true)}>… {text.length - TEXT_MAX} more letters</button></>;
}
