/** `structuredClone`, of what a guest has: plain values, lists, maps, sets, dates, buffers and errors, cycles too. */
export function structuredClone<T>(value: T): T {
  return copy(value, new Map());
}

function copy(value: any, seen: Map<object, unknown>): any {
  if (typeof value === "function" || typeof value === "symbol") throw new TypeError(`a ${typeof value} cannot be cloned`);
  if (typeof value !== "object" || value === null) return value;
  if (seen.has(value)) return seen.get(value);
  const keep = <T extends object>(made: T): T => {
    seen.set(value, made);
    return made;
  };
  if (value instanceof Date) return keep(new Date(value.getTime()));
  if (value instanceof RegExp) return keep(new RegExp(value.source, value.flags));
  if (value instanceof Boolean || value instanceof Number || value instanceof String) return keep(Object(value.valueOf()));
  if (value instanceof ArrayBuffer) return keep(value.slice(0));
  if (ArrayBuffer.isView(value)) {
    const view = value as any;
    return keep(new view.constructor(copy(view.buffer, seen), view.byteOffset, view.length ?? view.byteLength));
  }
  if (value instanceof Map) {
    const made = keep(new Map());
    for (const [key, one] of value) made.set(copy(key, seen), copy(one, seen));
    return made;
  }
  if (value instanceof Set) {
    const made = keep(new Set());
    for (const one of value) made.add(copy(one, seen));
    return made;
  }
  if (value instanceof Error) {
    const made: any = keep(Object.create(Object.getPrototypeOf(value)));
    for (const key of ["name", "message", "stack", "cause"] as const) {
      if (key in value) Object.defineProperty(made, key, { value: copy(value[key], seen), writable: true, configurable: true });
    }
    return made;
  }
  const made: any = keep(Array.isArray(value) ? new Array(value.length) : {});
  for (const key of Object.keys(value)) made[key] = copy(value[key], seen);
  return made;
}
