// JSON as the lines of a tree: only those that are open, so that megabytes of it can be looked at.

import { parseTree, type Node } from "jsonc-parser";
import { members, slice } from "./json";

export interface Row {
  /** Where it is: the same as long as the value is. */
  path: string;
  depth: number;
  name?: string | number;
  node: Node;
  /** Whether it can be opened, and is. */
  open?: boolean;
  /** The closing bracket of what was opened before. */
  close?: boolean;
}

export interface Tree {
  text: string;
  root: Node;
}

export function tree(text: string): Tree | undefined {
  const root = parseTree(text);
  return root && { text, root };
}

/** `deep`: how deep it is open; `changed`: where somebody has turned that round. */
export function rows({ root }: Tree, deep: number, changed: ReadonlySet<string>): Row[] {
  const all: Row[] = [];
  const visit = (node: Node, path: string, depth: number, name?: string | number) => {
    const list = node.type === "array" || node.type === "object";
    if (!list || !node.children?.length) return void all.push({ path, depth, name, node });
    const open = depth < deep !== changed.has(path);
    all.push({ path, depth, name, node, open });
    if (!open) return;
    if (node.type === "array") node.children.forEach((it, at) => visit(it, `${path}/${at}`, depth + 1, at));
    else members(node).forEach(([key, it], at) => visit(it, `${path}/${at}`, depth + 1, key.value as string));
    all.push({ path: `${path}/`, depth, node, close: true });
  };
  visit(root, "", 0);
  return all;
}

/** What stands in a line that is no list, as it was written. */
export function leaf({ text }: Tree, { node }: Row): string {
  if (node.type === "array") return "[]";
  if (node.type === "object") return "{}";
  return node.type === "string" ? `"${node.value as string}"` : slice(text, node);
}

export function summary({ node }: Row): string {
  const count = node.children?.length ?? 0;
  const [before, after, what] = node.type === "array" ? ["[", "]", "item"] : ["{", "}", "key"];
  return `${before} … ${after} ${count} ${what}${count === 1 ? "" : "s"}`;
}
