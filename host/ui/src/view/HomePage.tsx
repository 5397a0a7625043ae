// What can be run, and how it goes: those that are not loaded first, then those that fail, then those that wait.

import { useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, type Listing, type Run } from "../api";
import { ordered, standing, type Workflow } from "../model/home";
import { cameOut } from "../model/list";
import { href } from "../model/route";
import { duration, micros } from "../model/time";
import { Ago, Empty, Problem, useSession } from "./common";

/** So many of the last runs of each are drawn. */
const RECENT = 20;
const EVERY = 5000;
/** Lines keep their places for so long after a pointer has moved over them, in milliseconds: nobody clicks on what has just come there. */
const STILL = 2000;

export function HomePage() {
  const { data, error } = useQuery({ queryKey: ["workflows"], queryFn: api.workflows, refetchInterval: 3000 });
  const session = useSession();
  // A server that does not know this status is asked once.
  const waiting = useQuery({ queryKey: ["waiting"], queryFn: () => api.runs({ status: ["waiting"], limit: 500 }), refetchInterval: (query) => (query.state.error ? false : EVERY), retry: false });
  const recent = useQueries({
    queries: (data ?? []).map(({ name, digest }) => ({ queryKey: ["recent", name], queryFn: () => api.runs({ workflow: [name], limit: RECENT }), enabled: !!digest, refetchInterval: EVERY })),
  });
  const [aiming, setAiming] = useState(false);
  const [rest, shown] = [useRef<number>(undefined), useRef<string[]>([])];
  const aim = () => {
    setAiming(true);
    window.clearTimeout(rest.current);
    rest.current = window.setTimeout(() => setAiming(false), STILL);
  };
  const asking = (name: string) => (waiting.data?.runs ?? []).filter((it) => it.workflow_name === name) as Run[];
  const all = (data ?? []).map((listing, at): Workflow => ({ listing, recent: (recent[at]?.data?.runs ?? []) as Run[], waiting: asking(listing.name) }));
  const lines = ordered(all, aiming ? shown.current : []);
  useEffect(() => void (shown.current = lines.map((it) => it.listing.path)));
  if (error && !data) return <Problem error={error} title="The workflows cannot be read" />;
  if (!data) return <p className="soft">Loading …</p>;
  return (
    <>
      <h1>Workflows</h1>
      {data.length === 0 && (
        <Empty title="No workflow is loaded yet">
          <p>Make one, and it appears here as soon as it is built:</p>
          <pre>wf-host new hello --lang rust{"\n"}cd hello && wf-host dev</pre>
        </Empty>
      )}
      {data.length > 0 && (
        <ul className="home panel" aria-label="Workflows" onPointerMove={aim}>
          {lines.map((it) => <Line key={it.listing.path} workflow={it} />)}
        </ul>
      )}
      {session?.notice && (
        <p className="notice soft">{session.notice} <code>wf-host keys add NAME</code> locks it; where it was started, the whole command stands.</p>
      )}
    </>
  );
}

function Line({ workflow }: { workflow: Workflow }) {
  const { listing, recent, waiting } = workflow;
  const { name, digest, description, version, language } = listing;
  const failed = recent.filter((it) => it.status === "failed");
  const how = standing(workflow);
  return (
    <li data-standing={how}>
      <div className="what">
        <h2>{digest ? <a href={href(["workflows", name])}>{name}</a> : name}</h2>
        {how === "failing" ? <a className="failed about" href={href(["runs", failed[0]!.run_id])} title={failed[0]!.error ?? undefined}>✗ {cameOut(failed[0]!)}</a> : <span className="soft about">{description ?? ""}</span>}
      </div>
      <span className="soft of">{[language, version && `v${version}`].filter(Boolean).join(" ")}</span>
      <Spark runs={recent} />
      <span className="counts-of">
        {waiting.length > 0 && <a className="waiting" href={to(waiting, name, "waiting")}>◷ {waiting.length} waiting</a>}
        {failed.length > 0 && <a className="failed" href={to(failed, name, "failed")} title={`of the last ${recent.length} runs`}>✗ {failed.length} failed</a>}
        {waiting.length === 0 && failed.length === 0 && <span className="soft">{recent[0] ? <Ago at={recent[0].started_at} /> : digest ? "no run yet" : ""}</span>}
      </span>
      {digest ? <a className="button" href={href(["workflows", name])} aria-label={`Run ${name}`}>Run</a> : <span />}
      <LoadError listing={listing} />
    </li>
  );
}

/** To the one that there is, or to all of them. */
const to = (some: Run[], name: string, status: string): string => (some.length === 1 ? href(["runs", some[0]!.run_id]) : href(["runs"], { workflow: name, status }));

/** The last runs, the newest at the right: how each went, and how long it took beside the others. */
function Spark({ runs }: { runs: Run[] }) {
  const took = (run: Run) => (run.completed_at ? micros(run.completed_at) - micros(run.started_at) : 0);
  const most = Math.max(1, ...runs.map((it) => Math.log1p(took(it))));
  return (
    <span className="spark" role="img" aria-label={runs.length === 0 ? "No runs" : `The last ${runs.length} runs: ${runs.filter((it) => it.status === "completed").length} completed, ${runs.filter((it) => it.status === "failed").length} failed`}>
      {[...runs].reverse().map((run) => (
        <i key={run.run_id} className={run.status} style={{ height: `${run.completed_at ? 25 + (Math.log1p(took(run)) / most) * 75 : 100}%` }} title={`${run.run_id} ${run.status}${run.completed_at ? `, ${duration(took(run))}` : ""}`} />
      ))}
    </span>
  );
}

export function LoadError({ listing: { error, digest } }: { listing: Listing }) {
  if (!error) return null;
  return (
    <div className="problem" role="alert">
      <strong>✗ {digest ? "The newest version was not loaded; the one before goes on" : "Not loaded"}</strong>
      <pre>{error.message}</pre>
      {error.hint && <p>{error.hint}</p>}
    </div>
  );
}
