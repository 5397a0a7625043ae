// What waits at breakpoints of `wf-host dev`: looked at, edited, and let go on.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type Json, type PausedStep, type Run } from "../../api";
import { given, goingOn } from "../../model/paused";
import { go, href } from "../../model/route";
import { clock } from "../../model/time";
import { Ago, Problem } from "../common";
import { EventForm } from "../EventForm";

export function Paused({ all, run, look }: { all: PausedStep[]; run: Run; look: () => void }) {
  const [picked, pick] = useState<number>();
  const open = all.find((it) => it.invocation === picked) ?? all[0];
  if (!open) return null;
  return (
    <section className={all.length > 1 ? "outcome waits many" : "outcome waits"} aria-label={`Paused before ${open.step}`}>
      {all.length > 1 && (
        <div className="asked">
          <strong>‖ {all.length} steps are paused</strong>
          <ul className="plain" aria-label="Paused steps">
            {all.map((it) => (
              <li key={it.invocation}>
                <button aria-pressed={it === open} onClick={() => pick(it.invocation)}>{it.step} <span className="soft">#{it.invocation}</span></button>
              </li>
            ))}
          </ul>
        </div>
      )}
      <One key={`${open.run_id} ${open.invocation} ${open.attempt}`} paused={open} run={run} look={look} />
    </section>
  );
}

function One({ paused, run, look }: { paused: PausedStep; run: Run; look: () => void }) {
  const client = useQueryClient();
  const details = useQuery({ queryKey: ["workflow", run.workflow_name], queryFn: () => api.workflow(run.workflow_name) });
  const [problem, setProblem] = useState<unknown>();
  const before = given(paused);
  const schema = (details.data?.schemas as Json | undefined)?.[paused.events[0]?.type ?? ""] as Json | undefined;
  const goOn = async (edited?: string) => {
    const next = await api.goOn(run.run_id, goingOn(paused, edited));
    await client.invalidateQueries({ queryKey: ["breakpoints"] });
    if (next.run_id !== run.run_id) go(href(["runs", next.run_id]));
    else look();
  };
  return (
    <>
      <div className="question">
        <strong>‖ {paused.step} is paused before it begins</strong>
        <p className="soft">
          at the breakpoint <code>{paused.breakpoint}</code>, since {clock(paused.since)}, <Ago at={paused.since} />: #{paused.invocation}{paused.attempt > 0 && `, attempt ${paused.attempt + 1}`}, with {paused.events.map((it) => it.type).join(", ")}
        </p>
        <p className="soft">{before === undefined ? "What it is given stands in the journal; too large, or of several events, it cannot be edited here." : "As it is, it goes on. Edited, it goes on as a fork in this run's place."}</p>
      </div>
      <div className="answer">
        {before === undefined && <button className="primary" onClick={() => (setProblem(undefined), void goOn().catch(setProblem))}>Go on</button>}
        {before !== undefined && details.data && <EventForm schema={schema ?? { type: "object", properties: {} }} initial={before} action="Go on" submit={goOn} />}
        {problem != null && <Problem error={problem} />}
      </div>
    </>
  );
}
