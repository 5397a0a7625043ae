// One run: as it goes, and at any moment of it.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { api, follow, startOf, type Frame, type Graph, type History, type Json, type LogLine, type Run } from "../api";
import { completed, languages } from "../model/graph";
import { brief, pretty, written } from "../model/json";
import { edges, momentOfFrame, phaseAt, pictureAt, waitsAt, type Phase, type Waiting } from "../model/run";
import { adjust, go, href, type Route } from "../model/route";
import { age, clock, duration, micros } from "../model/time";
import { Copy, fieldsOf, PHASES, Problem, Status, TOO_LARGE, useNow } from "./common";
import { EventForm } from "./EventForm";
import { EventLog } from "./EventLog";
import { GraphView } from "./GraphView";
import { JsonView } from "./JsonView";
import { Timeline } from "./Timeline";
import { useHistory } from "./useHistory";

const TABS = ["events", "state", "logs", "step", "send"] as const;

export function RunPage({ id, route }: { id: string; route: Route }) {
  const queries = useQueryClient();
  const run = useQuery({ queryKey: ["run", id], queryFn: () => api.run(id) });
  const running = run.data?.status === "running";
  const history = useHistory(id);
  const graph = useQuery({ queryKey: ["run-graph", id], queryFn: () => api.runGraph(id) });
  const logs = useQuery({ queryKey: ["logs", id], queryFn: () => api.logs(id) });
  const [frames, connected] = useFrames(id, () => {
    for (const key of ["run", "history", "logs", "state"]) void queries.invalidateQueries({ queryKey: [key, id] });
  });
  const now = useNow(running ? 250 : 60_000);
  const asked = route.query.get("at");
  const newest = history.data?.moments.at(-1)?.seq ?? 0;
  const looked = asked === null ? newest : Math.min(Number(asked) || 0, newest);
  const workflow = run.data?.workflow_name;
  const details = useQuery({ queryKey: ["workflow", workflow], queryFn: () => api.workflow(workflow!), enabled: workflow !== undefined });
  const whole = useSteady(useMemo(() => graph.data && completed(graph.data, details.data, history.data), [graph.data, details.data, history.data]));
  const written = useMemo(() => languages(details.data), [details.data]);
  const published = useMemo(() => {
    const there = new Set(graph.data?.nodes.map((it) => it.id));
    const more = new Set(whole?.nodes.map((it) => it.id).filter((it) => !there.has(it)));
    return more.size > 0 ? frames.filter((it) => more.has(it.type)) : [];
  }, [graph.data, whole, frames]);
  const picture = useMemo(() => (history.data ? pictureAt(history.data, looked, published) : undefined), [history.data, looked, published]);
  const known = useMemo(() => (history.data ? edges(pictureAt(history.data, newest)) : []), [history.data, newest]);
  if (run.error && !run.data) return <Problem error={run.error} title={`Run ${id}`} />;
  if (run.data && !history.data && history.error) {
    return (
      <div className="run">
        <Header run={run.data} now={now} connected />
        <Problem error={history.error} title="What happened in it cannot be shown" />
      </div>
    );
  }
  if (!run.data || !history.data) return history.error ? <Problem error={history.error} /> : <p className="soft">Loading …</p>;

  const moments = history.data.moments;
  const lastSeq = moments.at(-1)?.seq ?? 0;
  const at = asked === null ? undefined : Math.min(Number(asked) || 0, lastSeq);
  const seq = at ?? lastSeq;
  const moment = moments.find((it) => it.seq === seq) ?? moments.at(-1);
  const end = run.data.completed_at ? micros(run.data.completed_at) : now * 1000;
  const tab = (TABS as readonly string[]).includes(route.query.get("tab") ?? "") ? (route.query.get("tab") as (typeof TABS)[number]) : "events";
  const invocation = number(route.query.get("invocation"));
  const event = number(route.query.get("event"));
  const chosen = history.data.invocations.find((it) => it.id === invocation);
  const frame = frames.find((it) => it.sequence === event);
  const publisher = event === undefined ? undefined : moments.find((it) => it.seq === momentOfFrame(history.data, event))?.invocation ?? undefined;
  const lane = chosen?.id ?? publisher;
  const publishing = history.data.invocations.find((it) => it.id === publisher)?.step;
  const inGraph = (name?: string) => whole?.nodes.some((it) => it.id === name);
  const node = chosen?.step ?? (inGraph(frame?.type) ? frame?.type : publishing) ?? route.query.get("node") ?? undefined;
  // They stay while another moment is looked at, with what was typed.
  const waits = running ? waitsAt(history.data, lastSeq) : [];

  const pickNode = (name: string) => {
    const of = history.data.invocations.filter((it) => it.step === name && it.seq <= seq);
    if (of.length > 0) adjust(route, { invocation: String(of.at(-1)!.id), event: undefined, node: undefined, tab: "step" });
    else {
      const frame = frames.findLast((it) => it.type === name);
      adjust(route, { node: name, invocation: undefined, event: frame && String(frame.sequence), ...(frame ? { tab: "events" } : {}) });
    }
  };
  const pickEvent = (sequence: number) =>
    adjust(route, { event: event === sequence ? undefined : String(sequence), invocation: undefined, node: undefined });

  return (
    <div className="run">
      <Header run={run.data} now={now} input={startOf(history.data)} connected={connected || !running} />
      <Outcome run={run.data} history={history.data} logs={logs.data ?? []} show={(it) => adjust(route, { invocation: String(it), tab: "step", event: undefined })} />
      {waits.length > 0 && <Waits waits={waits} run={run.data} now={now} />}
      <Scrubber history={history.data} seq={seq} live={at === undefined} set={(it) => adjust(route, { at: it === undefined ? undefined : String(it) })} />
      <div className="split run-split">
        <section className="panel tall" aria-label="Graph">
          {graph.error && <Problem error={graph.error} title="The graph cannot be drawn" />}
          {whole && !details.isPending && <GraphView key={whole.nodes.length} graph={whole} languages={written} picture={picture} also={known} picked={node} pick={pickNode} />}
        </section>
        <section className="panel side">
          <div className="tabs" role="tablist" aria-label="Details">
            {TABS.map((name) => (
              <button key={name} role="tab" id={`tab-${name}`} aria-selected={tab === name} aria-controls="tab-panel" tabIndex={tab === name ? 0 : -1}
                onClick={() => adjust(route, { tab: name })}
                onKeyDown={({ key }) => {
                  const move = key === "ArrowRight" ? 1 : key === "ArrowLeft" ? -1 : 0;
                  const next = TABS[(TABS.indexOf(name) + move + TABS.length) % TABS.length]!;
                  if (move) adjust(route, { tab: next });
                  if (move) document.getElementById(`tab-${next}`)?.focus();
                }}
              >
                {{ events: "Events", state: "State", logs: "Logs", step: "Step", send: "Send" }[name]}
              </button>
            ))}
          </div>
          <div id="tab-panel" role="tabpanel" aria-labelledby={`tab-${tab}`} className="tab">
            {tab === "events" && <EventLog frames={frames} until={at === undefined ? Infinity : (moment?.frames ?? 0)} live={running} picked={event} pick={pickEvent}
              moment={(it) => adjust(route, { at: String(momentOfFrame(history.data, it)) })}
              internal={route.query.get("internal") === "true"} search={route.query.get("search") ?? ""}
              change={({ internal, search }) => adjust(route, { ...(internal === undefined ? {} : { internal: internal ? "true" : undefined }), ...(search === undefined ? {} : { search }) })} />}
            {tab === "state" && <StateTab id={id} seq={at} newest={lastSeq} />}
            {tab === "logs" && <LogsTab lines={(logs.data ?? []).filter((it) => at === undefined || micros(it.at) <= micros(moment?.at ?? it.at))} pick={(it) => adjust(route, { invocation: String(it), tab: "step", event: undefined })} />}
            {tab === "step" && <StepTab history={history.data} chosen={chosen} seq={seq} logs={logs.data ?? []} />}
            {tab === "send" && <SendTab run={run.data} running={running} />}
          </div>
        </section>
      </div>
      <section className="panel" aria-label="Timeline">
        <Timeline history={history.data} end={end} seq={seq} picked={lane}
          pick={(it) => adjust(route, { invocation: invocation === it ? undefined : String(it), event: undefined, node: undefined, tab: "step" })} />
      </section>
    </div>
  );
}

