// One run: as it goes, and at any moment of it.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { api, type Graph } from "../../api";
import { lastAttempt, starting } from "../../model/fork";
import { completed, languages } from "../../model/graph";
import { written } from "../../model/json";
import { journal, outputs, published } from "../../model/journal";
import { asking, questions, waitsForSomebody } from "../../model/questions";
import { activeAt, culprit, edges, momentOfFrame, pictureAt } from "../../model/run";
import { adjust, href, type Route } from "../../model/route";
import { goesOn } from "../../model/status";
import { micros } from "../../model/time";
import { BreakpointToggle, useBreakpoints } from "../breakpoints";
import { Problem, useSession } from "../common";
import { Divided } from "../Divider";
import { GraphView } from "../GraphView";
import { EventsTab } from "./EventsTab";
import { ForkForm } from "./ForkForm";
import { Header } from "./Header";
import { JournalTab } from "./JournalTab";
import { LogsTab } from "./LogsTab";
import { Outcome } from "./Outcome";
import { Paused } from "./Paused";
import { Questions } from "./Questions";
import { SendTab } from "./SendTab";
import { StateTab } from "./StateTab";
import { StepTab } from "./StepTab";
import { Tabs } from "./Tabs";
import { Timeline } from "./Timeline";
import { useLogs } from "./useLogs";
import { useRunData } from "./useRunData";

const TABS = { journal: "Journal", events: "Events", state: "State", logs: "Logs", step: "Step", send: "Send" };
type Tab = keyof typeof TABS;

