// What a workflow's graph consists of, and where it stands: from start to stop, downwards.

import dagre from "@dagrejs/dagre";
import type { Details, Graph, History, Json } from "../api";
import { edge, type Picture } from "./run";

export interface Placed {
  id: string;
  type: "step" | "event" | "external";
  label: string;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Line {
  source: string;
  target: string;
}

/** Sizes of type, in pixels at a zoom of one; the smaller is that of an event. */
export const TYPE = { step: 13, event: 12 };
/** How wide a letter is on average, as a part of its size. */
const LETTER = 0.6;
const LETTERS_MAX = 30;
const HEIGHT = { step: 46, event: 22, external: 22 };

/** A picture that is higher than this, and than it is wide, is folded like a newspaper's column. */
const HIGH = 520;
/** How much wider than high a folded one is. */
const ASPECT = 2;
const GAP = 64;

/** A name as it is drawn. */
export function label(id: string, type: Placed["type"]): string {
  const text = type === "external" ? "outside" : id;
  return text.length > LETTERS_MAX ? `${text.slice(0, LETTERS_MAX - 1)}…` : text;
}

function size(text: string, type: Placed["type"]): { width: number; height: number } {
  const width = type === "step" ? Math.max(124, text.length * TYPE.step * LETTER + 28) : text.length * TYPE.event * LETTER + 20;
  return { width: Math.round(width), height: HEIGHT[type] };
}

/** The same graph always looks the same. `also`: edges that it does not declare. */
export function layout(graph: Graph, also: Line[] = []): Placed[] {
  const nodes = new dagre.graphlib.Graph().setGraph({ rankdir: "TB", nodesep: 24, ranksep: 22, marginx: 20, marginy: 20 });
  nodes.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) nodes.setNode(node.id, size(label(node.id, kind(node.node_type)), kind(node.node_type)));
  for (const { source, target } of [...wires(graph), ...also]) {
    if (nodes.hasNode(source) && nodes.hasNode(target)) nodes.setEdge(source, target);
  }
  dagre.layout(nodes);
  return folded(
    graph.nodes.map((node) => {
      const { x, y, width, height } = nodes.node(node.id) as { x: number; y: number; width: number; height: number };
      const type = kind(node.node_type);
      return { id: node.id, type, label: label(node.id, type), x: x - width / 2, y: y - height / 2, width, height };
    }),
  );
}

/** Whole ranks, next to each other where they would be too many under each other. A column begins with steps. */
function folded(nodes: Placed[]): Placed[] {
  const right = Math.max(0, ...nodes.map((node) => node.x + node.width));
  const bottom = Math.max(0, ...nodes.map((node) => node.y + node.height));
  if (bottom < HIGH || bottom < right) return nodes;
  const columns = Math.ceil(Math.sqrt((ASPECT * bottom) / (right + GAP)));
  const high = bottom / columns;
  const ranks = new Map<number, Placed[]>();
  for (const node of nodes) {
    const middle = node.y + node.height / 2;
    ranks.set(middle, [...(ranks.get(middle) ?? []), node]);
  }
  const sorted = [...ranks.entries()].sort(([one], [other]) => one - other).map(([, rank]) => rank);
  const cut: Placed[][] = [[]];
  let top = 0;
  for (const rank of sorted) {
    const y = Math.min(...rank.map((node) => node.y));
    if (y - top >= high && rank.some((node) => node.type === "step")) {
      top = y;
      cut.push([]);
    }
    cut.at(-1)!.push(...rank);
  }
  const first = Math.min(...nodes.map((node) => node.y));
  let left = 20;
  const moved = new Map<string, Placed>();
  for (const column of cut) {
    const [from, above] = [Math.min(...column.map((it) => it.x)), Math.min(...column.map((it) => it.y))];
    for (const node of column) moved.set(node.id, { ...node, x: node.x - from + left, y: node.y - above + first });
    left += Math.max(...column.map((it) => it.x + it.width)) - from + GAP;
  }
  return nodes.map((node) => moved.get(node.id)!);
}

/** More that steps may return without naming it (`emits_any`) would hide what they do name. */
const UNNAMED_MAX = 8;

type Declared = Line & { declared: boolean };

/** The server's edges; not declared: the step does not say that it returns this, but it may. */
function wires(graph: Graph): Declared[] {
  const events = new Map(graph.nodes.map((node) => [node.id, node.produced_by]));
  const steps = new Set(graph.nodes.filter((node) => node.node_type === "step").map((node) => node.id));
  const says = (source: string, target: string) => !steps.has(source) || (events.get(target)?.includes(source) ?? true);
  const all = graph.edges.map(({ source, target }) => ({ source, target, declared: says(source, target) }));
  const named = all.filter((it) => it.declared);
  return all.length - named.length > UNNAMED_MAX ? named : all;
}

/** What is drawn between the nodes: also what has flowed in a run, and was not declared. */
export function drawn(graph: Graph, picture?: Picture): Declared[] {
  const declared = wires(graph);
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
  let changed = false;
  const add = (step: string, event: string, source: string, target: string) => {
    if (nodes.get(step)?.node_type !== "step") return;
    if (!nodes.has(event)) changed = !!nodes.set(event, { id: event, label: event, node_type: "event", event_type: event, event_types: [event], event_schema: (details?.schemas as Json | undefined)?.[event], produced_by: [] });
    if (!edges.has(edge(source, target))) changed = !!edges.set(edge(source, target), { source, target });
  };
  for (const { name, sends = [] } of steps) {
    for (const event of sends) {
      add(name, event, name, event);
      // What is sent is declared as what is returned is.
      const node = nodes.get(event);
      if (node && node.node_type === "event" && nodes.has(name) && !node.produced_by?.includes(name)) changed = !!nodes.set(event, { ...node, produced_by: [...(node.produced_by ?? []), name] });
    }
  }
  for (const { step, spans } of history?.invocations ?? []) {
    for (const event of spans.flatMap((span) => span.wait?.types ?? [])) add(step, event, event, step);
  }
  return !changed ? graph : { ...graph, nodes: [...nodes.values()], edges: [...edges.values()] };
}

/** What each step is written in, by its name; of a workflow in one language, nothing. */
export function languages(details?: Pick<Details, "manifests">): Map<string, string> {
  const manifests = (details?.manifests ?? []) as unknown as { language?: string; steps: { name: string }[] }[];
  if (new Set(manifests.map((it) => it.language)).size < 2) return new Map();
  return new Map(manifests.flatMap((it) => it.steps.map((step) => [step.name, it.language ?? "?"] as const)));
}

function kind(text: string): Placed["type"] {
  return text === "step" || text === "external" ? text : "event";
}
