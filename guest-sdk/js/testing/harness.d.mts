/** An event of a run's stream. */
export interface Event {
  type: string;
  value: Record<string, any>;
}

/** Attempts of a step that fail after they have done their work: what they had not committed is lost. */
export interface Fault {
  step: string;
  /** So many attempts of each invocation, from the first. 1 where nothing is said. */
  times?: number;
  /** Of this invocation alone, the first being 0. */
  delivery?: number;
  message?: string;
  kind?: string;
  retryable?: boolean;
  /** Seconds. */
  retryAfter?: number;
}

/** What requests to a URL, in which `*` stands for any text, are answered. */
export interface Reply {
  url: string;
  method?: string;
  /** So often, before the next one that fits. Always where nothing is said. */
  times?: number;
  /** 200 where nothing is said. */
  status?: number;
  headers?: Record<string, string>;
  json?: unknown;
  text?: string;
  base64?: string;
  /** Nobody answers, with this message. */
  failure?: string | { kind?: string; message?: string; retryable?: boolean };
  /** The connection breaks after the body. */
  cut?: boolean;
}

export interface Plan {
  /** The workflow's name; not needed where there is one. */
  workflow?: string;
  /** The state that the run begins with. */
  state?: Record<string, unknown>;
  /** By types of events what answers them as soon as they are published. */
  answers?: Record<string, (value: any) => { type: string; value?: object } | Promise<{ type: string; value?: object }>>;
  fail?: Fault[];
  /** There the host is restarted, and the run goes on from its journal: `"every"`, or numbers of points. */
  restartAt?: "every" | number[];
  /** Other requests are refused, and none leaves. */
  http?: Reply[];
  variables?: Record<string, string>;
  /** Events of the run's inner life are shown, too. */
  internal?: boolean;
  /** By what chance goes. */
  seed?: number;
  /** Most seconds that one entry into an attempt may compute. */
  executingMax?: number;
}

/** What was asked was not done, as a server would not do it either. */
export class HarnessError extends Error {
  /** What to do. */
  readonly hint: string | undefined;
}

/**
 * Workflows under test. To load them takes a moment: one is for many tests. What runs is what `wf-host serve` runs: the
 * component in its sandbox, each event checked where it comes in. The clock stands still but where `advance` and `finish`
 * move it.
 */
export class Harness {
  private constructor();
  /**
   * Of `.wasm` files, or files and folders that `wf-host build` takes, which are built first. `wfHost`: the program; else
   * what the variable `WF_HOST` names, else the one in `PATH`.
   */
  static open(...components: (string | URL | { wfHost?: string })[]): Promise<Harness>;
  /** Their names. */
  readonly workflows: string[];
  /**
   * Starts a run with the fields of its start event, and lets it go on until it has ended or needs time or an event. The
   * run before is over with that.
   */
  start(event?: object, plan?: Plan): Promise<Run>;
  /** Ends it; `await using` does so by itself. */
  close(): Promise<void>;
}

/** A run. It stands still until the test sends something or moves the clock. */
export interface Run {
  readonly status: "running" | "completed" | "failed" | "cancelled";
  /** All events of its stream so far. */
  readonly events: Event[];
  /** Their types, in order. */
  readonly types: string[];
  /** What it has completed with. An error with the whole story where it has not. */
  readonly result: any;
  /** The message that it has failed with. */
  readonly failure: string;
  /** Seconds on its clock since it began. */
  readonly now: number;
  /** Seconds until something is due. */
  readonly next: number | undefined;
  /** What it waits for from outside. */
  readonly waits: { types: string[]; step?: string; invocation?: number; request?: number }[];
  /** How many reports of steps its journal has: a host can be restarted after each. */
  readonly points: number;
  /** How often the host was restarted. */
  readonly restarts: number;
  /** Sends an event, as the outside would. */
  send(type: string, value?: object, to?: { step?: string }): Promise<Run>;
  /** Moves its clock on. What is due on the way happens in its order. */
  advance(seconds: number): Promise<Run>;
  /** Moves its clock on from one thing that is due to the next, timeouts too, until it has ended or only an event helps. */
  finish(): Promise<Run>;
  cancel(): Promise<Run>;
  /** Stops the host, and has another go on with what is stored. */
  restart(): Promise<Run>;
  /** The committed state. */
  state(): Promise<Record<string, any>>;
  /** What its steps have logged and printed, and how attempts have failed. */
  log(): Promise<{ step: string; attempt: number; source: string; level: string; message: string; fields: Record<string, any> }[]>;
  /** The HTTP requests that its steps have made. */
  requests(): Promise<{ method: string; url: string; headers: [string, string][]; text?: string; base64?: string }[]>;
  /** The attempts that were begun, of a step or of all. */
  attempts(step?: string): Promise<{ step: string; invocation: number; attempt: number; failure?: { kind: string; message: string } }[]>;
  /** Runs its finished attempts again, against what was recorded of them, and gives those that do another thing. */
  replay(): Promise<{ step: string; invocation: number; attempt: number; call: number | null; then: string; now: string }[]>;
  /** How it stands and what came before, for people. */
  story(): string;
}
