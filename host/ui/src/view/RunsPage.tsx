// Many runs: found, looked at, and ended several at once.

import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import { api, root, startOf } from "../api";
import { adjust, go, href, type Route } from "../model/route";
import { age, duration, micros } from "../model/time";
import { Empty, Problem, Status, TOO_LARGE, useNow } from "./common";

const STATUSES = ["running", "completed", "failed", "cancelled"];
const PAGE = 100;
const ROW = 40;

export function RunsPage({ route }: { route: Route }) {
  const status = route.query.getAll("status");
  const workflow = route.query.getAll("workflow");
  const search = route.query.get("search") ?? "";
  const filter = { status, workflow, search };
  const names = useQuery({ queryKey: ["workflows"], queryFn: api.workflows });
  const queries = useQueryClient();
  const runs = useInfiniteQuery({
    queryKey: ["runs", filter],
    queryFn: ({ pageParam }) => api.runs({ ...filter, limit: PAGE, before: pageParam }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
    // Live; less often where there is more to read again.
    refetchInterval: (query) => 2000 * Math.max(1, query.state.data?.pages.length ?? 1),
  });
  const rows = runs.data?.pages.flatMap((page) => page.runs) ?? [];
  const [marked, setMarked] = useState<Set<string>>(new Set());
  const [problem, setProblem] = useState<unknown>();
  const now = useNow(1000);
  const box = useRef<HTMLDivElement>(null);
  const list = useVirtualizer({ count: rows.length, getScrollElement: () => box.current, estimateSize: () => ROW, overscan: 12 });
  const drawn = list.getVirtualItems();
  const last = drawn.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= rows.length - 20 && runs.hasNextPage && !runs.isFetchingNextPage) void runs.fetchNextPage();
  }, [last, rows.length, runs]);

  const chosen = rows.filter((run) => marked.has(run.run_id));
  const each = async (act: (run: (typeof rows)[number]) => Promise<unknown>) => {
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
  const rerun = async (run: (typeof rows)[number]) => {
    const input = startOf(await api.history(run.run_id, undefined, 1));
    if (input === undefined) throw new Error(TOO_LARGE);
    return api.start(run.workflow_name, input);
  };
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
        <input
          type="search"
          aria-label="Search by run or handler"
          placeholder="Id of a run or handler"
          value={search}
          onChange={(event) => adjust(route, { search: event.target.value })}
        />
        <span className="grow" />
        {chosen.length > 0 && (
          <span className="actions" role="group" aria-label="With those chosen">
            <span className="soft">{chosen.length} chosen</span>
            <button disabled={!chosen.some((run) => run.status === "running")} onClick={() => void each((run) => (run.status === "running" ? api.cancel(run.handler_id) : Promise.resolve()))}>Cancel</button>
            <button onClick={() => void each(rerun)}>Run again</button>
            <button
              className="danger"
              onClick={() => window.confirm(`Delete ${chosen.length} handlers with all their runs?`) && void each((run) => api.cancel(run.handler_id, true))}
            >
              Purge
            </button>
            {chosen.length === 2 && (
              <button className="primary" onClick={() => go(href(["compare", chosen[1]!.run_id, chosen[0]!.run_id]))}>Compare</button>
            )}
          </span>
        )}
      </div>
      {problem != null && <Problem error={problem} />}
      {runs.error && rows.length === 0 && <Problem error={runs.error} title="The runs cannot be read" />}
      {runs.data && rows.length === 0 && (
        <Empty title={status.length || workflow.length || search ? "No run fits" : "No run yet"}>
          {search && <p>The search looks for ids of runs and handlers; workflows are chosen beside it.</p>}
          <p>Start one from <a href={href(["workflows"])}>a workflow's page</a>, or from anywhere:</p>
          <pre>curl -X POST {root}/workflows/{names.data?.[0]?.name ?? "NAME"}/run -d '{"{}"}'</pre>
        </Empty>
      )}
      {rows.length > 0 && (
        <div className="table" role="table" aria-label="Runs" aria-rowcount={rows.length}>
          <div className="tr head" role="row">
            <span role="columnheader"><span className="sr">Chosen</span></span>
            <span role="columnheader">Run</span>
            <span role="columnheader">Workflow</span>
            <span role="columnheader">Status</span>
            <span role="columnheader">Started</span>
            <span role="columnheader">Duration</span>
            <span role="columnheader" className="wide">Handler</span>
          </div>
          <div className="scroll" ref={box} role="rowgroup" tabIndex={0} aria-label="The runs">
            <div style={{ height: list.getTotalSize(), position: "relative" }}>
              {drawn.map(({ index, start }) => {
                const run = rows[index]!;
                const end = run.completed_at ? micros(run.completed_at) : now * 1000;
                return (
                  <div key={run.run_id} role="row" className="tr" style={{ height: ROW, transform: `translateY(${start}px)`, position: "absolute", left: 0, right: 0 }}>
                    <span role="cell">
                      <input type="checkbox" aria-label={`Choose ${run.run_id}`} checked={marked.has(run.run_id)} onChange={(event) => mark(run.run_id, event.target.checked)} />
                    </span>
                    <span role="cell"><a href={href(["runs", run.run_id])}><code>{run.run_id}</code></a></span>
                    <span role="cell">{run.workflow_name}</span>
                    <span role="cell"><Status status={run.status} queued={run.queued} /></span>
                    <span role="cell" title={run.started_at}>{age(run.started_at, now)}</span>
                    <span role="cell">{duration(Math.max(0, end - micros(run.started_at)))}</span>
                    <span role="cell" className="wide soft">{run.handler_id}</span>
                  </div>
                );
              })}
            </div>
          </div>
        </div>
      )}
    </>
  );
}
