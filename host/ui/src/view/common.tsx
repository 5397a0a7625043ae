// Small pieces that several views share.

import { JsonEditor } from "json-edit-react";
import { useEffect, useState, type ReactNode } from "react";
import type { Phase } from "../model/run";

export const PHASES: Record<Phase, { sign: string; text: string }> = {
  queued: { sign: "◌", text: "waiting for a slot" },
  executing: { sign: "▶", text: "running" },
  sleeping: { sign: "☾", text: "sleeping" },
  waiting: { sign: "◷", text: "waiting for an event" },
  blocked: { sign: "◷", text: "waiting for its turn at an exclusive edit" },
  retrying: { sign: "↻", text: "retrying" },
  returned: { sign: "✓", text: "done" },
  failed: { sign: "✗", text: "failed" },
  dropped: { sign: "⊘", text: "stopped" },
};

const STATUS: Record<string, string> = { running: "▶", completed: "✓", failed: "✗", cancelled: "⊘" };

export function Status({ status }: { status: string }) {
  return (
    <span className={`status ${status}`}>
      <span aria-hidden="true">{STATUS[status] ?? "?"}</span> {status}
    </span>
  );
}

export function JsonView({ value, label, open = 2 }: { value: unknown; label: string; open?: number }) {
  if (value === null || typeof value !== "object") {
    return <pre className="value" tabIndex={0} aria-label={label}>{typeof value === "string" ? value : JSON.stringify(value)}</pre>;
  }
  return (
    <div className="json" role="group" aria-label={label} tabIndex={0}>
      <JsonEditor
        data={value as object}
        viewOnly
        rootName=""
        collapse={open}
        showCollectionCount="when-closed"
        rootFontSize={13}
        indent={2}
        theme={JSON_THEME}
      />
    </div>
  );
}

export const JSON_THEME = {
  styles: {
    container: { backgroundColor: "transparent", fontFamily: "var(--mono)", padding: 0, margin: 0 },
    property: "var(--ink)",
    bracket: { color: "var(--soft)", fontWeight: "normal" },
    itemCount: { color: "var(--soft)", fontStyle: "normal" },
    string: "var(--string)",
    number: "var(--number)",
    boolean: "var(--number)",
    null: { color: "var(--soft)", fontVariant: "normal", fontWeight: "normal" },
    iconCollection: "var(--soft)",
    iconCopy: "var(--soft)",
    iconEdit: "var(--accent)",
    iconDelete: "var(--bad)",
    iconAdd: "var(--accent)",
    iconOk: "var(--good)",
    iconCancel: "var(--bad)",
  },
} as const;

export function Problem({ error, title = "That did not work" }: { error: unknown; title?: string }) {
  return (
    <div className="problem" role="alert">
      <strong>✗ {title}</strong>
      <pre>{error instanceof Error ? error.message : String(error)}</pre>
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <section className="empty">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** The time, again and again while somebody looks. */
export function useNow(every: number, active = true): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!active) return;
    const timer = window.setInterval(() => setNow(Date.now()), every);
    return () => window.clearInterval(timer);
  }, [every, active]);
  return now;
}

export function Copy({ text }: { text: () => string }) {
  const [said, setSaid] = useState("Copy");
  const say = (words: string) => {
    setSaid(words);
    window.setTimeout(() => setSaid("Copy"), 1500);
  };
  const copy = () => {
    // Browsers have a clipboard for safe origins alone: https, and this machine.
    if (!navigator.clipboard) return say("Not on http");
    navigator.clipboard.writeText(text()).then(() => say("Copied"), () => say("Not allowed"));
  };
  return (
    <button className="quiet small" onClick={copy}>
      {said}
    </button>
  );
}
