/**
 * `process.env`, for whoever names it: the variables that the workflow is granted, and what stands for its secrets. The
 * build puts this in its place; libraries that look first whether there is a `process` find none.
 */
import environment from "wasi:cli/environment@0.2.0";
import { isDriving } from "../loop";

let own: Record<string, string> | undefined;

/** Asked once an entry: the host says the same at every entry into an attempt. */
function all(): Record<string, string> {
  if (!isDriving()) throw new Error("variables at module level would be those of the build: read them inside a step");
  return (own ??= Object.fromEntries(environment.getEnvironment()));
}

// Pure: where nobody names it, nothing of it is in a bundle.
export const wfEnvironment = /* @__PURE__ */ new Proxy<Record<string, string>>({}, {
  get: (_, name) => Reflect.get(all(), name),
  has: (_, name) => Reflect.has(all(), name),
  ownKeys: () => Reflect.ownKeys(all()),
  getOwnPropertyDescriptor: (_, name) => Reflect.getOwnPropertyDescriptor(all(), name),
  set: () => false,
});
