import eventsHost from "wf:workflow/events@0.1.0";
import logHost from "wf:workflow/log@0.1.0";
import memoHost from "wf:workflow/memo@0.1.0";
import run from "wf:workflow/run@0.1.0";
import stateHost from "wf:workflow/state@0.1.0";
import { type Duration, millisecondsOf, secondsOf } from "./duration";
import { type Event, type EventType, type Of, received, wire } from "./events";
import { ask } from "./failure";
import { parse, stringify } from "./json";
import { setTimeout } from "./loop";

export interface Wait<Request extends Event = Event> {
  /** Tells waits of one step apart; left out: the type and the requirements do. */
  id?: string;
  /** Top-level fields that must be equal. */
  requirements?: Record<string, unknown>;
  /** Fails with kind `timeout` after it. */
  timeout?: Duration;
  /** Published once, to ask. */
  request?: Request;
  /** Takes only what comes after the wait has begun (false). */
  fresh?: boolean;
}

export interface RetryInfo {
  /** How many attempts have failed. */
  attempts: number;
  /** Seconds since the first began. */
  elapsed: number;
  lastFailure?: { kind: string; message: string };
}

type Found<T> = T | undefined;
type Key<State> = keyof State & string;

function read(text: string | null | undefined): any {
  return text == null ? undefined : parse(text);
}

/** The run's state: one JSON object, shared by its steps. Keys may be paths: `user.names.0`. */
export class State<S> {
  async get<K extends Key<S>>(path: K): Promise<Found<S[K]>> {
    return read(ask(() => stateHost.get(path)));
  }

  /** The whole of it. */
  async all(): Promise<Partial<S>> {
    return read(ask(() => stateHost.get(""))) ?? {};
  }

  async set<K extends Key<S>>(path: K, value: S[K]): Promise<void> {
    const text = stringify(value);
    ask(() => stateHost.set(path, text));
  }

  /** Appends to a list, which is made where there is none. */
  async push<K extends Key<S>>(path: K, value: S[K] extends readonly (infer T)[] ? T : unknown): Promise<void> {
    const text = stringify(value);
    ask(() => stateHost.push(path, text));
  }

  async delete(path: Key<S>): Promise<void> {
    ask(() => stateHost.delete(path));
  }

  /** Reads, computes and writes as one; called again when another step came between. */
  async edit<K extends Key<S>>(path: K, change: (value: Found<S[K]>) => S[K]): Promise<S[K]> {
    for (;;) {
      const [version, text] = ask(() => stateHost.editBegin(path));
      const value = change(read(text));
      const changed = stringify(value);
      if (ask(() => stateHost.editCommit(path, version, changed))) return value;
    }
  }

  /** The same in turn with others; called once, and may await. */
  async editExclusive<K extends Key<S>>(path: K, change: (value: Found<S[K]>) => S[K] | Promise<S[K]>): Promise<S[K]> {
    const [version, text] = ask(() => stateHost.editExclusive(path));
    const value = await change(read(text));
    const changed = stringify(value);
    ask(() => stateHost.editCommit(path, version, changed));
    return value;
  }
}

/** What a step may ask of its run while it runs. `Sent`: the events that it declared to send. */
export class Context<S = Record<string, any>, Sent extends Event = Event> {
  readonly state = new State<S>();
  /** Lines for the run's log, with fields. */
  readonly log = { trace: line("trace"), debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };

  /** Gives an event to the steps that take it, or to one, at the next commit point. */
  async send(event: Sent, options: { step?: string } = {}): Promise<void> {
    const sent = wire(event);
    ask(() => eventsHost.send(sent, stringify(options)));
  }

  /** Shows an event to those who read the run's stream; no step receives it. */
  async publish(event: Sent): Promise<void> {
    const sent = wire(event);
    ask(() => eventsHost.publish(sent, "{}"));
  }

  /** Waits for an event from outside, for seconds or months. Of several types the first to come. */
  async wait<const T extends EventType | readonly EventType[]>(
    type: T,
    { timeout, request, ...rest }: Wait<Sent> = {},
  ): Promise<Of<T extends readonly EventType[] ? T[number] : T>> {
    const types = (Array.isArray(type) ? type : [type]) as readonly EventType[];
    const asked = request && wire(request);
    const options = stringify({ types: types.map((it) => it.name), timeout: secondsOf(timeout), request: asked, ...rest });
    return received(types, ask(() => eventsHost.wait(options))) as any;
  }

  /** Adds an event to those that the step collects: all of them once each expected one is there. */
  async collect<const T extends readonly EventType[]>(
    event: Event,
    expected: T,
    options: { id?: string } = {},
  ): Promise<Found<{ [K in keyof T]: Of<T[K]> }>> {
    const added = wire(event);
    const wanted: [string, number][] = [];
    for (const { name } of expected) {
      const before = wanted.at(-1);
      if (before?.[0] === name) before[1]++;
      else wanted.push([name, 1]);
    }
    const batch = ask(() => eventsHost.collect(added, stringify({ expected: wanted, ...options })));
    return batch?.map((one) => received(expected, one)) as any;
  }

  /** Sleeps durably: for ten milliseconds or a month. */
  sleep(duration: Duration): Promise<void> {
    const milliseconds = millisecondsOf(duration);
    return new Promise((resolve) => void setTimeout(resolve, milliseconds));
  }

  /** Does expensive work once, over waits, retries and crashes. */
  async memo<T>(name: string, work: () => T | Promise<T>): Promise<T> {
    const kept = ask(() => memoHost.lookUp(name));
    if (kept != null) return parse(kept);
    const value = await work();
    const text = stringify(value === undefined ? null : value);
    ask(() => memoHost.keep(name, text));
    return value;
  }

  /** Commits what was sent and set so far. */
  commit() {
    run.commit();
  }

  /** A UUID for an outside effect: the same over all attempts of this call of the step. */
  idempotencyKey(label: string): string {
    return run.idempotencyKey(label);
  }

  get runId(): string {
    return run.runId();
  }

  get handlerId(): string {
    return run.handlerId();
  }

  /** The ordinal of this attempt, from 0. */
  get attempt(): number {
    return run.attempt();
  }

  /** What came before this attempt. */
  get retryInfo(): RetryInfo {
    const { attempts, elapsed, last_failure: lastFailure } = parse(run.retryInfo());
    return { attempts, elapsed, lastFailure: lastFailure ?? undefined };
  }
}

function line(level: string) {
  return (message: string, fields: object = {}) => logHost.write(level, message.toWellFormed(), stringify(fields));
}
