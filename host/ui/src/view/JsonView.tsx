// A JSON value as a tree, as it was written.

import { parseTree, type Node } from "jsonc-parser";
import { useMemo, useState, type ReactNode } from "react";
import { Exact, members, slice, written } from "../model/json";

/** So many items of a list are drawn at first, and with each click. */
const SOME = 200;

/** `open`: how deep it is open at first. */
export function JsonView({ value, label, open = 2 }: { value: unknown; label: string; open?: number }) {
  const text = useMemo(() => written(value), [value]);
  const root = useMemo(() => parseTree(text), [text]);
  if (!root || value === null || typeof value !== "object" || value instanceof Exact) {
    return <pre className="value" tabIndex={0} aria-label={label}>{typeof value === "string" ? value : text}</pre>;
  }
  return (
    <div className="json" role="group" aria-label={label} tabIndex={0}>
      <Value text={text} node={root} open={open} />
    </div>
  );
}

function Value({ text, node, name, open }: { text: string; node: Node; name?: ReactNode; open: number }) {
  const [shown, show] = useState(open > 0);
  const [most, setMost] = useState(SOME);
  const named = name === undefined ? null : <><span className="key">{name}</span>: </>;
  if (node.type !== "object" && node.type !== "array") {
    return <div className="leaf">{named}<span className={`is-${node.type}`}>{node.type === "string" ? `"${node.value as string}"` : slice(text, node)}</span></div>;
  }
  const list = node.type === "array";
  const items: [ReactNode, Node][] = list ? (node.children ?? []).map((it, at) => [at, it]) : members(node).map(([key, it]) => [key.value as string, it]);
  const [before, after] = list ? "[]" : "{}";
  if (items.length === 0) return <div className="leaf">{named}<span className="soft">{before}{after}</span></div>;
  return (
    <div>
      <button className="fold" aria-expanded={shown} onClick={() => show(!shown)}>
        <span aria-hidden="true">{shown ? "▾" : "▸"}</span>{named}
        <span className="soft">{shown ? before : `${before} … ${after} ${items.length} ${list ? "item" : "key"}${items.length === 1 ? "" : "s"}`}</span>
      </button>
      {shown && (
        <>
          <div className="inside">
            {items.slice(0, most).map(([key, it], at) => <Value key={at} text={text} node={it} name={key} open={open - 1} />)}
            {items.length > most && <button className="link" onClick={() => setMost(most + SOME)}>{items.length - most} more</button>}
          </div>
          <div className="leaf soft">{after}</div>
        </>
      )}
    </div>
  );
}
