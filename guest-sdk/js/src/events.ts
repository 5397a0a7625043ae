import { Failure } from "./failure";
import { parse, stringify } from "./json";

type Issues = readonly { readonly message: string; readonly path?: readonly unknown[] }[];
type Checked<T> = { readonly value: T; readonly issues?: undefined } | { readonly issues: Issues };

/** Any schema library that speaks Standard Schema with JSON Schema: zod from 4.2, arktype, valibot. */
export interface Schema<Given = any, Data = any> {
  readonly "~standard": {
    readonly types?: { readonly input: Given; readonly output: Data } | undefined;
    validate(value: unknown): Checked<Data> | Promise<Checked<Data>>;
    readonly jsonSchema: { input(options: { target: "draft-2020-12" }): Record<string, unknown> };
  };
}
type GivenOf<S> = S extends Schema<infer T, any> ? T : never;
type DataOf<S> = S extends Schema<any, infer T> ? T : never;

/** What a type is for: it begins a run, ends it, asks the outside, comes from the outside, or none of these. */
export type Kind = "start" | "stop" | "input-required" | "human-response" | "plain";

export interface Event<Name extends string = string, Data = any> {
  readonly name: Name;
  readonly data: Data;
}

/** A type of events: makes them, and tells them from others. */
export interface EventType<Name extends string = string, Given = any, Data = any> {
  readonly name: Name;
  readonly kind: Kind;
  readonly schema?: Schema;
  /** Makes one; throws `ValidationError` where the data is not what the schema says. */
  with(data: Given): Event<Name, Data>;
  /** Whether an event is of this type. */
  include(event: Event): event is Event<Name, Data>;
}
export type Of<T> = T extends EventType<infer Name, any, infer Data> ? Event<Name, Data> : never;

/** Declares a type of events by its schema. */
export function event<const Name extends string, S extends Schema>(
  name: Name,
  schema: S,
  options: { kind?: Kind } = {},
): EventType<Name, GivenOf<S>, DataOf<S>> {
  return type(name, options.kind ?? "plain", schema, (data) => validate(schema, name, data));
}

function type<Name extends string, Given, Data>(
  name: Name,
  kind: Kind,
  schema: Schema | undefined,
  data: (given: Given) => Data,
): EventType<Name, Given, Data> {
  return {
    name,
    kind,
    schema,
    with: (given) => ({ name, data: data(given) }),
    include: (event): event is Event<Name, Data> => event.name === name,
  };
}

/** Begins a run, with whatever fields it is given. */
export const StartEvent = type("StartEvent", "start", undefined, (data: Record<string, any>) => data);
/** Ends a run, with any result. */
export const StopEvent = type("StopEvent", "stop", undefined, (result: unknown) => ({ result }));
/** What a step with `catchError` is given: a step failed for good. */
export const StepFailedEvent = type("StepFailedEvent", "plain", undefined, (data: StepFailed) => data);
export interface StepFailed {
  step_name: string;
  input_event?: unknown;
  exception?: { exception_type?: string; exception_message?: string };
  attempts?: number;
  elapsed_seconds?: number;
  [field: string]: unknown;
}

/** Checks data, and gives it as the schema makes it: with its defaults. */
export function validate<S extends Schema>(schema: S, what: string, value: unknown): DataOf<S> {
  const checked = schema["~standard"].validate(value);
  if (checked instanceof Promise) throw new TypeError(`the schema of ${what} checks asynchronously, which an event's cannot`);
  if (!checked.issues) return checked.value;
  const at = (path: readonly unknown[] = []) => [what, ...path.map((key: any) => String(key?.key ?? key))].join(".");
  const issues = checked.issues.map(({ path, message }) => `${at(path)}: ${message}`);
  throw new Failure("ValidationError", issues.join("; "), { retryable: false });
}

/** An event as it crosses the border. */
export function wire(event: Event): WitEvent {
  return { name: event.name, payload: stringify(event.data) };
}

/** An event from the border, checked by the type that has its name. */
export function received(types: readonly EventType[], { name, payload }: WitEvent): Event {
  const schema = types.find((type) => type.name === name)?.schema;
  const data = parse(payload);
  return { name, data: schema ? validate(schema, name, data) : data };
}
