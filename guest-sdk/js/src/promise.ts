/**
 * A Promise of our own. The engine runs a synchronous call without its queue of jobs, so an `await`
 * would stop for good: the build lowers async functions to generators over this Promise, whose
 * queue the loop empties.
 */
export type Job = () => void;
type State = "pending" | "fulfilled" | "rejected";
type Executor = (resolve: (value?: any) => void, reject: (reason?: any) => void) => void;

export const jobs: Job[] = [];
let unhandled = new Set<LoopPromise>();

function isThenable(value: any): value is PromiseLike<any> {
  return value !== null && (typeof value === "object" || typeof value === "function") && "then" in value;
}

export class LoopPromise {
  #state: State = "pending";
  #value: any;
  #reactions: Job[] = [];

  constructor(executor: Executor) {
    let done = false;
    const once = (act: (value: any) => void) => (value: any) => {
      if (done) return;
      done = true;
      act(value);
    };
    const reject = once((reason) => this.#settle("rejected", reason));
    // Both are one: the first call of either counts.
    try {
      executor(once((value) => this.#resolve(value)), reject);
    } catch (error) {
      reject(error);
    }
  }

  get state(): State {
    return this.#state;
  }

  get value(): any {
    return this.#value;
  }

  get [Symbol.toStringTag]() {
    return "Promise";
  }

  #resolve(value: any) {
    if (value === this) return this.#settle("rejected", new TypeError("a promise cannot resolve to itself"));
    if (value instanceof LoopPromise) return value.#into(this);
    let then: unknown;
    try {
      then = isThenable(value) && value.then;
    } catch (error) {
      return this.#settle("rejected", error);
    }
    if (typeof then !== "function") return this.#settle("fulfilled", value);
    jobs.push(() => new LoopPromise((resolve, reject) => void then.call(value, resolve, reject)).#into(this));
  }

  #into(target: LoopPromise) {
    this.react(() => target.#settle(this.#state, this.#value));
  }

  #settle(state: State, value: any) {
    [this.#state, this.#value] = [state, value];
    if (state === "rejected" && this.#reactions.length === 0) unhandled.add(this);
    for (const reaction of this.#reactions.splice(0)) jobs.push(reaction);
  }

  /** Does a job once it is settled, and counts as a handler of its rejection. */
  react(job: Job) {
    unhandled.delete(this);
    if (this.#state === "pending") this.#reactions.push(job);
    else jobs.push(job);
  }

  then(onFulfilled?: any, onRejected?: any): LoopPromise {
    return new LoopPromise((resolve, reject) =>
      this.react(() => {
        const handler = this.#state === "fulfilled" ? onFulfilled : onRejected;
        if (typeof handler !== "function") return this.#state === "fulfilled" ? resolve(this.#value) : reject(this.#value);
        try {
          resolve(handler(this.#value));
        } catch (error) {
          reject(error);
        }
      }),
    );
  }

  catch(onRejected?: any): LoopPromise {
    return this.then(undefined, onRejected);
  }

  finally(act: any): LoopPromise {
    if (typeof act !== "function") return this.then(act, act);
    const after = (go: (value: any) => any) => (value: any) => LoopPromise.resolve(act()).then(() => go(value));
    const fail = (error: any) => {
      throw error;
    };
    return this.then(after((value) => value), after(fail));
  }

  static resolve(value?: any): LoopPromise {
    return value instanceof LoopPromise ? value : new LoopPromise((resolve) => resolve(value));
  }

  static reject(reason?: any): LoopPromise {
    return new LoopPromise((_resolve, reject) => reject(reason));
  }

  static try(act: (...values: any[]) => any, ...values: any[]): LoopPromise {
    return new LoopPromise((resolve) => resolve(act(...values)));
  }

  static withResolvers() {
    let resolve: any;
    let reject: any;
    const promise = new LoopPromise((...both) => ([resolve, reject] = both));
    return { promise, resolve, reject };
  }

  static race(all: Iterable<any>): LoopPromise {
    return new LoopPromise((resolve, reject) => {
      for (const one of all) LoopPromise.resolve(one).then(resolve, reject);
    });
  }

  static all(all: Iterable<any>): LoopPromise {
    return gathered(all, (one, put, _resolve, reject) => one.then(put, reject));
  }

  static allSettled(all: Iterable<any>): LoopPromise {
    return gathered(all, (one, put) =>
      one.then(
        (value: any) => put({ status: "fulfilled", value }),
        (reason: any) => put({ status: "rejected", reason }),
      ),
    );
  }

  static any(all: Iterable<any>): LoopPromise {
    const none = gathered(all, (one, put, _resolve, reject) => one.then(reject, put));
    // Inside out: the first to be fulfilled rejects, and all reasons together fulfil.
    const refuse = (reasons: any[]) => {
      throw new AggregateError(reasons, "All promises were rejected");
    };
    return none.then(refuse, (value: any) => value);
  }
}

type Put = (value: any) => void;

/** Settles with a list, once each has put its part. */
function gathered(all: Iterable<any>, each: (one: LoopPromise, put: Put, resolve: Put, reject: Put) => void): LoopPromise {
  return new LoopPromise((resolve, reject) => {
    const values: any[] = [];
    let left = 1;
    const end = () => {
      if (--left === 0) resolve(values);
    };
    let index = 0;
    for (const one of all) {
      const at = index++;
      left++;
      const put = (value: any) => {
        values[at] = value;
        end();
      };
      each(LoopPromise.resolve(one), put, resolve, reject);
    }
    end();
  });
}

/** Those rejected that nobody handled; forgotten with it. */
export function takeUnhandled(): LoopPromise[] {
  const all = [...unhandled];
  unhandled = new Set();
  return all;
}
