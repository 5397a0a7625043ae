// Many runs: found, looked at, and ended several at once.

import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef, useState } from "react";
import { api, root, startOf, type Run } from "../api";
import { byError, cameOut, wentIn } from "../model/list";
import { adjust, go, href, type Route } from "../model/route";
import { goesOn } from "../model/status";
import { micros } from "../model/time";
import { Ago, Empty, Lasting, Problem, Status, TOO_LARGE, useSession } from "./common";

const STATUSES = ["running", "waiting", "completed", "failed", "cancelled"];
/** Since when, in hours before now. */
const TIMES: [string, string][] = [["1", "the last hour"], ["24", "the last day"], ["168", "the last week"], ["720", "the last 30 days"]];
const ORDERS: [string, string][] = [["", "Newest first"], ["oldest", "Oldest first"], ["last-ended", "Last ended first"], ["first-ended", "First ended first"]];
const PAGE = 100;
const ROW = 40;
const SMALL_ROW = 60;
/** The start of a time that is counted back from now moves only so often, in milliseconds: each is another question. */
const COARSE = 60_000;

export function RunsPage({ route }: { route: Route }) {
  const status = route.query.getAll("status");
  const workflow = route.query.getAll("workflow");
  const search = route.query.get("search") ?? "";
  const hours = route.query.get("hours") ?? "";
  const order = route.query.get("order") ?? "";
  const grouped = route.query.get("group") === "error";
  const since = hours && new Date(Math.floor(Date.now() / COARSE) * COARSE - Number(hours) * 3600e3).toISOString();
  const filter = { status, workflow, search, since, order };
  const names = useQuery({ queryKey: ["workflows"], queryFn: api.workflows });
  const queries = useQueryClient();
  const readOnly = useSession()?.read_only ?? false;
  const runs = useInfiniteQuery({
    queryKey: ["runs", filter],
    queryFn: ({ pageParam }) => api.runs({ ...filter, limit: PAGE, before: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    placeholderData: (before) => before,
    // Live; less often where there is more to read again.
    refetchInterval: (query) => 2000 * Math.max(1, query.state.data?.pages.length ?? 1),
  });
  const rows = useMemo(() => (runs.data?.pages.flatMap((page) => page.runs) ?? []) as Run[], [runs.data]);
  const [marked, setMarked] = useState<Set<string>>(new Set());
  const [problem, setProblem] = useState<unknown>();
  const more = () => {
    if (runs.hasNextPage && !runs.isFetchingNextPage) void runs.fetchNextPage();
  };
  const chosen = rows.filter((run) => marked.has(run.run_id));
  const each = async (act: (run: Run) => Promise<unknown>) => {
    setProblem(undefined);
    const results = await Promise.allSettled(chosen.map(act));
    const failed = chosen.flatMap((run, at) => {
      const result = results[at];
      return result?.status === "rejected" ? [{ run, reason: (result.reason as Error).message }] : [];
    });
    setProblem(failed.length > 0 ? failed.map(({ run, reason }) => `${run.run_id}: ${reason}`).join("\n") : undefined);
    // Those that failed stay chosen.
    setMarked(new Set(failed.map(({ run }) => run.run_id)));
    await queries.invalidateQueries({ queryKey: ["runs"] });
  };
  const mark = (id: string, on: boolean) =>
    setMarked((before) => {
      const after = new Set(before);
      if (on) after.add(id);
      else after.delete(id);
      return after;
    });
  const rerun = async (run: Run) => {
    const input = startOf(await api.history(run.run_id, undefined, 1));
    if (input === undefined) throw new Error(TOO_LARGE);
    return api.start(run.workflow_name, input);
  };
  const filtered = status.length > 0 || workflow.length > 0 || search !== "" || hours !== "";
  return (
    <>
      <h1>Runs</h1>
      <div className="filters" role="search">
        {STATUSES.map((name) => (
          <button
            key={name}
            className={`chip ${status.includes(name) ? "on" : ""}`}
            aria-pressed={status.includes(name)}
            onClick={() => adjust(route, { status: status.includes(name) ? status.filter((it) => it !== name) : [...status, name] })}
          >
            <Status status={name} />
          </button>
        ))}
        <select aria-label="Workflow" value={workflow[0] ?? ""} onChange={(event) => adjust(route, { workflow: event.target.value })}>
          <option value="">All workflows</option>
          {[...new Set([...(names.data ?? []).map((it) => it.name), ...workflow])].map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
        <select aria-label="Time" value={hours} onChange={(event) => adjust(route, { hours: event.target.value })}>
          <option value="">Any time</option>
          {TIMES.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
        </select>
        <select aria-label="Order" value={order} onChange={(event) => adjust(route, { order: event.target.value })}>
          {ORDERS.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
        </select>
        <input type="search" aria-label="Search by id, input, result or error" placeholder="Id, input, result or error" value={search} onChange={(event) => adjust(route, { search: event.target.value })} />
        <button className={grouped ? "chip on" : "chip"} aria-pressed={grouped} onClick={() => adjust(route, { group: grouped ? undefined : "error", status: grouped ? status : ["failed"] })}>By error</button>
        <span className="grow" />
        {chosen.length > 0 && (
          <span className="actions" role="group" aria-label="With those chosen">
            <span className="soft">{chosen.length} chosen</span>
            {!readOnly && (
              <>
                <button disabled={!chosen.some(goesOn)} onClick={() => void each((run) => (goesOn(run) ? api.cancel(run.handler_id) : Promise.resolve()))}>Cancel</button>
                <button onClick={() => void each(rerun)}>Run again</button>
                <button
                  className="danger"
                  onClick={() => window.confirm(`Delete ${chosen.length} handlers with all their runs?`) && void each((run) => api.cancel(run.handler_id, true))}
                >
                  Purge
                </button>
              </>
            )}
            {chosen.length === 2 && (
              <button className="primary" onClick={() => go(href(["compare", chosen[1]!.run_id, chosen[0]!.run_id]))}>Compare</button>
            )}
          </span>
        )}
      </div>
      {problem != null && <Problem error={problem} />}
      {runs.error && <Problem error={runs.error} title="The runs cannot be read" />}
      {runs.data && !runs.error && rows.length === 0 && (
        <Empty title={filtered ? "No run fits" : "No run yet"}>
          <p>Start one from <a href={href(["workflows"])}>a workflow's page</a>, or from anywhere:</p>
          <pre>curl -X POST {root}/workflows/{names.data?.[0]?.name ?? "NAME"}/run -d '{"{}"}'</pre>
        </Empty>
      )}
      {rows.length > 0 && (grouped ? <ByError runs={rows} more={runs.hasNextPage ? more : undefined} /> : <Table rows={rows} marked={marked} mark={mark} more={more} />)}
    </>
  );
}

function Table({ rows, marked, mark, more }: { rows: Run[]; marked: Set<string>; mark: (id: string, on: boolean) => void; more: () => void }) {
  const box = useRef<HTMLDivElement>(null);
  const small = useSmall();
  const height = small ? SMALL_ROW : ROW;
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => height, overscan: 12 });
  useEffect(() => list.measure(), [height, list]);
  const drawn = list.getVirtualItems();
  const last = drawn.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - 20) more();
  });
  return (
    <div className="table" role="table" aria-label="Runs" aria-rowcount={rows.length}>
      <div className="tr head" role="row">
        <span role="columnheader"><span className="sr">Chosen</span></span>
        <span role="columnheader">Status</span>
        <span role="columnheader">Workflow</span>
        <span role="columnheader">Run</span>
        <span role="columnheader" className="goes">Went in</span>
        <span role="columnheader" className="goes">Came out</span>
        <span role="columnheader">Began</span>
        <span role="columnheader">Took</span>
      </div>
      <div className="scroll" ref={box} role="rowgroup" tabIndex={0} aria-label="The runs">
        <div style={{ height: list.getTotalSize(), position: "relative" }}>
          {drawn.map(({ index, start }) => {
            const run = rows[index]!;
            const out = cameOut(run);
            return (
              <div key={run.run_id} role="row" className="tr" style={{ height, transform: `translateY(${start}px)`, position: "absolute", left: 0, right: 0 }}>
                <span role="cell">
                  <input type="checkbox" aria-label={`Choose ${run.run_id}`} checked={marked.has(run.run_id)} onChange={(event) => mark(run.run_id, event.target.checked)} />
                </span>
                <span role="cell"><Status status={run.status} queued={run.queued} /></span>
                <span role="cell">{run.workflow_name}</span>
                <span role="cell"><a href={href(["runs", run.run_id])} title={`handler ${run.handler_id}`}><code>{run.run_id}</code></a></span>
                <span role="cell" className="goes brief" title={wentIn(run)}>{wentIn(run)}</span>
                <span role="cell" className={`goes brief ${run.status === "failed" ? "failed" : ""}`} title={out}>{out}</span>
                <span role="cell" title={run.started_at}><Ago at={run.started_at} /></span>
                <span role="cell"><Lasting from={micros(run.started_at)} until={run.completed_at ? micros(run.completed_at) : undefined} /></span>
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function ByError({ runs, more }: { runs: Run[]; more?: () => void }) {
  const kinds = useMemo(() => byError(runs), [runs]);
  if (kinds.length === 0) return <Empty title="None of these runs has failed" />;
  return (
    <>
      <ul className="kinds">
        {kinds.map(({ shape, example, runs }) => (
          <li key={shape} className="panel pad">
            <details>
              <summary><b className="failed">{runs.length} ×</b> <b>{runs[0]!.workflow_name}</b> <code>{example}</code> <span className="soft">last <Ago at={runs[0]!.started_at} /></span></summary>
              <ul className="plain">
                {runs.slice(0, 50).map((run) => (
                  <li key={run.run_id}><a href={href(["runs", run.run_id])}><code>{run.run_id}</code></a> <span className="soft"><Ago at={run.started_at} /></span> <span className="brief">{cameOut(run)}</span></li>
                ))}
              </ul>
              {runs.length > 50 && <p className="soft">And {runs.length - 50} more.</p>}
            </details>
          </li>
        ))}
      </ul>
      <p className="soft">Of the {runs.length} newest that fit. {more && <button className="link" onClick={more}>Look at more</button>}</p>
    </>
  );
}

const SMALL = "(max-width: 900px)";

function useSmall(): boolean {
  const [small, setSmall] = useState(() => window.matchMedia(SMALL).matches);
  useEffect(() => {
    const query = window.matchMedia(SMALL);
    const changed = () => setSmall(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return small;
}
