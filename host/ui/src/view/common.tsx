// Small pieces that several views share.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useState, type ReactNode } from "react";
import { api } from "../api";
import type { Phase } from "../model/run";
import { age, duration, micros } from "../model/time";

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

const STATUS: Record<string, string> = { queued: "◌", running: "▶", waiting: "◷", paused: "‖", completed: "✓", failed: "✗", cancelled: "⊘" };

/** `queued`: it has not begun, because as many runs of its workflow go on as may. */
export function Status({ status, queued }: { status: string; queued?: boolean }) {
  const name = queued ? "queued" : status;
  return (
    <span className={`status ${name}`}>
      <span aria-hidden="true">{STATUS[name] ?? "?"}</span> {name}
    </span>
  );
}

/** Who asks, and what the server is open to; it stays as it is. */
export const useSession = () => useQuery({ queryKey: ["session"], queryFn: api.session, staleTime: Infinity }).data;

/** An event's fields, or why they are not there. */
export const fieldsOf = (event: { value?: unknown; size: number }): unknown => event.value ?? `${event.size} bytes, too large to be shown here`;

/** Why a run cannot be run again. */
export const TOO_LARGE = "What it began with is not known here: it is too large to be shown, or cannot be read";

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

/** How long ago something was; it alone is drawn anew as time goes on. */
export function Ago({ at }: { at: string }) {
  return age(at, useNow(1000));
}

/** How long something took, or takes until now; in microseconds since 1970. */
export function Lasting({ from, until }: { from: number; until?: number }) {
  const now = useNow(250, until === undefined);
  return duration(Math.max(0, (until ?? now * 1000) - from));
}

/** How long there is until a time. */
export function Left({ until }: { until: string }) {
  return duration(Math.max(0, micros(until) - useNow(1000) * 1000));
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
