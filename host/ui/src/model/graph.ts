// Where the nodes of a graph stand: from start to stop, left to right.

import dagre from "@dagrejs/dagre";
import type { Graph } from "../api";

export interface Placed {
  id: string;
  type: "step" | "event" | "external";
  x: number;
  y: number;
  width: number;
  height: number;
}

const SIZES = { step: { width: 190, height: 64 }, event: { width: 170, height: 40 }, external: { width: 120, height: 40 } };

/** The same graph always looks the same. */
export function layout(graph: Graph): Placed[] {
  const drawn = new dagre.graphlib.Graph().setGraph({ rankdir: "LR", nodesep: 28, ranksep: 56, marginx: 16, marginy: 16 });
  drawn.setDefaultEdgeLabel(() => ({}));
  for (const node of graph.nodes) drawn.setNode(node.id, { ...SIZES[kind(node.node_type)] });
  for (const { source, target } of graph.edges) {
    if (drawn.hasNode(source) && drawn.hasNode(target)) drawn.setEdge(source, target);
  }
  dagre.layout(drawn);
  return graph.nodes.map((node) => {
    const { x, y, width, height } = drawn.node(node.id) as { x: number; y: number; width: number; height: number };
    return { id: node.id, type: kind(node.node_type), x: x - width / 2, y: y - height / 2, width, height };
  });
}

function kind(text: string): Placed["type"] {
  return text === "step" || text === "external" ? text : "event";
}
