// A graph as it is drawn: boxes, and the lines between them. What the page shows and what it exports is this.

import type { Graph } from "../api";
import { drawn, type Placed } from "./graph";
import { edge, leading, type Counts, type Phase, type Picture } from "./run";

export interface Box extends Placed {
  counts?: Counts;
  /** What a step is written in, where a workflow has several languages. */
  language?: string;
  phase?: Phase;
  /** Of an event: how many flowed. */
  flowed: number;
  /** Whether it was reached in the run that is shown; true where none is. */
  used: boolean;
}

export interface Wire {
  id: string;
  path: string;
  declared: boolean;
  count: number;
  used: boolean;
  /** Whether it ends with an arrow: at a step, not at the chip that sits on its way. */
  arrow: boolean;
}

export interface Scene {
  boxes: Box[];
  wires: Wire[];
  width: number;
  height: number;
}

export type Places = Record<string, { x: number; y: number }>;

const MARGIN = 20;
/** How far a wire that goes back keeps from what it goes around. */
const AROUND = 14;
const CORNER = 8;

export function scene(graph: Graph, placed: Placed[], places: Places, picture?: Picture, languages?: Map<string, string>): Scene {
  const boxes = placed.map((node): Box => {
    const counts = picture?.steps.get(node.id);
    const flowed = node.type === "event" ? flows(graph, picture, node.id) : 0;
    const used = !picture || node.type === "external" || (node.type === "step" ? !!counts : flowed > 0);
    return { ...node, ...places[node.id], counts, language: languages?.get(node.id), phase: leading(counts), flowed, used };
  });
  const at = new Map(boxes.map((box) => [box.id, box]));
  const wires = drawn(graph, picture).flatMap(({ source, target, declared }): Wire[] => {
    const [from, to] = [at.get(source), at.get(target)];
    if (!from || !to) return [];
    const count = picture ? passing(graph, picture, from, to) : 0;
    return [{ id: edge(source, target), path: route(from, to, boxes), declared, count, used: !picture || count > 0, arrow: to.type === "step" }];
  });
  return {
    boxes,
    wires,
    // Wires go around what stands furthest to the right.
    width: Math.max(1, ...boxes.map((it) => it.x + it.width)) + MARGIN + AROUND,
    height: Math.max(1, ...boxes.map((it) => it.y + it.height)) + MARGIN,
  };
}

/** How often something went along a wire: what a question asks the outside was asked as often as it was published, what it answers was taken. */
function passing(graph: Graph, picture: Picture, from: Placed, to: Placed): number {
  if (from.type === "external") return taken(graph, picture, to.id);
  if (to.type === "external") return flows(graph, picture, from.id);
  return picture.flows.get(edge(from.id, to.id)) ?? 0;
}

const taken = (graph: Graph, picture: Picture, event: string): number => graph.edges.reduce((most, it) => (it.source === event ? Math.max(most, picture.flows.get(edge(event, it.target)) ?? 0) : most), 0);

function flows(graph: Graph, picture: Picture | undefined, event: string): number {
  if (!picture) return 0;
  const sum = (some: Graph["edges"]) => some.reduce((most, it) => Math.max(most, picture.flows.get(edge(it.source, it.target)) ?? 0), 0);
  return sum(graph.edges.filter((it) => it.source === event || it.target === event));
}

/** How near a wire comes to a box that it passes. */
const NEAR = 6;

/** From the lower side of one to the upper side of another; around what is between, and where that lies higher. */
export function route(from: Placed, to: Placed, others: Placed[] = []): string {
  const [x1, y1] = [from.x + from.width / 2, from.y + from.height];
  const [x2, y2] = [to.x + to.width / 2, to.y];
  if (y2 >= y1) {
    const between = others.filter((it) => it !== from && it !== to && it.y < y2 && it.y + it.height > y1);
    const passing = passed(between, x1, y1, x2, y2);
    if (passing.length > 0) return around(x1, y1, x2, y2, passing, between);
    const bend = Math.max(8, (y2 - y1) / 2);
    return `M${n(x1)} ${n(y1)}C${n(x1)} ${n(y1 + bend)} ${n(x2)} ${n(y2 - bend)} ${n(x2)} ${n(y2)}`;
  }
  const beside = to.x > from.x + from.width ? to.x - AROUND * 1.5 : to.x + to.width < from.x ? to.x + to.width + AROUND * 1.5 : Math.max(from.x + from.width, to.x + to.width) + AROUND;
  return rounded([[x1, y1], [x1, y1 + AROUND], [beside, y1 + AROUND], [beside, y2 - AROUND], [x2, y2 - AROUND], [x2, y2]]);
}

