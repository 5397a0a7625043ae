// One workflow, with everything about it.

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { api, type Json, type Run } from "../api";
import { completed, languages } from "../model/graph";
import { previous, remember } from "../model/inputs";
import { cameOut } from "../model/list";
import { parse } from "../model/json";
import { adjust, go, href, type Route } from "../model/route";
import { clock } from "../model/time";
import { BreakpointToggle, useBreakpoints } from "./breakpoints";
import { Ago, Problem, Status } from "./common";
import { EventForm } from "./EventForm";
import { GraphView } from "./GraphView";
import { LoadError } from "./HomePage";
import { JsonView } from "./JsonView";

export function WorkflowPage({ name, route }: { name: string; route: Route }) {
  const details = useQuery({ queryKey: ["workflow", name], queryFn: () => api.workflow(name), refetchInterval: 3000 });
  const digest = details.data?.listing.components.map((it) => it.digest).join();
  const breakpoints = useBreakpoints(name, false);
  const graph = useQuery({ queryKey: ["graph", name, digest], queryFn: () => api.graph(name), enabled: !!details.data });
  const runs = useQuery({ queryKey: ["runs-of", name], queryFn: () => api.runs({ workflow: [name], limit: 8 }), refetchInterval: 2000 });
  const written = useMemo(() => languages(details.data), [details.data]);
  const whole = useMemo(() => graph.data && completed(graph.data, details.data), [graph.data, details.data]);
  const picked = route.query.get("node") ?? undefined;
  const given = route.query.get("input");
  const [chosen, setChosen] = useState(() => readable(given));
  const inputs = useMemo(() => previous(name), [name]);
  if (details.error && !details.data) return <Problem error={details.error} title={`Workflow ${name}`} />;
  if (!details.data) return <p className="soft">Loading …</p>;
  const { listing, manifests, schemas, start_type, additional_events } = details.data;
  const types = schemas as Record<string, Json>;
  const startSchema = types[start_type ?? "StartEvent"] ?? { type: "object", properties: {} };
  const start = async (input: string) => {
    const run = await api.start(name, input);
    remember(name, input);
    go(href(["runs", run.run_id]));
  };
  const node = whole?.nodes.find((it) => it.id === picked);
  const step = (manifests as Json[]).flatMap((it) => it.steps as Json[]).find((it) => it.name === picked);
  return (
    <>
      <div className="title">
        <h1>{name}</h1>
        <p className="facts">
          {listing.version && <span>v{listing.version}</span>}
          {listing.language && <span>{listing.language}</span>}
          <code title={listing.digest ?? ""}>{listing.digest?.slice(0, 12)}</code>
          <span title={listing.path}>loaded {clock(listing.loaded_at)}</span>
        </p>
      </div>
      {listing.description && <p className="about">{listing.description}</p>}
      <LoadError listing={listing} />
      <div className="split">
        <section className="panel tall" aria-label="Graph">
          {graph.error && <Problem error={graph.error} title="The graph cannot be drawn" />}
          {whole ? (
            <GraphView graph={whole} languages={written} picked={picked} pick={(id) => adjust(route, { node: id === picked ? undefined : id }, true)} />
          ) : (
            <p className="soft">Loading …</p>
          )}
        </section>
        <section className="panel pad" aria-labelledby="run-it">
          <h2 id="run-it">Run it</h2>
          {inputs.length > 0 && (
            <label className="row">
              <span>Before</span>
              <select defaultValue="" onChange={(event) => setChosen(readable(event.target.value))}>
                <option value="">Choose an earlier input</option>
                {inputs.map((it) => (
                  <option key={it}>{it}</option>
                ))}
              </select>
            </label>
          )}
          <EventForm key={chosen} schema={startSchema} initial={chosen} action="Start" submit={start} />
        </section>
      </div>
      <div className="split even">
        <section className="panel pad" aria-labelledby="newest">
          <h2 id="newest">Newest runs</h2>
          {runs.data?.runs.length === 0 && <p className="soft">None yet: start one above.</p>}
          <ul className="plain">
            {runs.data?.runs.map((run) => (
              <li key={run.run_id} className="row">
                <a href={href(["runs", run.run_id])}><code>{run.run_id}</code></a>
                <Status status={run.status} />
                <span className="soft"><Ago at={run.started_at} /></span>
                <span className={run.status === "failed" ? "brief failed" : "brief"}>{cameOut(run as Run)}</span>
              </li>
            ))}
          </ul>
          <p><a href={href(["runs"], { workflow: name })}>All its runs</a></p>
        </section>
        <section className="panel pad" aria-labelledby="node">
          <h2 id="node">{picked ? picked : "Steps and events"}</h2>
          {!picked && <p className="soft">Choose a node of the graph to see what it is.</p>}
          {node?.description && <p>{node.description}</p>}
          {step && <JsonView value={without(step, "description")} label={`Step ${picked}`} />}
          {step && picked && breakpoints && <BreakpointToggle workflow={name} step={picked} breakpoints={breakpoints} />}
          {node?.event_schema != null && <JsonView value={node.event_schema} label={`Schema of ${picked}`} />}
          {!picked && (
            <details>
              <summary>{Object.keys(types).length} event types</summary>
              <JsonView value={types} label="Event types" open={1} />
            </details>
          )}
          {additional_events.length > 0 && !picked && <p>Also taken from outside: {additional_events.join(", ")}</p>}
        </section>
        <section className="panel pad" aria-labelledby="asks-for">
          <h2 id="asks-for">What it asks for</h2>
          <table>
            <thead>
              <tr><th>Of the outside</th><th>Asked for</th><th>Granted</th></tr>
            </thead>
            <tbody>
              {listing.outside.map(({ what, requested, granted }) => (
                <tr key={what}>
                  <td>{what}</td>
                  <td>{requested ? "yes" : "no"}</td>
                  <td>{granted.length > 0 ? granted.join("; ") : what === "sockets" ? "never" : "nothing"}</td>
                </tr>
              ))}
            </tbody>
          </table>
          {listing.imports.length > 0 && (
            <details>
              <summary>{listing.imports.length} imports, and what answers them</summary>
              <ul className="plain">
                {listing.imports.map((name) => (
                  <li key={name}>
                    <code>{name}</code> <span className="soft">{granted(name)}</span>
                  </li>
                ))}
              </ul>
            </details>
          )}
        </section>
      </div>
    </>
  );
}

/** What an import is answered with; what of the outside is granted stands above. */
function granted(name: string): string {
  if (name.startsWith("wf:workflow/")) return "granted: the context of a step";
  if (/^wasi:(http|sockets)/.test(name)) return "denied: `wf:workflow/http` takes its place";
  if (/^wasi:(filesystem|cli\/environment)/.test(name)) return "as far as it is granted above";
  if (/^wasi:(clocks|random)/.test(name)) return "granted: derived, the same again at a re-entry";
  if (/^wasi:cli\/(stdout|stderr)/.test(name)) return "granted: to the run's log";
  return "granted, empty";
}

function without(value: Json, key: string): Json {
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
}

function readable(text: string | null): string | undefined {
  try {
    if (text) parse(text);
    return text || undefined;
  } catch {
    return undefined;
  }
}