function number(text: string | null): number | undefined {
  return text === null || text === "" || Number.isNaN(Number(text)) ? undefined : Number(text);
}

/** The same graph as long as it has the same nodes and edges: they stay where somebody has moved them. */
function useSteady(graph: Graph | undefined): Graph | undefined {
  const kept = useRef(graph);
  const shape = (it: Graph | undefined) => it && written([it.nodes.map(({ id }) => id), it.edges.map(({ source, target }) => [source, target])]);
  if (shape(kept.current) !== shape(graph)) kept.current = graph;
  return kept.current;
}

/** The stream of a run, and whether it is connected. */
function useFrames(id: string, changed: () => void): [Frame[], boolean] {
  const [frames, setFrames] = useState<Frame[]>([]);
  const [connected, setConnected] = useState(true);
  const tell = useRef(changed);
  tell.current = changed;
  useEffect(() => {
    setFrames([]);
    // What follows from a burst of frames is asked for once; seldom, where there is much of it.
    let timer = 0;
    let count = 0;
    const soon = () => {
      timer ||= window.setTimeout(() => {
        timer = 0;
        tell.current();
      }, Math.min(3000, 150 + count / 5));
    };
    const stop = follow(id, -1, {
      frames: (some) => {
        count += some.length;
        setFrames((before) => [...before, ...some.filter((it) => it.sequence > (before.at(-1)?.sequence ?? -1))]);
        soon();
      },
      connection: setConnected,
      end: () => {
        setConnected(true);
        soon();
      },
    });
    return () => {
      stop();
      window.clearTimeout(timer);
    };
  }, [id]);
  return [frames, connected];
}

