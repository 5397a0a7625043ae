// What waits at breakpoints of `wf-host dev`: looked at, edited, and let go on.

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, type PausedStep, type Run } from "../../api";
import { wrong } from "../../model/fork";
import { given, goingOn } from "../../model/paused";
import { go, href } from "../../model/route";
import { clock } from "../../model/time";
import { Ago, Problem } from "../common";

export function Paused({ all, run, look }: { all: PausedStep[]; run: Run; look: () => void }) {
  const [picked, pick] = useState<number>();
  const open = all.find((it) => it.invocation === picked) ?? all[0];
  if (!open) return null;
  return (
    <section className={all.length > 1 ? "outcome waits many" : "outcome waits"} aria-label={`Paused before ${open.step}`}>
      {all.length > 1 && (
        <div className="asked">
          <strong>⏸ {all.length} steps are paused</strong>
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
  const before = given(paused);
  const [edited, setEdited] = useState<string>();
  const [problem, setProblem] = useState<unknown>();
  const broken = edited === undefined ? undefined : wrong(edited);
  const goOn = async () => {
    setProblem(undefined);
    const next = await api.goOn(run.run_id, goingOn(paused, edited));
    await client.invalidateQueries({ queryKey: ["breakpoints"] });
    if (next.run_id !== run.run_id) go(href(["runs", next.run_id]));
    else look();
  };
  const rows = Math.min(12, (edited ?? before ?? "").split("\n").length + 1);
  return (
    <div className="question">
      <strong>⏸ paused before {paused.step}</strong>
      <p className="soft">
        {paused.events.map((it) => it.type).join(", ")} to {paused.step} #{paused.invocation}{paused.attempt > 0 && `, attempt ${paused.attempt + 1}`} waits at the breakpoint <code>{paused.breakpoint}</code> since {clock(paused.since)}, <Ago at={paused.since} />. Edited, it goes on as a fork in this run's place.
      </p>
      {before === undefined ? (
        <p className="soft">It is shown in the journal; too large, or of several events, it cannot be edited here.</p>
      ) : (
        <textarea className="raw" aria-label={`The event for ${paused.step} as JSON`} rows={rows} spellCheck={false} aria-invalid={!!broken} value={edited ?? before} onChange={(event) => setEdited(event.target.value)} />
      )}
      {broken && <p className="field-error">{broken}</p>}
      {problem != null && <Problem error={problem} />}
      <p className="row"><button className="primary" disabled={!!broken} onClick={() => goOn().catch(setProblem)}>Go on</button></p>
    </div>
  );
}
