// JSON as it was written. JavaScript rounds long numbers, writes `1.0` as `1` and moves keys like
// `"2"` to the front; on its way through the page a payload keeps all of that.

import { parseTree, type Node } from "jsonc-parser";

/** A number that JavaScript would write in another way. */
export class Exact {
  constructor(readonly text: string) {}
  toString(): string {
    return this.text;
  }
}

/** How objects and arrays were written, where JavaScript would write them in another way. */
const sources = new WeakMap<object, string>();

/** Reads JSON; what comes of it is written again by `written`. */
export function parse(text: string): unknown {
  const value: unknown = JSON.parse(text);
  return JSON.stringify(value) === text ? value : kept(text, parseTree(text)!);
}

function kept(text: string, node: Node): unknown {
  if (node.type === "number") return String(node.value) === slice(text, node) ? node.value : new Exact(slice(text, node));
  if (node.type !== "object" && node.type !== "array") return node.value;
  const value =
    node.type === "array"
      ? (node.children ?? []).map((it) => kept(text, it))
      : Object.fromEntries(members(node).map(([key, it]) => [key.value, kept(text, it)]));
  sources.set(value, slice(text, node));
  return value;
}

export function slice(text: string, { offset, length }: Node): string {
  return text.slice(offset, offset + length);
}

/** The keys and values of an object, in the order in which they stand there. */
export function members(node: Node): [Node, Node][] {
  return (node.children ?? []).map(({ children }) => [children![0]!, children![1]!]);
}

/** What `parse` has read, as it stood there; anything else as JSON. */
export function written(value: unknown): string {
  if (value instanceof Exact) return value.text;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const source = sources.get(value);
  if (source !== undefined) return source;
  if (Array.isArray(value)) return `[${value.map(written).join(",")}]`;
  const given = Object.entries(value).filter(([, it]) => it !== undefined);
  return `{${given.map(([key, it]) => `${JSON.stringify(key)}:${written(it)}`).join(",")}}`;
}

/** JSON in lines, for people; numbers, keys and text stay as they are. */
export function pretty(text: string): string {
  const root = parseTree(text);
  return root ? laid(text, root, (it) => slice(text, it), "\n") : text;
}

/** JSON without space between its parts. */
export function compact(text: string): string {
  const root = parseTree(text);
  return root ? laid(text, root, (it) => slice(text, it), "") : text;
}

const briefs = new WeakMap<object, string>();

/** In one line, to be read and searched: text is not escaped more than it must be. */
export function brief(value: object): string {
  const known = briefs.get(value);
  if (known !== undefined) return known;
  const text = written(value);
  const root = text.includes("\\") ? parseTree(text) : undefined;
  const line = root ? laid(text, root, (it) => (it.type === "string" ? JSON.stringify(it.value) : slice(text, it)), "") : text;
  briefs.set(value, line);
  return line;
}

/** `line`: what stands before a line; none: there is only one. */
function laid(text: string, node: Node, scalar: (node: Node) => string, line: string): string {
  const inner = line && `${line}  `;
  const list = (items: string[], [open, close]: string) => (items.length === 0 ? `${open}${close}` : `${open}${inner}${items.join(`,${inner}`)}${line}${close}`);
  if (node.type === "array") return list((node.children ?? []).map((it) => laid(text, it, scalar, inner)), "[]");
  if (node.type !== "object") return scalar(node);
  return list(members(node).map(([key, it]) => `${scalar(key)}:${line && " "}${laid(text, it, scalar, inner)}`), "{}");
}
