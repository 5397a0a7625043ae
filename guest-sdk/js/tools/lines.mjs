import path from "node:path";

/** Of a source map: which line of the author's own files each line of the bundle came from. */
export function lines({ mappings, sources }, from, isOwn) {
  const files = sources.map((file) => path.relative(process.cwd(), path.resolve(from, file)));
  const own = files.map((file) => (isOwn(path.resolve(file)) ? file : undefined));
  const table = {};
  let [source, line] = [0, 0];
  mappings.split(";").forEach((segments, generated) => {
    for (const segment of segments ? segments.split(",") : []) {
      const [, toSource = 0, toLine = 0] = numbers(segment);
      [source, line] = [source + toSource, line + toLine];
      if (own[source] !== undefined) table[generated + 1] ??= `${own[source]}:${line + 1}`;
    }
  });
  return table;
}

const DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** Base 64, six bits a digit: five of the number, least first, and one that says whether more follow. */
function numbers(segment) {
  const all = [];
  let [value, shift] = [0, 0];
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value += (digit & 31) << shift;
    if (digit & 32) shift += 5;
    else {
      all.push(value & 1 ? -(value >> 1) : value >> 1);
      [value, shift] = [0, 0];
    }
  }
  return all;
}
