import type { Context } from "./context";
import { type Duration, secondsOf } from "./duration";
import type { EventType, Event, Of } from "./events";

export interface AnyOf<T extends readonly EventType[]> {
  readonly anyOf: T;
}
export interface AllOf<T extends EventType> {
  readonly allOf: T;
  readonly options: AllOptions;
}
export interface AllOptions {
  /** In the order of the fan-out's list (`emission`), or of arrival. */
  order?: "emission" | "arrival";
  /** As soon as there are so many; left out: when nothing of the fan-out is under way. */
  take?: number;
}

/** The step takes an event of any of these types. */
export const or = <const T extends readonly EventType[]>(...anyOf: T): AnyOf<T> => ({ anyOf });
/** The step takes all events that a fan-out gave rise to, as a list. */
export const all = <T extends EventType>(allOf: T, options: AllOptions = {}): AllOf<T> => ({ allOf, options });

type Accepts = readonly EventType[] | AnyOf<readonly EventType[]> | AllOf<EventType>;
type Taken<A> = A extends AnyOf<infer T> ? [Of<T[number]>] : A extends AllOf<infer T> ? [Of<T>[]] : { [K in keyof A]: Of<A[K]> };
type Returned<E extends readonly EventType[]> = Of<E[number]> | readonly Of<E[number]>[] | void;

export interface Retry {
  /** Before the second attempt. */
  delay?: Duration;
  /** The first included. */
  attempts?: number;
  backoff?: "constant" | "linear" | "exponential";
  delayMax?: Duration;
  /** What an exponential delay is multiplied by (2). */
  factor?: number;
  /** The part of the delay, 0 to 1, that chance adds or takes away. */
  jitter?: number;
  /** No further attempt after it. */
  elapsedMax?: Duration;
  /** Only failures of these kinds. */
  kinds?: string[];
}

export interface StepOptions<A, E, S> {
  /** `[A]` one event, `[A, B]` pairs, `or(A, B)` any of them, `all(A)` what a fan-out gave rise to. */
  accepts: A;
  /** What it may return. */
  emits?: E;
  /** What it may send, publish and ask with. */
  sends?: S;
  description?: string;
  /** How many run at once (4). */
  workers?: number;
  /** How long an attempt may compute. */
  timeout?: Duration;
  retry?: Retry;
  /** It returns a list, which an `all(…)` gathers again. */
  fanOut?: boolean;
  /** It takes `StepFailedEvent`s: of the steps named, or of all. */
  catchError?: boolean | { steps?: string[]; maxRecoveries?: number };
}

export interface WorkflowOptions {
  /** Letters, digits, `.`, `_` and `-`. */
  name: string;
  description?: string;
  version?: string;
  /** After which a run fails; left out: never. */
  timeout?: Duration;
  /** Types from outside that no step accepts: those that steps wait for. */
  additionalEvents?: EventType[];
}

interface Step {
  name: string;
  accepts: Accepts;
  /** Of `accepts`, in order. */
  types: readonly EventType[];
  options: StepOptions<Accepts, readonly EventType[], readonly EventType[]>;
  body: (context: any, ...events: any[]) => any;
}

export class Workflow<State = Record<string, any>> {
  readonly steps = new Map<string, Step>();

  constructor(readonly options: WorkflowOptions) {}

  /** Adds a step. The types hold its function to what it declares. */
  step<const A extends Accepts, const E extends readonly EventType[] = [], const S extends readonly EventType[] = []>(
    name: string,
    options: StepOptions<A, E, S>,
    body: (
      context: Context<State, Of<S[number]>>,
      ...events: Extract<Taken<A>, readonly unknown[]>
    ) => Returned<E> | Promise<Returned<E>>,
  ): this {
    const accepts: Accepts | undefined = options.accepts;
    if (accepts === undefined) throw new TypeError(`step \`${name}\` says nothing of what it \`accepts\``);
    if (this.steps.has(name)) throw new TypeError(`there are two steps \`${name}\``);
    const types = "anyOf" in accepts ? accepts.anyOf : "allOf" in accepts ? [accepts.allOf] : accepts;
    const lists = [types, options.emits ?? [], options.sends ?? []];
    if (lists.flat().some((it) => typeof it?.name !== "string" || !("kind" in it))) {
      throw new TypeError(`step \`${name}\` names something that is no event type; is it declared further down in the file?`);
    }
    this.steps.set(name, { name, accepts, types, options: options as any, body });
    return this;
  }
}

/** A workflow: give it steps, and export it as the default. `State`: what its runs keep. */
export function defineWorkflow<State = Record<string, any>>(options: WorkflowOptions): Workflow<State> {
  return new Workflow(options);
}

/** What the comments above them say, where the code says nothing; the build notes it. */
const comment = (of: string) => (globalThis as { wfComments?: Record<string, string> }).wfComments?.[of];

const names = (types: readonly EventType[] = []) => types.map((type) => type.name);

/** What the host wants to know of a workflow (`manifest.schema.json`). */
export function manifest({ options, steps }: Workflow<any>) {
  const { name, description, version, timeout, additionalEvents = [] } = options;
  const all = [...steps.values()];
  const types = new Map<string, EventType>();
  const used = all.flatMap((step) => [...step.types, ...(step.options.emits ?? []), ...(step.options.sends ?? [])]);
  for (const type of [...used, ...additionalEvents]) {
    const before = types.get(type.name);
    if (before !== undefined && before !== type) throw new TypeError(`there are two event types \`${type.name}\``);
    types.set(type.name, type);
  }
  // Built-in ones have no schema here.
  const declared = [...types.values()].filter(({ schema }) => schema !== undefined);
  return {
    name,
    description: description ?? comment("workflow"),
    version,
    language: "typescript",
    timeout: secondsOf(timeout),
    additional_events: names(additionalEvents),
    events: declared.map(describedEvent),
    steps: all.map(describedStep),
  };
}

function describedEvent({ name, kind, schema }: EventType) {
  // Schemas compile themselves when first used: once here, when the component is built, not in every instance.
  schema!["~standard"].validate({});
  try {
    const { $schema, ...rest } = schema!["~standard"].jsonSchema.input({ target: "draft-2020-12" });
    return { name, kind, schema: { title: name, description: comment(`event ${name}`), ...rest } };
  } catch (error: any) {
    throw new TypeError(`event \`${name}\` has no JSON Schema: ${error?.message ?? error}`);
  }
}

function describedStep({ name, accepts, types, options }: Step) {
  const { emits, sends, description, workers, timeout, retry, fanOut, catchError } = options;
  const gathers = "allOf" in accepts ? accepts.options : undefined;
  const recovery = catchError === true ? {} : catchError || undefined;
  return {
    name,
    description: description ?? comment(`step ${name}`),
    accepts: names(types),
    emits: names(emits),
    sends: names(sends),
    join: gathers ? "all" : !("anyOf" in accepts) && types.length > 1 ? "each" : undefined,
    order: gathers?.order,
    take: gathers?.take,
    fan_out: fanOut,
    num_workers: workers,
    timeout: secondsOf(timeout),
    retry: retry && {
      backoff: retry.backoff,
      delay: secondsOf(retry.delay),
      delay_max: secondsOf(retry.delayMax),
      attempts_max: retry.attempts,
      elapsed_max: secondsOf(retry.elapsedMax),
      factor: retry.factor,
      jitter: retry.jitter,
      kinds: retry.kinds,
    },
    catch_error: recovery && { steps: recovery.steps, max_recoveries: recovery.maxRecoveries },
  };
}
