// What a run is, and what can be done with it.

import { useState } from "react";
import { api, startOf, type History, type Run } from "../../api";
import { goesOn } from "../../model/status";
import type { Stage } from "../../model/stage";
import { go, href } from "../../model/route";
import { clock, micros } from "../../model/time";
import { Ago, Lasting, Problem, Status, TOO_LARGE, useSession } from "../common";

interface Props {
  run: Run;
  stage: Stage;
  history?: History;
  /** As it stands: also whether it waits for somebody. */
  status: string;
  look: () => void;
  /** None: there is nothing to fork. */
  fork?: () => void;
  forkLabel?: string;
}

export function Header({ run, stage, history, status, look, fork, forkLabel }: Props) {
  const [problem, setProblem] = useState<unknown>();
  const readOnly = useSession()?.read_only ?? false;
  const input = history && startOf(history);
  const attempt = (act: () => Promise<unknown>) => () => {
    setProblem(undefined);
    act().then(look, setProblem);
  };
  const again = async () => {
    if (input === undefined) throw new Error(TOO_LARGE);
    go(href(["runs", (await api.start(run.workflow_name, input)).run_id]));
  };
  const purge = async () => {
    if (!window.confirm(`Delete handler ${run.handler_id} with all its runs?`)) return;
    await api.cancel(run.handler_id, true);
    go(href(["runs"]));
  };
  const gone = stage === "gone";
  return (
    <>
      <div className="title">
        <h1>
          <a href={href(["workflows", run.workflow_name])}>{run.workflow_name}</a> <code>{run.run_id}</code>
        </h1>
        {gone ? <span className="status cancelled"><span aria-hidden="true">∅</span> gone</span> : stage === "loading" ? <span className="soft" role="status">reading, {history?.moments.length ?? 0} entries so far …</span> : <Status status={status} queued={run.queued} />}
        <p className="facts">
          <span title={run.started_at}>began {clock(run.started_at)} (<Ago at={run.started_at} />)</span>
          <span><Lasting from={micros(run.started_at)} until={run.completed_at ? micros(run.completed_at) : undefined} /></span>
          <span>handler <code>{run.handler_id}</code></span>
          {run.forked_from && <span>forked from <a href={href(["runs", run.forked_from])}><code>{run.forked_from}</code></a></span>}
          {run.forks && run.forks.length > 0 && <span>forked to {run.forks.slice(-3).map((it) => <span key={it}><a href={href(["runs", it])}><code>{it}</code></a> </span>)}{run.forks.length > 3 && `and ${run.forks.length - 3} more`}</span>}
          {readOnly && <span>of a file, to be looked at</span>}
          {stage === "offline" && <span className="offline" role="status">⚠ offline, going on from where it was</span>}
        </p>
        <span className="grow" />
        {!gone && !readOnly && (
          <span className="actions">
            {goesOn(run) && <button onClick={attempt(() => api.cancel(run.handler_id))}>Cancel</button>}
            <button onClick={attempt(again)}>Run again</button>
            <a className="button" href={href(["workflows", run.workflow_name], { input })}>Edit and run</a>
            {fork && <button onClick={fork}>{forkLabel}</button>}
            <button className="danger" onClick={attempt(purge)}>Purge</button>
          </span>
        )}
      </div>
      {gone && <p className="outcome" role="status"><strong>∅ This run is gone</strong> It was purged. What is shown is what was known of it; nothing of it is kept on the server. <a href={href(["runs"])}>All runs</a></p>}
      {problem != null && <Problem error={problem} />}
    </>
  );
}
