// How a run has ended, and why.

import { useState } from "react";
import type { History, Json, Run } from "../../api";
import { brief, pretty, written } from "../../model/json";
import { culprit, plainly } from "../../model/run";
import { Copy, fieldsOf } from "../common";
import { JsonView } from "../JsonView";
import { Trace, Where } from "./Where";

interface Props {
  run: Run;
  history: History;
  show: (invocation: number) => void;
  /** Forks it from where a step began; none: nothing is forked here. */
  again?: (invocation: number) => void;
}

/** So much of what a step was given stands in one line. */
const BRIEF_MAX = 300;

/** Whether more than a few lines of it would be cut off. */
function isLong(value: unknown): boolean {
  const text = written(value);
  return text.length > 120 || pretty(text).split("\n").length > 4;
}

export function Outcome({ run, history, show, again }: Props) {
  const [whole, setWhole] = useState(false);
  if (run.result_unreadable) return <section className="outcome bad" aria-label="Result"><strong>✗ There is a result, but it cannot be read</strong></section>;
  if (run.status === "completed") {
    const result = run.result as { type?: string; value?: Json } | null;
    const value = result?.type === "StopEvent" ? (result.value?.result ?? null) : result?.value;
    return (
      <section className={whole ? "outcome good whole" : "outcome good"} aria-label="Result">
        <strong>✓ {result?.type === "StopEvent" ? "Result" : result?.type}</strong>
        <JsonView value={value} label="Result" />
        <span className="tools">
          {isLong(value) && <button className="quiet small" aria-expanded={whole} onClick={() => setWhole(!whole)}>{whole ? "Less" : "More"}</button>}
          <Copy text={() => pretty(written(value))} />
        </span>
      </section>
    );
  }
  if (run.status === "cancelled") return <section className="outcome" aria-label="Outcome"><strong className="soft">⊘ Cancelled</strong></section>;
  if (run.status !== "failed") return null;
  const failing = culprit(history);
  const failure = failing?.failures.at(-1);
  const trace = failure?.trace;
  return (
    <section className="outcome bad" aria-label="Why it failed">
      <div className="row">
        <strong>✗ {failure ? plainly(failure.kind) : "Failed"}{failing && <> in step <button className="link" onClick={() => show(failing.id)}>{failing.step}</button></>}</strong>
        <Where trace={trace} />
        {failure && <span className="soft">attempt {failure.attempt + 1}{failure.retryable ? "" : ", not to be tried again"}</span>}
        <span className="grow" />
        {failing && again && <button className="primary" onClick={() => again(failing.id)}>Try again from this step</button>}
      </div>
      <pre>{run.error}</pre>
      {failing && (
        <details>
          <summary>What the step was given: <code className="soft">{failing.events.map((it) => `${it.type} ${brief(it.value ?? {}).slice(0, BRIEF_MAX)}`).join(", ")}</code></summary>
          {failing.events.map((event, at) => (
            <div key={at}><code>{event.type}</code> <JsonView value={fieldsOf(event)} label={`Input ${event.type}`} /></div>
          ))}
        </details>
      )}
      <Trace trace={trace} />
    </section>
  );
}
