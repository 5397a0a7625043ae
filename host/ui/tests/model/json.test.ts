// Payloads pass through the page, its forms and the browser's storage as they came.

import { afterEach, expect, test, vi } from "vitest";
import { carried, exactly, formed, held, reckoned, typed, worded } from "../../src/model/form";
import { previous, remember } from "../../src/model/inputs";
import { brief, Exact, parse, pretty, written } from "../../src/model/json";

const ODD = [
  '{"n":12345678901234567890123,"u":18446744073709551616,"f":1.0,"e":1e2,"z":-0,"small":0.1}',
  '{"b":1,"2":2,"a":3,"1":4}',
  '{"a":1,"a":2}',
  '{"__proto__":{"n":1.0}}',
  '{ "text" : "\\u0041\\/\\ud800" , "list" : [ 1.0 , [] , {} , null , true ] }',
  "[1.50]",
  "9007199254740993",
  '"\\u00e9"',
  '{"n":1,"text":"é","list":[{}]}',
];

test("what is read is written as it stood there, alone and in something else", () => {
  for (const text of ODD.filter((it) => !it.startsWith('"'))) {
    expect(written(parse(text))).toBe(text);
    expect(written({ start_event: parse(text), none: undefined })).toBe(`{"start_event":${text}}`);
    expect(written((parse(`{"event":{"value":${text}},"other":1}`) as { event: { value: unknown } }).event.value)).toBe(text);
  }
});

test("what JavaScript holds is JavaScript's, and nothing else is taken for it", () => {
  const read = parse(ODD[0]!) as Record<string, unknown>;
  expect(read.small).toBe(0.1);
  expect(read.n).toEqual(new Exact("12345678901234567890123"));
  expect(`${read.f as Exact}`).toBe("1.0");
  expect(() => parse('{"n":01}')).toThrow();
  expect(() => parse('{"n":1} // no')).toThrow();
});

test("lines for people change the space alone", () => {
  for (const text of ODD) {
    expect(pretty(text).replace(/\s/g, "")).toBe(text.replace(/\s/g, ""));
    expect(JSON.parse(pretty(text))).toEqual(JSON.parse(text));
  }
  expect(pretty('{"b":1.0,"1":[],"a":[{"x":"y"}]}')).toBe('{\n  "b": 1.0,\n  "1": [],\n  "a": [\n    {\n      "x": "y"\n    }\n  ]\n}');
  expect(brief(parse('{ "b" : 1.0, "1" : "\\u00e9" }') as object)).toBe('{"b":1.0,"1":"é"}');
});

/** What a form's library may do: copy everything, with the keys in another order. */
function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([key, it]) => [key, copied(it)]));
}

test("a form sends what nobody has touched as it came", () => {
  for (const text of ODD) expect(carried(text, copied(held(parse(text))))).toBe(text);
});

test("a form changes what was changed, and nothing beside it", () => {
  const before = '{ "b":1.0, "10":[1.0,{"x":12345678901234567890123}], "a":"\\u0041" }';
  const form = copied(held(parse(before))) as Record<string, unknown>;
  expect(carried(before, { ...form, a: "B" })).toBe('{"b":1.0,"10":[1.0,{"x":12345678901234567890123}],"a":"B"}');
  expect(carried(before, { ...form, b: 2, new: typed("1.50") })).toBe('{"b":2,"10":[1.0,{"x":12345678901234567890123}],"a":"\\u0041","new":1.50}');
  expect(carried(before, { ...form, "10": [typed("18446744073709551616")] })).toBe('{ "b":1.0, "10":[18446744073709551616], "a":"\\u0041" }'.replaceAll(" ", ""));
  expect(carried(before, { ...form, b: undefined })).toBe('{"10":[1.0,{"x":12345678901234567890123}],"a":"\\u0041"}');
  expect(carried("{}", { list: [undefined, 1] })).toBe('{"list":[null,1]}');
  expect(carried('{"a":1,"a":2}', { a: 1 })).toBe('{"a":1}');
});

test("a number is what was typed; what is no number is left to the form", () => {
  expect([typed("5"), typed("-0.5"), typed(""), typed("1."), typed(".5"), typed("007"), typed("5 ")]).toEqual([5, -0.5, undefined, undefined, undefined, undefined, undefined]);
  for (const text of ["1.0", "-0", "1e3", "9007199254740993", "18446744073709551616"]) expect(exactly(typed(text))).toBe(text);
  expect(exactly("1.0")).toBeUndefined();
  expect(reckoned({ list: [typed("1.0"), "1.0"] })).toEqual({ list: [1, "1.0"] });
});

test("a schema's bounds can be reckoned with, and its defaults stay exact", () => {
  const schema = formed(parse('{"properties":{"default":{"type":"number","default":1.0,"minimum":0.0,"maximum":18446744073709551615}}}'));
  expect(schema).toMatchObject({ properties: { default: { type: "number", minimum: 0, maximum: 18446744073709552000 } } });
  expect(exactly((schema as { properties: { default: { default: unknown } } }).properties.default.default)).toBe("1.0");
});

afterEach(() => vi.unstubAllGlobals());

test("a form asks for what may be left away without a nothing, and alternatives have names", () => {
  const nullable = { anyOf: [{ type: "integer", minimum: 1 }, { type: "null" }], title: "Zip", default: null };
  expect(worded({ type: "object", properties: { zip: nullable } })).toEqual({ type: "object", properties: { zip: { title: "Zip", type: ["integer", "null"], minimum: 1 } } });
  // What must be there may be nothing, and says so.
  const must = worded({ properties: { zip: nullable }, required: ["zip"] }) as { properties: { zip: { anyOf: { title: string }[] } } };
  expect(must.properties.zip.anyOf.map((it) => it.title)).toEqual(["a whole number", "nothing"]);
  expect(worded({ oneOf: [{ $ref: "#/$defs/Address" }, { const: 1 }, { title: "Mine", type: "string" }, {}] })).toEqual({ oneOf: [{ $ref: "#/$defs/Address", title: "Address" }, { const: 1, title: "1" }, { title: "Mine", type: "string" }, {}] });
  // A field may have any name, and a value is no schema.
  const odd = { properties: { anyOf: { type: "string" }, properties: { type: "array", items: { type: "object", properties: { zip: { type: "string" } } } } }, default: { anyOf: [{ type: "null" }] } };
  expect(worded(odd)).toEqual(odd);
});

test("earlier inputs are kept as they were written, the newest first", () => {
  const kept = new Map<string, string>();
  vi.stubGlobal("localStorage", { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, text: string) => kept.set(key, text) });
  for (const text of ['{"n":1}', ODD[0]!, ODD[1]!, pretty(ODD[0]!)]) remember("flow", text);
  expect(previous("flow")).toEqual([ODD[0], ODD[1], '{"n":1}']);
});