export function RunPage({ id, route }: { id: string; route: Route }) {
  const data = useRunData(id);
  const { stage, run, history, frames, problem, look } = data;
  const readOnly = useSession()?.read_only ?? false;
  const [forking, fork] = useState<{ at: number; title: string }>();
  const workflow = run?.workflow_name;
  const graph = useQuery({ queryKey: ["run-graph", id], queryFn: () => api.runGraph(id), enabled: run !== undefined });
  const details = useQuery({ queryKey: ["workflow", workflow], queryFn: () => api.workflow(workflow!), enabled: workflow !== undefined });
  const breakpoints = useBreakpoints(workflow, !!run && goesOn(run));
  const given = route.query.get("tab") ?? "";
  const tab = given in TABS ? (given as Tab) : "journal";
  const logs = useLogs(id, run !== undefined && (tab === "logs" || tab === "step"), !!run && goesOn(run));
  const written = useMemo(() => languages(details.data), [details.data]);
  const whole = useSteady(useMemo(() => graph.data && completed(graph.data, details.data, history), [graph.data, details.data, history]));
  const asked = number(route.query.get("at"));
  const newest = history?.moments.at(-1)?.seq ?? 0;
  const at = asked === undefined ? undefined : Math.min(asked, newest);
  const seq = at ?? newest;
  const beside = useMemo(() => (history ? published(history, frames) : []), [history, frames]);
  const known = useMemo(() => (history ? edges(pictureAt(history, newest, beside)) : []), [history, newest, beside]);
  const open = useMemo(() => (history && run && goesOn(run) ? questions(history, frames, details.data) : []), [history, run, frames, details.data]);
  const picture = useMemo(() => {
    const then = history && pictureAt(history, seq, beside);
    return then && seq === newest ? asking(then, open) : then;
  }, [history, seq, newest, beside, open]);
  const lines = useMemo(() => (history && tab === "journal" ? journal(history, frames) : []), [history, frames, tab]);
  const made = useMemo(() => (history && tab === "step" ? outputs(history, frames) : undefined), [history, frames, tab]);

  if (stage === "starting") return <section className="empty" role="status"><h1>The server is starting</h1><p>The run is shown as soon as it is there.</p></section>;
  if (stage === "missing") return <section className="empty"><h1>There is no such run</h1><p>{(problem as Error).message}: it was purged, or never was. <a href={href(["runs"])}>All runs</a></p></section>;
  if (!run) return problem ? <Problem error={problem} title={`Run ${id}`} /> : <p className="soft pad">Loading …</p>;
  if (stage === "broken") {
    return (
      <div className="run">
        <Header run={run} stage={stage} status={run.status} look={look} />
        <Problem error={problem} title="What happened in it cannot be shown" />
      </div>
    );
  }
  if (!history) return <p className="soft pad">Loading …</p>;

  const running = goesOn(run) && (stage === "live" || stage === "offline");
  const moment = history.moments.find((it) => it.seq === seq) ?? history.moments.at(-1);
  const invocation = number(route.query.get("invocation"));
  const event = number(route.query.get("event"));
  const chosen = history.invocations.find((it) => it.id === invocation);
  const frame = frames.find((it) => it.sequence === event);
  const publisher = event === undefined ? undefined : (history.moments.find((it) => it.seq === momentOfFrame(history, event))?.invocation ?? undefined);
  const paused = (breakpoints?.paused ?? []).filter((it) => it.run_id === id);
  const status = running && paused.length > 0 ? "paused" : running && (run.status === "waiting" || waitsForSomebody(history, open)) ? "waiting" : run.status;
  const inGraph = (name?: string) => whole?.nodes.some((it) => it.id === name);
  const node = chosen?.step ?? (inGraph(frame?.type) ? frame?.type : history.invocations.find((it) => it.id === publisher)?.step) ?? route.query.get("node") ?? undefined;
  const isStep = (name: string) => whole?.nodes.some((it) => it.id === name && it.node_type === "step");
  const active = run.status === "failed" && at === undefined ? culprit(history)?.step : activeAt(history, seq);

  // Selections and tabs are steps that Back takes back; a moment that is passed over is none.
  const choose = (changes: Record<string, string | undefined>) => adjust(route, { invocation: undefined, event: undefined, node: undefined, ...changes }, true);
  const chooseStep = (id: number) => choose({ invocation: String(id), tab: "step" });
  const chooseNode = (name: string) => {
    const of = history.invocations.filter((it) => it.step === name && it.seq <= seq);
    const frame = frames.findLast((it) => it.type === name);
    if (of.length > 0) chooseStep(of.at(-1)!.id);
    else choose({ node: node === name && !frame ? undefined : name, event: frame && String(frame.sequence), ...(frame ? { tab: "events" } : {}) });
  };
  const moved = (to: number | undefined, step = false) => adjust(route, { at: to === undefined ? undefined : String(to) }, step);
  const from = (at: number, title = "Fork from here") => fork({ at, title });
  const forks = readOnly ? undefined : (at: number) => from(at);

  return (
    <div className="run workspace">
      <Header run={run} stage={stage} history={history} status={status} look={look} fork={at === undefined ? () => fork(starting(run, history)) : () => from(seq)} forkLabel={at === undefined && !running ? "Fork" : "Fork from here"} />
      {stage === "ended" && <Outcome run={run} history={history} show={chooseStep} again={readOnly ? undefined : (it) => from(lastAttempt(history.invocations.find((one) => one.id === it)!), "Try again from this step")} />}
      {running && paused.length > 0 && <Paused all={paused} run={run} look={look} />}
      {running && !readOnly && open.length > 0 && <Questions all={open} run={run} look={look} />}
      <Divided name="timeline" initial={32} lie="under">
        <Divided name="details" initial={42} lie="beside">
          <section className="panel graph-panel" aria-label="Graph">
            {graph.error && <Problem error={graph.error} title="The graph cannot be drawn" />}
            {whole && !details.isPending && <GraphView key={whole.nodes.length} graph={whole} languages={written} picture={picture} also={known} picked={node} pick={chooseNode} active={active} />}
          </section>
          <section className="panel side" aria-label="Details of the run">
            <Tabs names={TABS} tab={tab} pick={(tab) => adjust(route, { tab }, true)}>
              {tab === "journal" && <JournalTab lines={lines} at={at} live={running} search={route.query.get("search") ?? ""} find={(search) => adjust(route, { search })} look={(it) => moved(it, true)} step={chooseStep} fork={forks} />}
              {tab === "events" && (
                <EventsTab frames={frames} history={history} until={at === undefined ? Infinity : (moment?.frames ?? 0)} live={running} picked={event}
                  pick={(it) => choose({ event: event === it ? undefined : String(it) })} moment={(it) => moved(momentOfFrame(history, it), true)}
                  internal={route.query.get("internal") === "true"} search={route.query.get("search") ?? ""}
                  change={({ internal, search }) => adjust(route, { ...(internal === undefined ? {} : { internal: internal ? "true" : undefined }), ...(search === undefined ? {} : { search }) })} />
              )}
              {tab === "state" && <StateTab id={id} seq={at} newest={newest} />}
              {tab === "logs" && <LogsTab logs={logs} history={history} at={at !== undefined && moment ? micros(moment.at) : undefined} live={running} pick={chooseStep} />}
              {tab === "step" && breakpoints && node !== undefined && isStep(node) && <BreakpointToggle workflow={run.workflow_name} step={node} breakpoints={breakpoints} />}
              {tab === "step" && <StepTab history={history} chosen={chosen} outputs={(chosen && made?.get(chosen.id)) ?? []} seq={seq} lines={logs.lines} pick={chooseStep} fork={forks} show={() => adjust(route, { tab: "logs" }, true)} />}
              {tab === "send" && (readOnly ? <p className="soft pad">The run is shown to be looked at: nothing can be sent to it.</p> : <SendTab run={run} look={look} />)}
            </Tabs>
          </section>
        </Divided>
        <section className="panel timeline-panel" aria-label="Timeline of the run">
          <Timeline history={history} ended={run.completed_at ? micros(run.completed_at) : undefined} seq={seq} live={at === undefined} set={(it) => moved(it)} picked={chosen?.id ?? publisher}
            pick={(it) => (invocation === it ? choose({}) : chooseStep(it))} />
        </section>
      </Divided>
      {forking && <ForkForm run={run} history={history} {...forking} close={() => fork(undefined)} />}
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
  const same = useMemo(() => shape(kept.current) === shape(graph), [graph]);
  useEffect(() => {
    if (!same) kept.current = graph;
  }, [graph, same]);
  return same ? kept.current : graph;
}
