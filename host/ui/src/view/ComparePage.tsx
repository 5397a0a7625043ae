// Two runs beside each other, and where they part.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { api, follow, type Frame, type Json } from "../api";
import { align, executing } from "../model/compare";
import { brief } from "../model/json";
import { href } from "../model/route";
import { duration, micros } from "../model/time";
import { fieldsOf, Problem, Status } from "./common";
import { JsonView } from "./JsonView";
import { useHistory } from "./useHistory";

export function ComparePage({ left, right }: { left: string; right: string }) {
  const [one, other] = [useRun(left), useRun(right)];
  const pairs = useMemo(() => align(one.frames, other.frames), [one.frames, other.frames]);
  const first = pairs.findIndex((it) => !it.same);
  if (one.error || other.error) return <Problem error={one.error ?? other.error} title="The runs cannot be compared" />;
  if (!one.run || !other.run || !one.history || !other.history) return <p className="soft">Loading …</p>;
  const end = (it: typeof one) => (it.run?.completed_at ? micros(it.run.completed_at) : Date.now() * 1000);
  const [times, otherTimes] = [executing(one.history, end(one)), executing(other.history, end(other))];
  const steps = [...new Set([...times.keys(), ...otherTimes.keys()])];
  return (
    <>
      <h1>Compare</h1>
      <div className="split even">
        {[one, other].map(({ run, history }, at) => (
          <section key={at} className="panel pad" aria-label={`Run ${run!.run_id}`}>
            <h2><a href={href(["runs", run!.run_id])}>{run!.workflow_name} <code>{run!.run_id}</code></a> <Status status={run!.status} /></h2>
            <h3>Input</h3>
            <JsonView value={fieldsOf(history!.invocations[0]?.events[0] ?? { value: {}, size: 0 })} label="Input" />
            <h3>{run!.status === "failed" ? "Error" : "Result"}</h3>
            <JsonView value={run!.result_unreadable ? "It cannot be read" : run!.error ?? (run!.result as Json | null)?.value ?? null} label="Result" />
          </section>
        ))}
      </div>
      <section className="panel pad" aria-labelledby="times">
        <h2 id="times">Executing time by step</h2>
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
        {[one, other].some((it) => it.run?.status === "running") && <p className="soft">Not both have ended: what is missing may still come.</p>}
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

function cell(frame: Frame | undefined) {
  return frame ? <><code>{frame.type}</code> <span className="brief">{brief(frame.value)}</span></> : <span className="soft">none</span>;
}

function shown(time: number | undefined): string {
  return time === undefined ? "–" : duration(time);
}

function useRun(id: string) {
  const queries = useQueryClient();
  const run = useQuery({ queryKey: ["run", id], queryFn: () => api.run(id) });
  const history = useHistory(id);
  const [frames, setFrames] = useState<Frame[]>([]);
  useEffect(() => {
    setFrames([]);
    const visible = (frame: Frame) => !frame.types?.includes("InternalDispatchEvent");
    return follow(id, -1, { frames: (some) => setFrames((before) => [...before, ...some.filter(visible)]), connection: () => {}, end: () => {
      for (const key of ["run", "history"]) void queries.invalidateQueries({ queryKey: [key, id] });
    } });
  }, [id, queries]);
  return { run: run.data, history: history.data, frames, error: run.error ?? history.error };
}
