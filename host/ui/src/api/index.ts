// The only part that talks to the server. The types are made from its OpenAPI document.

import createClient from "openapi-fetch";
import { parse, written } from "../model/json";
import type { components } from "./schema";

type Schemas = components["schemas"];
/** What a list says of a run beside what a run is: as far as the server tells. */
export interface Glimpse {
  queued?: boolean;
  /** What it began with, and the envelope that it ended with: the beginning, as text. */
  input_preview?: string | null;
  result_preview?: string | null;
  /** What it waits for from outside, when its status is `waiting`; what was asked, as far as it is told. */
  waiting_for?: { types: string[]; step?: string | null; request?: { type: string; value: Json } | null }[] | null;
}
export type Run = Schemas["Handler"] & Glimpse & { forked_from?: string | null; forks?: string[] | null };
export type Listing = Schemas["Listing"];
export type Details = Schemas["Details"];
export type History = Schemas["History"];
export type Invocation = Schemas["Invocation"];
export type Span = Schemas["Span"];
export type Moment = Schemas["Moment"];
export type Graph = Schemas["Graph"];
export type LogLine = Schemas["LogLine"];
export type Breakpoints = Schemas["WorkflowBreakpoints"];
export type PausedStep = Schemas["PausedStep"];
export type Logs = Schemas["Logs"];
export type Json = Record<string, unknown>;

/** How a run is forked: after which entry, and with what in another form. */
export interface Fork {
  at: number;
  /** The state to begin with; none: as it was. */
  state?: unknown;
  /** The event that comes next; none: as it was. */
  event?: { type: string; value: unknown };
  /** Which of those in flight is to have that event. */
  invocation?: number;
  /** With the component that the run had, or with the one that is served now. */
  definition: "pinned" | "current";
}

/** How a step that waits at a breakpoint goes on. */
export interface GoOn {
  invocation: number;
  /** What it is given; none: as it is. */
  event?: { type: string; value: unknown };
}

/** A frame of a run's stream. */
export interface Frame {
  sequence: number;
  type: string;
  types: string[] | null;
  value: Json;
}

/** What the page is told when a request is not carried out. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message);
  }
}

/** Where the server is: the page lies at its root, which may stand below a path of a proxy's. */
export const root = new URL(".", window.location.href).href.replace(/\/$/, "");
const client = createClient<import("./schema").paths>({ baseUrl: root, bodySerializer: written });
/** An answer as text, for `taken`, under the type that it has when it is read. */
const exact = { parseAs: "text" as "json" };

function taken<T>({ data, error, response }: { data?: T; error?: unknown; response: Response }, alsoStatus: number[] = []): T {
  if (data !== undefined) return parse(data as unknown as string) as T;
  // A run that has failed answers 500 with the run itself.
  if (alsoStatus.includes(response.status) && error) return error as T;
  // Nobody is signed in any more: the server has a page for that.
  if (response.status === 401) location.reload();
  const detail = (error as { detail?: string } | undefined)?.detail;
  throw new Refused(detail ?? `the server answered ${response.status}`, response.status);
}

