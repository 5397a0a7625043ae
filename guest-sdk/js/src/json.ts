/**
 * JSON without losses: integers beyond 2^53 are bigint on the way in and integers on the way out,
 * and what JSON cannot say is refused, where `JSON.stringify` makes null or {} of it.
 */

/** A text without these has no number that a double would change. */
const suspicious = /\d{16}|[eE]\+?\d{3}/;
/** Half of a surrogate pair, as `JSON.stringify` writes it. */
const lone = /(?<!\\)(?:\\\\)*\\ud[89a-f]/i;

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
type Replacer = (this: unknown, key: string, value: unknown) => unknown;
/** With the text of each number, which the types of the language do not know yet. */
const engine = JSON as unknown as {
  parse(text: string, reviver?: Reviver): unknown;
  stringify(value: unknown, replacer: Replacer): string | undefined;
  rawJSON(text: string): unknown;
};

export function parse(text: string): any {
  if (!suspicious.test(text)) return engine.parse(text);
  return engine.parse(text, (_key, value, { source }) => {
    if (typeof value !== "number" || source === undefined || Number.isSafeInteger(value)) return value;
    if (!Number.isFinite(value)) throw new RangeError(`the number ${source} is too large`);
    return /^-?\d+$/.test(source) ? BigInt(source) : value;
  });
}

export function stringify(value: unknown): string {
  const text = engine.stringify(value, function (key, value) {
    switch (typeof value) {
      case "bigint":
        return engine.rawJSON(String(value));
      case "number":
        return Number.isFinite(value) ? value : refuse(key, String(value));
      case "function":
      case "symbol":
        return refuse(key, `a ${typeof value}`);
      case "undefined":
        return Array.isArray(this) ? refuse(key, "undefined") : value;
      default:
        return value instanceof Map || value instanceof Set ? refuse(key, `a ${value.constructor.name}`) : value;
    }
  });
  if (text === undefined) throw new TypeError("undefined is no JSON");
  if (lone.test(text)) throw new TypeError("a text has half a surrogate pair, which is no Unicode");
  return text;
}

function refuse(key: string, what: string): never {
  throw new TypeError(`${key === "" ? "the value" : `\`${key}\``} is ${what}, which JSON cannot say`);
}
