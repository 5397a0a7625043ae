// Where in the page somebody is: all of it is in the URL, after the `#`.

import { useSyncExternalStore } from "react";

export interface Route {
  /** `runs/ID` as `["runs", "ID"]`. */
  path: string[];
  query: URLSearchParams;
}

export function parse(hash: string): Route {
  const place = hash.replace(/^#\/?/, "");
  const at = place.indexOf("?");
  const [path, query] = at < 0 ? [place, ""] : [place.slice(0, at), place.slice(at + 1)];
  return { path: path.split("/").filter(Boolean).map(decoded), query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

export function href(path: string[], query: Record<string, string | string[] | undefined> = {}): string {
  const pairs = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : value ? [value] : []) pairs.append(key, one);
  }
  const text = pairs.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`;
}

const subscribe = (changed: () => void) => {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
};

export function useRoute(): Route {
  return parse(useSyncExternalStore(subscribe, () => window.location.hash));
}

export function go(to: string, replace = false): void {
  if (replace) {
    window.history.replaceState(null, "", to);
    window.dispatchEvent(new HashChangeEvent("hashchange"));
  } else {
    window.location.hash = to.slice(1);
  }
}

/** Changes some of the query; in place, or as a step that Back takes back. */
export function adjust(route: Route, changes: Record<string, string | string[] | undefined>, step = false): void {
  const query: Record<string, string | string[] | undefined> = {};
  for (const key of route.query.keys()) query[key] = route.query.getAll(key);
  const to = href(route.path, { ...query, ...changes });
  if (to !== window.location.hash) go(to, !step);
}