export const api = {
  workflows: async () => taken(await client.GET("/api/v1/workflows", exact)).workflows,
  workflow: async (name: string) => taken(await client.GET("/api/v1/workflows/{name}", { ...exact, params: { path: { name } } })),
  graph: async (name: string) =>
    taken(await client.GET("/workflows/{name}/representation", { ...exact, params: { path: { name } } })).graph,
  runs: async (query: { status?: string[]; workflow?: string[]; search?: string; before?: string; limit?: number; since?: string; order?: string }) =>
    taken(await client.GET("/api/v1/runs", { ...exact, params: { query }, querySerializer: serialized })),
  run: async (run_id: string) => taken(await client.GET("/api/v1/runs/{run_id}", { ...exact, params: { path: { run_id } } }), [500]) as Run,
  runGraph: async (run_id: string) =>
    taken(await client.GET("/api/v1/runs/{run_id}/representation", { ...exact, params: { path: { run_id } } })).graph,
  /** A page of what happened in a run: after an entry, or from the first. */
  history: async (run_id: string, after?: number, limit = 1000) =>
    taken(await client.GET("/api/v1/runs/{run_id}/history", { ...exact, params: { path: { run_id }, query: { after, limit } } })),
  state: async (run_id: string, seq?: number) =>
    taken(await client.GET("/api/v1/runs/{run_id}/state", { ...exact, params: { path: { run_id }, query: { seq } } })).state as Json,
  /** A part of what its steps have written: what came after a place. */
  logs: async (run_id: string, after: number, limit: number) =>
    taken(await client.GET("/api/v1/runs/{run_id}/logs", { ...exact, params: { path: { run_id }, query: { after, limit } } })),
  /** With a start event as JSON. */
  start: async (name: string, event: string) =>
    taken(await client.POST("/workflows/{name}/run-nowait", { ...exact, params: { path: { name } }, body: { start_event: parse(event) } as never })) as Run,
  /** An event as JSON, to whoever takes it; or to one step, or one waiting invocation. */
  send: async (handler_id: string, type: string, value: string, to: { step?: string; invocation?: number } = {}, key?: string) =>
    taken(
      await client.POST("/events/{handler_id}", {
        ...exact,
        // With a key it is delivered once, however often it is sent.
        params: { path: { handler_id }, header: { "Idempotency-Key": key } },
        body: { event: { type, value: parse(value) }, ...to } as never,
      }),
    ),
  /** A run of its own that begins as another stood after an entry. */
  fork: async (run_id: string, how: Fork) => taken(await asked<Run>("POST", `/api/v1/runs/${encodeURIComponent(run_id)}/fork`, how)),
  breakpoints: async (name: string) => taken(await client.GET("/api/v1/workflows/{name}/breakpoints", { ...exact, params: { path: { name } } })),
  setBreakpoints: async (name: string, breakpoints: string[]) =>
    taken(await client.POST("/api/v1/workflows/{name}/breakpoints", { ...exact, params: { path: { name } }, body: { breakpoints } })),
  /** The run that goes on: another one where it was edited. */
  goOn: async (run_id: string, how: GoOn) => taken(await asked<Run>("POST", `/api/v1/runs/${encodeURIComponent(run_id)}/go-on`, how)),
  cancel: async (handler_id: string, purge = false) =>
    taken(await client.POST("/handlers/{handler_id}/cancel", { ...exact, params: { path: { handler_id }, query: { purge: String(purge) } } })),
  /** Who asks, and what a server without keys is open to. */
  session: async () => taken(await client.GET("/api/v1/session", exact)),
  signOut: async () => taken(await client.POST("/api/v1/sign-out", exact)),
  document: async () => taken(await client.GET("/api/v1/openapi.json", exact)) as Json,
};

/** What a run began with, as JSON; none: it is too large to be told. */
export function startOf(history: History): string | undefined {
  const value = history.invocations[0]?.events[0]?.value;
  return value === undefined || value === null ? undefined : written(value);
}

/** A request that the page knows and an older server may not. */
async function asked<T>(method: string, path: string, body: unknown): Promise<{ data?: T; error?: unknown; response: Response }> {
  const response = await fetch(root + path, { method, headers: { "content-type": "application/json" }, body: written(body) });
  const text = await response.text();
  if (response.ok) return { data: text as unknown as T, response };
  let error: unknown;
  try {
    error = JSON.parse(text);
  } catch {
    error = undefined;
  }
  return { error, response };
}

function serialized(query: Record<string, unknown>): string {
  const pairs = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (Array.isArray(value)) value.forEach((it) => pairs.append(key, String(it)));
    else if (value !== undefined && value !== "") pairs.append(key, String(value));
  }
  return pairs.toString();
}
