// Where the nodes of a graph stand: from start to stop, left to right.

import dagre from "@dagrejs/dagre";
import type { Details, Graph, History, Json } from "../api";
import { edge, type Picture } from "./run";

export interface Placed {
  id: string;
  type: "step" | "event" | "external";
  x: number;
  y: number;
  width: number;
  height: number;
}

const SIZES = { step: { width: 170, height: 60 }, event: { width: 160, height: 38 }, external: { width: 120, height: 40 } };

/** A picture wider than this, and than so many times its height, is folded like lines of text. */
const WIDE = 1200;
const ASPECT = 6;
/** What a folded one comes to. */
const FOLDED = 3;
const GAP = 70;

/** The same graph always looks the same. `also`: edges that it does not declare. */
export function layout(graph: Graph, also: { source: string; target: string }[] = []): Placed[] {
  const drawn = new dagre.graphlib.Graph().setGraph({ rankdir: "LR", nodesep: 26, ranksep: 44, marginx: 16, marginy: 16 });
  drawn.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) drawn.setNode(node.id, { ...SIZES[kind(node.node_type)] });
  for (const { source, target } of [...graph.edges, ...also]) {
    if (drawn.hasNode(source) && drawn.hasNode(target)) drawn.setEdge(source, target);
  }
  dagre.layout(drawn);
  return folded(graph.nodes.map((node) => {
    const { x, y, width, height } = drawn.node(node.id) as { x: number; y: number; width: number; height: number };
    return { id: node.id, type: kind(node.node_type), x: x - width / 2, y: y - height / 2, width, height };
  }));
}

/** What is drawn between the nodes; not declared: the step does not say that it returns this, but it may (`emits_any`), or it has sent it. */
export function drawn(graph: Graph, picture?: Picture): { source: string; target: string; declared: boolean }[] {
  const events = new Map(graph.nodes.map((node) => [node.id, node.produced_by]));
  const steps = new Set(graph.nodes.filter((node) => node.node_type === "step").map((node) => node.id));
  const says = (source: string, target: string) => !steps.has(source) || (events.get(target)?.includes(source) ?? true);
  const declared = graph.edges.map(({ source, target }) => ({ source, target, declared: says(source, target) }));
  const known = new Set(declared.map(({ source, target }) => edge(source, target)));
  const nodes = new Set(graph.nodes.map((node) => node.id));
  const others = [...(picture?.flows.keys() ?? [])].filter((key) => !known.has(key)).map((key) => key.split("→") as [string, string]);
  return [...declared, ...others.filter(([one, two]) => nodes.has(one) && nodes.has(two)).map(([source, target]) => ({ source, target, declared: false }))];
}

/** The graph with what a step sends or waits for while it goes on, which the server's does not have: a question, and its answer. */
export function completed(graph: Graph, details?: Details, history?: History): Graph {
  const steps = (details?.manifests ?? []).flatMap((it) => (it as Json).steps as { name: string; sends?: string[] }[]);
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const edges = new Map(graph.edges.map((it) => [edge(it.source, it.target), it]));
  const add = (step: string, event: string, source: string, target: string) => {
    if (nodes.get(step)?.node_type !== "step") return;
    if (!nodes.has(event)) nodes.set(event, { id: event, label: event, node_type: "event", event_type: event, event_types: [event], event_schema: (details?.schemas as Json | undefined)?.[event], produced_by: [] });
    if (!edges.has(edge(source, target))) edges.set(edge(source, target), { source, target });
  };
  for (const { name, sends = [] } of steps) for (const event of sends) add(name, event, name, event);
  for (const { step, spans } of history?.invocations ?? []) {
    for (const event of spans.flatMap((span) => span.wait?.types ?? [])) add(step, event, event, step);
  }
  return nodes.size === graph.nodes.length && edges.size === graph.edges.length ? graph : { ...graph, nodes: [...nodes.values()], edges: [...edges.values()] };
}

/** What each step is written in, by its name; of a workflow in one language, nothing. */
export function languages(details?: Pick<Details, "manifests">): Map<string, string> {
  const manifests = (details?.manifests ?? []) as unknown as { language?: string; steps: { name: string }[] }[];
  if (new Set(manifests.map((it) => it.language)).size < 2) return new Map();
  return new Map(manifests.flatMap((it) => it.steps.map((step) => [step.name, it.language ?? "?"] as const)));
}

function folded(nodes: Placed[]): Placed[] {
  const right = Math.max(0, ...nodes.map((node) => node.x + node.width));
  const bottom = Math.max(0, ...nodes.map((node) => node.y + node.height));
  if (right < WIDE || right < ASPECT * bottom) return nodes;
  const lines = Math.ceil(Math.sqrt(right / (FOLDED * (bottom + GAP))));
  // Whole columns: what stands under each other stays so.
  const middles = [...new Set(nodes.map((node) => node.x + node.width / 2))].sort((one, other) => one - other);
  const line = Math.ceil(middles.length / lines);
  const place = new Map(middles.map((middle, at) => [middle, { row: Math.floor(at / line), from: middles[at - (at % line)]! }]));
  const first = middles[0] ?? 0;
  return nodes.map((node) => {
    const { row, from } = place.get(node.x + node.width / 2) ?? { row: 0, from: first };
    return { ...node, x: node.x - from + first, y: node.y + row * (bottom + GAP) };
  });
}

function kind(text: string): Placed["type"] {
  return text === "step" || text === "external" ? text : "event";
}
