import { own } from "./lines";
import { parse, stringify } from "./json";

export interface FailureOptions {
  /** Whether the step's policy may try again (true). */
  retryable?: boolean;
  /** Seconds until the next attempt, instead of what the policy says. */
  retryAfter?: number;
  /** Whether waits that were answered stay answered on a retry (true). */
  keepAnswers?: boolean;
  cause?: unknown;
}

/** Throw one to choose the kind of a failure, or to say that trying again is of no use. */
export class Failure extends Error {
  constructor(
    readonly kind: string,
    message: string,
    readonly options: FailureOptions = {},
  ) {
    super(message, { cause: options.cause });
    this.name = kind;
  }
}

/** Calls the host, and throws what it refuses as a `Failure`. */
export function ask<T>(call: () => T): T {
  try {
    return call();
  } catch (error: any) {
    if (error?.payload?.kind === undefined) throw error;
    const { kind, message, details } = error.payload;
    const { retryable, retry_after: retryAfter, keep_answers: keepAnswers } = parse(details);
    throw new Failure(kind, message, { retryable, retryAfter, keepAnswers });
  }
}

/** A chain of causes is shown so deep, and a trace so long, in characters. */
const CAUSES_MAX = 8;
const TRACE_MAX = 16_000;

/** What was thrown, as the host takes it. */
export function wireFailure(thrown: unknown) {
  const error: any = thrown instanceof Error ? thrown : new Error(show(thrown));
  const { retryable, retryAfter, keepAnswers }: FailureOptions = error.options ?? {};
  let trace = "";
  for (let at: any = error, deep = 0; at instanceof Error && deep < CAUSES_MAX; at = at.cause, deep++) {
    trace += `${deep > 0 ? "caused by " : ""}${at.name}: ${at.message}\n${own(at.stack ?? "")}`;
  }
  const details = { retryable, retry_after: retryAfter, keep_answers: keepAnswers, trace: trace.slice(0, TRACE_MAX).toWellFormed() };
  return { kind: String(error.kind ?? error.name).toWellFormed(), message: String(error.message).toWellFormed(), details: stringify(details) };
}

/** A value for people. */
export function show(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return `${value.name}: ${value.message}\n${own(value.stack ?? "")}`.trimEnd();
  try {
    return JSON.stringify(value, (_key, part) => (typeof part === "bigint" ? `${part}n` : part)) ?? String(value);
  } catch {
    return String(value);
  }
}
