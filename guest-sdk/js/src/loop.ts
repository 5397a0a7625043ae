/** Runs steps: jobs, then timers in the order in which they are due. Waiting is the host's durable sleep. */
import time from "wf:workflow/time@0.1.0";
import { type Job, jobs, LoopPromise, takeUnhandled } from "./promise";

interface Timer {
  /** Microseconds since 1970. */
  due: number;
  run: Job;
}
const timers = new Map<number, Timer>();
let last = 0;
let driving = false;

/** Whether a step runs, and not the build. */
export function isDriving(): boolean {
  return driving;
}

/** Calls a step's function, and runs what it awaits to the end. */
export function drive(body: (...values: any[]) => any, ...values: any[]): any {
  driving = true;
  jobs.length = 0;
  timers.clear();
  takeUnhandled();
  const promise = LoopPromise.try(body, ...values);
  promise.react(() => {});
  for (;;) {
    // By index: a queue that shifts costs its length each time.
    for (let at = 0; at < jobs.length; at++) jobs[at]!();
    jobs.length = 0;
    if (promise.state !== "pending" || timers.size === 0) break;
    const [id, next] = soonest();
    const wait = next.due - Number(time.now());
    if (wait > 0) time.sleep(wait);
    timers.delete(id);
    next.run();
  }
  if (promise.state === "rejected") throw promise.value;
  if (promise.state === "pending") throw new Error("the step awaits a promise that nothing can settle any more");
  for (const lost of takeUnhandled()) throw lost.value;
  return promise.value;
}

function soonest(): [number, Timer] {
  let found: [number, Timer] | undefined;
  for (const entry of timers) if (found === undefined || entry[1].due < found[1].due) found = entry;
  return found!;
}

function start(milliseconds: unknown, run: (id: number) => void): number {
  if (!driving) throw new Error("timers start inside a step only, not at module level");
  const id = ++last;
  const delay = Math.max(0, Number(milliseconds) || 0) * 1000;
  timers.set(id, { due: Number(time.now()) + Math.round(delay), run: () => run(id) });
  return id;
}

export function setTimeout(run: (...values: any[]) => void, milliseconds?: number, ...values: any[]): number {
  return start(milliseconds, () => run(...values));
}

export function setInterval(run: (...values: any[]) => void, milliseconds?: number, ...values: any[]): number {
  return start(milliseconds, function again(id) {
    const delay = Math.max(1, Number(milliseconds) || 0) * 1000;
    timers.set(id, { due: Number(time.now()) + Math.round(delay), run: () => again(id) });
    run(...values);
  });
}

export function clearTimeout(id?: number) {
  if (id !== undefined) timers.delete(id);
}
