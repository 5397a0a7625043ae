// Two runs beside each other, and where they part.

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, type Frame, type Json } from "../api";
import { align, executing, fields, type Field } from "../model/compare";
import { brief, written } from "../model/json";
import { internal } from "../model/journal";
import { href } from "../model/route";
import { goesOn } from "../model/status";
import { duration, micros } from "../model/time";
import { Problem, Status } from "./common";
import { useRunData } from "./run/useRunData";

export function ComparePage({ left, right }: { left: string; right: string }) {
  const [one, other] = [useCompared(left), useCompared(right)];
  const pairs = useMemo(() => align(one.frames, other.frames), [one.frames, other.frames]);
  const first = pairs.findIndex((it) => !it.same);
  const unread = [one, other].find((it) => it.stage === "missing" || it.stage === "broken");
  if (unread) return <Problem error={unread.problem} title="The runs cannot be compared" />;
  if (!one.run || !other.run || !one.history || !other.history) return <p className="soft">Loading …</p>;
  const end = (it: typeof one) => (it.run?.completed_at ? micros(it.run.completed_at) : Date.now() * 1000);
  const [times, otherTimes] = [executing(one.history, end(one)), executing(other.history, end(other))];
  const steps = [...new Set([...times.keys(), ...otherTimes.keys()])];
  const input = (it: typeof one) => it.history!.invocations[0]?.events[0]?.value ?? {};
  const outcome = (it: typeof one): Json => ({
    status: it.run!.status,
    ...(it.run!.error ? { error: it.run!.error } : {}),
    ...(it.run!.result ? { result: (it.run!.result as Json).value } : {}),
  });
  return (
    <>
      <h1>Compare</h1>
      <table className="pairs panel">
        <thead>
          <tr>
            <th scope="col"><span className="sr">What</span></th>
            {[one, other].map(({ run }, at) => (
              <th scope="col" key={at}><a href={href(["runs", run!.run_id])}>{run!.workflow_name} <code>{run!.run_id}</code></a> <Status status={run!.status} /></th>
            ))}
          </tr>
        </thead>
        <Part title="Input" all={fields(input(one), input(other))} />
        <Part title="Outcome" all={fields(outcome(one), outcome(other))} />
        <Part title="State" all={fields(one.state ?? {}, other.state ?? {})} />
      </table>
      <section className="panel pad" aria-labelledby="times">
        <h2 id="times">Executing time by step</h2>
        <p className="soft">Times always differ; they do not count as differences.</p>
        <table>
          <thead><tr><th scope="col">Step</th><th scope="col"><code>{left}</code></th><th scope="col"><code>{right}</code></th></tr></thead>
          <tbody>
            {steps.map((step) => (
              <tr key={step}><th scope="row">{step}</th><td>{shown(times.get(step))}</td><td>{shown(otherTimes.get(step))}</td></tr>
            ))}
          </tbody>
        </table>
      </section>
      <section className="panel pad" aria-labelledby="sequence">
        <h2 id="sequence">Events</h2>
        {[one, other].some((it) => it.run && goesOn(it.run)) && <p className="soft">Not both have ended: what is missing may still come.</p>}
        {pairs.length > 1000 && <p className="soft">The first 1000 of {pairs.length} lines.</p>}
        <p className="soft">{first < 0 ? "They are the same, one by one." : `They part at line ${first + 1}.`}</p>
        <table className="pairs">
          <thead><tr><th scope="col">#</th><th scope="col"><code>{left}</code></th><th scope="col"><code>{right}</code></th></tr></thead>
          <tbody>
            {pairs.slice(0, 1000).map((pair, at) => (
              <tr key={at} className={pair.same ? "" : at === first ? "differs first" : "differs"}>
                <td>{at + 1}{at === first && <strong> ← here</strong>}</td>
                <td>{cell(pair.left)}</td>
                <td>{cell(pair.right)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

function Part({ title, all }: { title: string; all: Field[] }) {
  const differ = all.filter((it) => !it.same).length;
  return (
    <tbody>
      <tr className="part"><th scope="rowgroup" colSpan={3}>{title} <span className="soft">{all.length === 0 || differ === 0 ? "the same" : differ === 1 ? "1 difference" : `${differ} differences`}</span></th></tr>
      {all.map((it) => (
        <tr key={it.name} className={it.same ? "" : "differs"}>
          <th scope="row">{it.name}</th>
          <td><span className="brief">{value(it.left)}</span></td>
          <td><span className="brief">{value(it.right)}</span></td>
        </tr>
      ))}
    </tbody>
  );
}

const LONG = 400;

function value(it: unknown) {
  if (it === undefined) return <span className="soft">none</span>;
  const text = written(it);
  return text.length > LONG ? `${text.slice(0, LONG)} … ${text.length - LONG} more letters` : text;
}

function cell(frame: Frame | undefined) {
  return frame ? <><code>{frame.type}</code> <span className="brief">{brief(frame.value)}</span></> : <span className="soft">none</span>;
}

function shown(time: number | undefined): string {
  return time === undefined ? "–" : duration(time);
}

function useCompared(id: string) {
  const data = useRunData(id);
  const seq = data.history?.moments.at(-1)?.seq;
  const state = useQuery({ queryKey: ["state", id, seq], queryFn: () => api.state(id), enabled: data.stage === "ended" || data.stage === "live", placeholderData: (before) => before });
  const frames = useMemo(() => data.frames.filter((it) => !internal(it)), [data.frames]);
  return { ...data, frames, state: state.data };
}
