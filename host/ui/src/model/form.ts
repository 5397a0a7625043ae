// A payload in a form. The form's library knows JavaScript's numbers and copies objects as it
// likes; what nobody touches is sent as it came, and a number as it was typed.

import { parseTree, type Node } from "jsonc-parser";
import { Exact, members, slice, written } from "./json";

/** In a form, an exact number is text behind a mark, which nothing that is typed can begin with. */
const MARK = `exact ${Math.random()} `;
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;

/** A value that `parse` has read, for a form. */
export function held(value: unknown): unknown {
  if (value instanceof Exact) return MARK + value.text;
  if (Array.isArray(value)) return value.map(held);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, held(it)]));
}

/** The text of an exact number. */
export function exactly(value: unknown): string | undefined {
  return typeof value === "string" && value.startsWith(MARK) ? value.slice(MARK.length) : undefined;
}

/** What was typed into a number's field: exact where JavaScript's number is not; none: it is no number. */
export function typed(text: string): number | string | undefined {
  if (!NUMBER.test(text)) return undefined;
  return String(Number(text)) === text ? Number(text) : MARK + text;
}

/** A form's value with numbers that can be reckoned with. */
export function reckoned(value: unknown): unknown {
  const text = exactly(value);
  if (text !== undefined) return Number(text);
  if (Array.isArray(value)) return value.map(reckoned);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, it]) => [key, reckoned(it)]));
}

/** A form's value as JSON, with all that stands in `before`, too, as it stands there. */
export function carried(before: string, value: unknown): string {
  return merged(before, parseTree(before), value);
}

function merged(text: string, node: Node | undefined, value: unknown): string {
  if (node && same(text, node, value)) return slice(text, node);
  if (Array.isArray(value)) {
    const items = node?.type === "array" ? (node.children ?? []) : [];
    return `[${value.map((it, at) => merged(text, items[at], it)).join(",")}]`;
  }
  if (value === null || typeof value !== "object") return exactly(value) ?? written(value);
  const after = value as Record<string, unknown>;
  const there = new Map(node?.type === "object" ? members(node).map(([key, it]) => [key.value as string, { key: slice(text, key), it }]) : []);
  const names = [...there.keys(), ...Object.keys(after).filter((it) => !there.has(it))].filter((it) => Object.hasOwn(after, it) && after[it] !== undefined);
  return `{${names.map((name) => `${there.get(name)?.key ?? JSON.stringify(name)}:${merged(text, there.get(name)?.it, after[name])}`).join(",")}}`;
}

/** Whether a value of the form is still what was written; keys may stand in another order. */
function same(text: string, node: Node, value: unknown): boolean {
  if (node.type === "array") {
    const items = node.children ?? [];
    return Array.isArray(value) && value.length === items.length && items.every((it, at) => same(text, it, value[at]));
  }
  if (node.type === "object") {
    if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
    // Of a key that stands there twice, the last counts.
    const there = new Map(members(node).map(([key, it]) => [key.value as string, it]));
    const after = Object.entries(value).filter(([, it]) => it !== undefined);
    return after.length === there.size && after.every(([key, it]) => there.has(key) && same(text, there.get(key)!, it));
  }
  if (node.type === "number") return value === node.value ? String(value) === slice(text, node) : exactly(value) === slice(text, node);
  return node.value === value;
}

/** Maps of names, in a schema: `default` is a name there. */
const NAMES = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/** A schema for a form: its bounds can be reckoned with, its defaults are held. */
export function formed(schema: unknown, names = false): unknown {
  if (schema instanceof Exact) return Number(schema.text);
  if (Array.isArray(schema)) return schema.map((it) => formed(it));
  if (schema === null || typeof schema !== "object") return schema;
  return Object.fromEntries(Object.entries(schema).map(([key, it]) => [key, key === "default" && !names ? held(it) : formed(it, NAMES.includes(key) && !names)]));
}

/** Types, in words. */
export const KINDS: Record<string, string> = { integer: "a whole number", number: "a number", string: "a text", boolean: "yes or no", array: "a list", object: "an object", null: "nothing" };

/** A schema as a form asks for it: what may be left away needs no "nothing", and alternatives have names. */
export function worded(schema: unknown, names = false): unknown {
  if (Array.isArray(schema)) return schema.map((it) => worded(it));
  if (schema === null || typeof schema !== "object") return schema;
  const { properties, required, ...others } = schema as Record<string, unknown>;
  const fields = properties && !names ? Object.entries(properties).map(([name, it]) => [name, (required as string[] | undefined)?.includes(name) ? it : something(it)]) : undefined;
  const all = { ...others, ...(fields ? { properties: Object.fromEntries(fields) } : properties === undefined ? {} : { properties }), ...(required === undefined ? {} : { required }) };
  return Object.fromEntries(
    Object.entries(all).map(([key, it]) => {
      if (!names && LITERAL.includes(key)) return [key, it];
      const inner = worded(it, NAMES.includes(key) && !names);
      return [key, !names && (key === "anyOf" || key === "oneOf") && Array.isArray(inner) ? inner.map(named) : inner];
    }),
  );
}

/** Values, in a schema: they are no schemas. */
const LITERAL = ["default", "const", "enum", "examples"];

/** Of "this or nothing" this, where an empty field says nothing. */
function something(schema: unknown): unknown {
  const { anyOf, ...others } = (schema ?? {}) as { anyOf?: Record<string, unknown>[]; default?: unknown };
  if (!Array.isArray(anyOf) || anyOf.length !== 2) return schema;
  const [some] = anyOf.filter((it) => it?.type !== "null");
  if (anyOf.every((it) => it?.type !== "null") || typeof some?.type !== "string" || some.type === "object" || some.type === "array") return schema;
  const whole: Record<string, unknown> = { ...some, ...others, type: [some.type, "null"] };
  if (whole.default === null) delete whole.default;
  return whole;
}

function named(schema: unknown): unknown {
  const { title, type, $ref, const: only } = (schema ?? {}) as Record<string, unknown>;
  const name = title ?? (only !== undefined ? written(only) : typeof type === "string" ? KINDS[type] : typeof $ref === "string" ? $ref.split("/").at(-1) : undefined);
  return name === undefined ? schema : { ...(schema as object), title: name };
}