function Header({ run, now, input, connected }: { run: Run; now: number; input?: string; connected: boolean }) {
  const [problem, setProblem] = useState<unknown>();
  const queries = useQueryClient();
  const end = run.completed_at ? micros(run.completed_at) : now * 1000;
  const attempt = (act: () => Promise<unknown>) => () => {
    setProblem(undefined);
    act().then(() => queries.invalidateQueries({ queryKey: ["run", run.run_id] }), setProblem);
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
  return (
    <>
      <div className="title">
        <h1>
          <a href={href(["workflows", run.workflow_name])}>{run.workflow_name}</a> <code>{run.run_id}</code>
        </h1>
        <Status status={run.status} queued={run.queued} />
        <p className="facts">
          <span title={run.started_at}>started {clock(run.started_at)} ({age(run.started_at, now)})</span>
          <span>{duration(Math.max(0, end - micros(run.started_at)))}</span>
          <span>handler <code>{run.handler_id}</code></span>
          {!connected && <span className="offline" role="status">⚠ offline, going on from where it was</span>}
        </p>
        <span className="grow" />
        <span className="actions">
          {run.status === "running" && <button onClick={attempt(() => api.cancel(run.handler_id))}>Cancel</button>}
          <button onClick={attempt(again)}>Run again</button>
          <a className="button" href={href(["workflows", run.workflow_name], { input })}>Edit and run</a>
          <button className="danger" onClick={attempt(purge)}>Purge</button>
        </span>
      </div>
      {problem != null && <Problem error={problem} />}
    </>
  );
}

function Outcome({ run, history, logs, show }: { run: Run; history: History; logs: LogLine[]; show: (invocation: number) => void }) {
  if (run.result_unreadable) return <section className="outcome bad" aria-label="Result"><strong>✗ There is a result, but it cannot be read</strong></section>;
  if (run.status === "completed") {
    const result = run.result as { type?: string; value?: Json } | null;
    const value = result?.type === "StopEvent" ? (result.value?.result ?? null) : result?.value;
    return (
      <section className="outcome good" aria-label="Result">
        <strong>✓ {result?.type === "StopEvent" ? "Result" : result?.type}</strong>
        <JsonView value={value} label="Result" />
        <Copy text={() => pretty(written(value))} />
      </section>
    );
  }
  if (run.status === "cancelled") return <section className="outcome" aria-label="Outcome"><strong className="soft">⊘ Cancelled</strong></section>;
  if (run.status !== "failed") return null;
  const culprit = history.invocations.findLast((it) => it.end?.outcome === "failed") ?? history.invocations.findLast((it) => it.failures.length > 0);
  const failure = culprit?.failures.at(-1);
  const trace = failure?.trace ?? (logs.findLast((it) => it.source === "failure" && it.invocation === culprit?.id)?.fields as Json | undefined)?.trace;
  return (
    <section className="outcome bad" aria-label="Why it failed">
      <strong>✗ {failure ? failure.kind : "Failed"}{culprit && <> in step <button className="link" onClick={() => show(culprit.id)}>{culprit.step}</button></>}</strong>
      <pre>{run.error}</pre>
      {failure && <p className="soft">attempt {failure.attempt + 1}{failure.retryable ? "" : ", not to be tried again"}</p>}
      {culprit && (
        <details>
          <summary>What the step was given</summary>
          {culprit.events.map((event, at) => (
            <div key={at}><code>{event.type}</code> <JsonView value={fieldsOf(event)} label={`Input ${event.type}`} /></div>
          ))}
        </details>
      )}
      {typeof trace === "string" && trace && (
        <details>
          <summary>Backtrace</summary>
          <pre className="trace" tabIndex={0}>{trace}</pre>
        </details>
      )}
    </section>
  );
}

function Waits({ waits, run, now }: { waits: Waiting[]; run: Run; now: number }) {
  const details = useQuery({ queryKey: ["workflow", run.workflow_name], queryFn: () => api.workflow(run.workflow_name) });
  const schemas = (details.data?.schemas ?? {}) as Record<string, Json>;
  return (
    <>
      {waits.map((wait) => (
        <section key={`${wait.invocation} ${wait.types.join(" ")} ${wait.since}`} className="outcome waits" aria-label={`Waiting for ${wait.types.join(" or ")}`}>
          <strong>◷ {wait.step} #{wait.invocation} waits for {wait.types.join(" or ")}</strong>
          <p className="soft">
            since {clock(wait.since)}, {age(wait.since, now)}
            {wait.due && <>; until {clock(wait.due)}, {duration(Math.max(0, micros(wait.due) - now * 1000))} left</>}
          </p>
          {details.error && <Problem error={details.error} title="Its form cannot be made" />}
          {details.data && <AnswerForm wait={wait} schemas={schemas} run={run} />}
        </section>
      ))}
    </>
  );
}

/** The form of an answer; where there are several types, of the one that is picked. */
function AnswerForm({ wait, schemas, run }: { wait: Waiting; schemas: Record<string, Json>; run: Run }) {
  const [picked, pick] = useState(wait.types[0] ?? "");
  return (
    <>
      {wait.types.length > 1 && (
        <label className="row"><span>Event</span>
          <select value={picked} onChange={(event) => pick(event.target.value)}>{wait.types.map((it) => <option key={it}>{it}</option>)}</select>
        </label>
      )}
      <EventForm key={picked} schema={schemas[picked] ?? { type: "object", properties: {} }} initial={written(wait.requirements)} action={`Send ${picked}`}
        submit={async (value) => void (await api.send(run.handler_id, picked, value, { invocation: wait.invocation }))} />
    </>
  );
}

function Scrubber({ history, seq, live, set }: { history: History; seq: number; live: boolean; set: (seq: number | undefined) => void }) {
  const moments = history.moments;
  const place = Math.max(0, moments.findIndex((it) => it.seq === seq));
  const moment = moments[place];
  const begin = moments[0] ? micros(moments[0].at) : 0;
  const step = history.invocations.find((it) => it.id === moment?.invocation)?.step;
  const move = (to: number) => set(moments[Math.min(Math.max(to, 0), moments.length - 1)]?.seq);
  return (
    <div className="scrubber" role="group" aria-label="Moment">
      <button className="quiet icon" aria-label="Earlier" disabled={place === 0} onClick={() => move(place - 1)}>◀</button>
      <input
        type="range"
        min={0}
        max={Math.max(0, moments.length - 1)}
        value={place}
        aria-label="Moment of the run"
        aria-valuetext={moment ? `${place + 1} of ${moments.length}: ${moment.kind} ${step ?? moment.event ?? ""}` : ""}
        onChange={(event) => move(Number(event.target.value))}
      />
      <button className="quiet icon" aria-label="Later" disabled={place >= moments.length - 1} onClick={() => move(place + 1)}>▶</button>
      <span className="moment">
        <code>{place + 1}/{moments.length}</code> {moment?.kind} {step ?? moment?.event ?? ""}
        <span className="soft"> +{duration(moment ? micros(moment.at) - begin : 0)}</span>
      </span>
      <button className={live ? "chip on" : "chip"} aria-pressed={live} onClick={() => set(live ? seq : undefined)}>{live ? "● newest" : "Go to newest"}</button>
    </div>
  );
}

function StateTab({ id, seq, newest }: { id: string; seq?: number; newest: number }) {
  const state = useQuery({ queryKey: ["state", id, seq ?? newest], queryFn: () => api.state(id, seq), placeholderData: (before) => before });
  if (state.error) return <Problem error={state.error} />;
  if (!state.data) return <p className="soft pad">Loading …</p>;
  return (
    <div className="pad">
      <div className="tools"><span className="soft">{seq === undefined ? "As it is" : `After entry ${seq}`}</span><span className="grow" /><Copy text={() => pretty(written(state.data))} /></div>
      {Object.keys(state.data).length === 0 ? <p className="soft">Nothing is kept in it.</p> : <JsonView value={state.data} label="State" />}
    </div>
  );
}

function LogsTab({ lines, pick }: { lines: LogLine[]; pick: (invocation: number) => void }) {
  const [search, setSearch] = useState("");
  const ordered = useMemo(() => [...lines].sort((one, other) => micros(one.at) - micros(other.at)), [lines]);
  const shown = ordered.filter((it) => !search || `${it.message} ${it.level} ${it.source}`.toLowerCase().includes(search.toLowerCase()));
  return (
    <div className="log">
      <div className="tools">
        <input type="search" aria-label="Search the logs" placeholder="Search" value={search} onChange={(event) => setSearch(event.target.value)} />
        <span className="grow" />
        <Copy text={() => shown.map((it) => `${it.at} ${it.level} ${it.message}`).join("\n")} />
      </div>
      {shown.length === 0 && <p className="soft pad">{lines.length === 0 ? "Its steps have written nothing." : "None fits."}</p>}
      <ul className="lines scroll" tabIndex={0} aria-label="Log">
        {shown.slice(0, 2000).map((it) => (
          <li key={`${it.invocation}.${it.attempt}.${it.source}.${it.number}`} className={it.level}>
            <span className="soft">{clock(it.at)}</span> <span className="level">{it.level}</span>{" "}
            <button className="link" onClick={() => pick(it.invocation)}>#{it.invocation}</button> <span>{it.message}</span>
            {Object.keys(it.fields as Json).length > 0 && it.source === "log" && <code className="soft"> {brief(it.fields as Json)}</code>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function StepTab({ history, chosen, seq, logs }: { history: History; chosen?: History["invocations"][number]; seq: number; logs: LogLine[] }) {
  if (!chosen) return <p className="soft pad">Choose a step in the graph or a line of the timeline: what it was given, what it did, and how it ended.</p>;
  const phase = phaseAt(chosen, seq);
  const same = history.invocations.filter((it) => it.step === chosen.step).length;
  const lines = logs.filter((it) => it.invocation === chosen.id && it.source !== "failure");
  return (
    <div className="pad step-tab scroll" tabIndex={0}>
      <h2>{chosen.step} <span className="soft">#{chosen.id}{same > 1 && `, one of ${same}`}</span></h2>
      {phase && <p className={`state-of ${phase}`}><span aria-hidden="true">{PHASES[phase].sign}</span> {PHASES[phase].text}</p>}
      <h3>Given</h3>
      {chosen.events.map((event, at) => (
        <div key={at}><code>{event.type}</code><JsonView value={fieldsOf(event)} label={`Input ${event.type}`} /></div>
      ))}
      <h3>What it did</h3>
      <ol className="spans">
        {chosen.spans.map((span, at) => (
          <li key={at} className={span.seq > seq ? "later" : ""}>
            <span className={span.phase} aria-hidden="true">{PHASES[span.phase as Phase].sign}</span>{" "}
            {PHASES[span.phase as Phase].text}{span.wait && <>: <code>{span.wait.types.join(" or ")}</code></>}
            <span className="soft"> attempt {span.attempt + 1}{span.until && `, ${duration(micros(span.until) - micros(span.from))}`}</span>
          </li>
        ))}
        {chosen.end && <li className={chosen.end.seq > seq ? "later" : ""}><span className={chosen.end.outcome} aria-hidden="true">{PHASES[chosen.end.outcome as Phase].sign}</span> {chosen.end.outcome} {chosen.end.events.map((it) => <code key={it}>{it} </code>)}</li>}
      </ol>
      {chosen.failures.length > 0 && <h3>Failures</h3>}
      {chosen.failures.map((failure) => (
        <div key={failure.attempt} className="problem">
          <strong>✗ attempt {failure.attempt + 1}: {failure.kind}</strong>
          <pre>{failure.message}</pre>
          {failure.trace && <details><summary>Backtrace</summary><pre className="trace" tabIndex={0}>{failure.trace}</pre></details>}
        </div>
      ))}
      {lines.length > 0 && <h3>Log</h3>}
      {lines.length > 0 && <pre tabIndex={0}>{lines.map((it) => it.message).join("\n")}</pre>}
    </div>
  );
}

function SendTab({ run, running }: { run: Run; running: boolean }) {
  const details = useQuery({ queryKey: ["workflow", run.workflow_name], queryFn: () => api.workflow(run.workflow_name) });
  const schemas = useMemo(() => (details.data?.schemas ?? {}) as Record<string, Json>, [details.data]);
  const names = [...new Set([...Object.keys(schemas), ...(details.data?.additional_events ?? [])])].filter((it) => it !== "StopEvent");
  const steps = (details.data?.manifests ?? []).flatMap((it) => (it as Json).steps as { name: string }[]);
  const [type, setType] = useState("");
  const [step, setStep] = useState("");
  const [sent, setSent] = useState<string>();
  if (!running) return <p className="soft pad">The run has ended: nothing can be sent to it.</p>;
  const chosen = type || names.find((it) => it.includes("Response")) || names[0] || "";
  return (
    <div className="pad scroll" tabIndex={0}>
      <label className="row"><span>Event</span>
        <select value={chosen} onChange={(event) => setType(event.target.value)}>{names.map((it) => <option key={it}>{it}</option>)}</select>
      </label>
      <label className="row"><span>To</span>
        <select value={step} onChange={(event) => setStep(event.target.value)}>
          <option value="">whoever takes it</option>
          {steps.map((it) => <option key={it.name}>{it.name}</option>)}
        </select>
      </label>
      <EventForm key={chosen} schema={schemas[chosen] ?? { type: "object", properties: {} }} action="Send"
        submit={async (value) => { await api.send(run.handler_id, chosen, value, step ? { step } : {}); setSent(chosen); }} />
      {sent && <p role="status">✓ {sent} was sent</p>}
    </div>
  );
}