/** The boxes that a straight line would cross. */
function passed(all: Placed[], x1: number, y1: number, x2: number, y2: number): Placed[] {
  const at = (y: number) => x1 + ((x2 - x1) * (Math.min(Math.max(y, y1), y2) - y1)) / Math.max(1, y2 - y1);
  return all.filter((it) => {
    const [upper, lower] = [at(it.y), at(it.y + it.height)];
    return Math.max(upper, lower) > it.x - NEAR && Math.min(upper, lower) < it.x + it.width + NEAR;
  });
}

/** Beside the boxes that are in the way, on the side that is nearer. */
function around(x1: number, y1: number, x2: number, y2: number, passing: Placed[], between: Placed[]): string {
  const [upper, lower] = [Math.min(...passing.map((it) => it.y)), Math.max(...passing.map((it) => it.y + it.height))];
  const rows = between.filter((it) => it.y < lower && it.y + it.height > upper);
  const free = (x: number, step: number): number => {
    const hit = rows.find((it) => x > it.x - NEAR && x < it.x + it.width + NEAR);
    return hit ? free(step < 0 ? hit.x - AROUND : hit.x + hit.width + AROUND, step) : x;
  };
  const middle = (x1 + x2) / 2;
  const [left, right] = [free(Math.min(...passing.map((it) => it.x)) - AROUND, -1), free(Math.max(...passing.map((it) => it.x + it.width)) + AROUND, 1)];
  const beside = left > 0 && middle - left < right - middle ? left : right;
  const bend = (y: number, to: number) => Math.max(8, Math.abs(to - y) / 2);
  const [down, up] = [bend(y1, upper), bend(lower, y2)];
  return `M${n(x1)} ${n(y1)}C${n(x1)} ${n(y1 + down)} ${n(beside)} ${n(upper - down)} ${n(beside)} ${n(upper)}L${n(beside)} ${n(lower)}C${n(beside)} ${n(lower + up)} ${n(x2)} ${n(y2 - up)} ${n(x2)} ${n(y2)}`;
}

function rounded(points: [number, number][]): string {
  let path = `M${n(points[0]![0])} ${n(points[0]![1])}`;
  for (let at = 1; at < points.length - 1; at++) {
    const [before, [x, y], after] = [points[at - 1]!, points[at]!, points[at + 1]!];
    const towards = ([a, b]: [number, number]) => {
      const far = Math.hypot(a - x, b - y) || 1;
      const cut = Math.min(CORNER, far / 2);
      return `${n(x + ((a - x) / far) * cut)} ${n(y + ((b - y) / far) * cut)}`;
    };
    path += `L${towards(before)}Q${n(x)} ${n(y)} ${towards(after)}`;
  }
  const [x, y] = points.at(-1)!;
  return `${path}L${n(x)} ${n(y)}`;
}

const n = (value: number): string => String(Math.round(value * 10) / 10);

/** The box that an arrow key goes to: the nearest that way. */
export function neighbour(boxes: Placed[], id: string, key: string): string | undefined {
  const from = boxes.find((it) => it.id === id);
  if (!from) return boxes[0]?.id;
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key] ?? [0, 0];
  let [best, least]: [string | undefined, number] = [undefined, Infinity];
  for (const box of boxes) {
    const [x, y] = [box.x + box.width / 2 - from.x - from.width / 2, box.y + box.height / 2 - from.y - from.height / 2];
    const along = x * dx! + y * dy!;
    const across = Math.abs(x * dy!) + Math.abs(y * dx!);
    const far = along + across;
    // The key says where to: what lies more beside than ahead is not meant.
    if (box.id !== id && along > 1 && across < 3 * along && far < least) [best, least] = [box.id, far];
  }
  return best;
}
