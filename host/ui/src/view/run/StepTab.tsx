// One time that a step ran: what it was given, what it did, and what came of it.

import { useMemo } from "react";
import type { History } from "../../api";
import type { Output } from "../../model/journal";
import type { Line } from "../../model/logs";
import { cutOff, forksOf, phaseAt, plainly, type Phase } from "../../model/run";
import { duration, micros } from "../../model/time";
import { fieldsOf, PHASES } from "../common";
import { JsonView } from "../JsonView";
import { Trace, Where } from "./Where";

interface Props {
  history: History;
  chosen?: History["invocations"][number];
  /** What it sent and returned. */
  outputs: Output[];
  seq: number;
  /** What the steps have written. */
  lines: readonly Line[];
  pick: (invocation: number) => void;
  /** None: nothing is forked here. */
  fork?: (seq: number) => void;
  /** Shows all that was written. */
  show: () => void;
}

/** So many of its lines stand with a step. */
const LINES_MAX = 200;

export function StepTab({ history, chosen, outputs, seq, lines, pick, fork, show }: Props) {
  const own = useMemo(() => lines.filter(({ line }) => line.invocation === chosen?.id && line.source !== "failure"), [lines, chosen?.id]);
  if (!chosen) return <p className="soft pad">Choose a step in the graph or a line of the timeline: what it was given, what it did, and what came of it.</p>;
  const phase = phaseAt(chosen, seq);
  const forks = forksOf(history);
  const same = history.invocations.filter((it) => it.step === chosen.step);
  const place = same.indexOf(chosen);
  const done = outputs.filter((it) => it.seq <= seq);
  return (
    <div className="pad step-tab scroll" tabIndex={0}>
      <div className="row">
        <h2>{chosen.step} <span className="soft">#{chosen.id}</span></h2>
        {same.length > 1 && (
          <span className="actions">
            <button className="quiet small" disabled={place === 0} aria-label="The one before" onClick={() => pick(same[place - 1]!.id)}>◀</button>
            <span className="soft">{place + 1} of {same.length}</span>
            <button className="quiet small" disabled={place === same.length - 1} aria-label="The next one" onClick={() => pick(same[place + 1]!.id)}>▶</button>
          </span>
        )}
        <span className="grow" />
        {fork && <button className="quiet small" onClick={() => fork(chosen.seq)}>Fork from here</button>}
      </div>
      {phase && <p className={`state-of ${phase}`}><span aria-hidden="true">{PHASES[phase].sign}</span> {PHASES[phase].text}</p>}
      {chosen.failures.map((failure) => (
        <div key={failure.attempt} className="problem">
          <strong>✗ attempt {failure.attempt + 1}: {plainly(failure.kind)}</strong> <Where trace={failure.trace} />
          <pre>{failure.message}</pre>
          <Trace trace={failure.trace} />
        </div>
      ))}
      <h3>Given</h3>
      {chosen.events.map((event, at) => (
        <div key={at}><code>{event.type}</code><JsonView value={fieldsOf(event)} label={`Input ${event.type}`} /></div>
      ))}
      <h3>What came of it</h3>
      {done.length === 0 && <p className="soft">{chosen.end && chosen.end.seq <= seq ? "Nothing." : "Nothing yet."}</p>}
      {done.map((event, at) => (
        <div key={at}>
          <code>{event.type}</code>
          {event.known ? <JsonView value={event.value} label={`Output ${event.type}`} /> : <p className="soft">Its fields are not kept where the page can read them.</p>}
        </div>
      ))}
      <h3>What it did</h3>
      <ol className="spans">
        {chosen.spans.map((span, at) => (
          <li key={at} className={span.seq > seq ? "later" : ""}>
            <span className={span.phase} aria-hidden="true">{PHASES[span.phase as Phase].sign}</span>{" "}
            {PHASES[span.phase as Phase].text}{span.wait && <>: <code>{span.wait.types.join(" or ")}</code></>}
            <span className="soft"> attempt {span.attempt + 1}{span.until && (cutOff(span, forks) ? ", begun anew in this fork" : `, ${duration(micros(span.until) - micros(span.from))}`)}</span>
          </li>
        ))}
        {chosen.end && <li className={chosen.end.seq > seq ? "later" : ""}><span className={chosen.end.outcome} aria-hidden="true">{PHASES[chosen.end.outcome as Phase].sign}</span> {chosen.end.outcome} {chosen.end.events.map((it, at) => <code key={at}>{it} </code>)}</li>}
      </ol>
      {own.length > 0 && <h3>Log</h3>}
      {own.length > LINES_MAX && <p className="soft">The last {LINES_MAX} of {own.length} lines. <button className="link" onClick={show}>All of them</button></p>}
      {own.length > 0 && <pre tabIndex={0}>{own.slice(-LINES_MAX).map(({ line }) => line.message).join("\n")}</pre>}
    </div>
  );
}
