// Runs workflows in tests, for Node's own runner, vitest or any other: a program `wf-host harness` is asked, one line of
// JSON at a time. `harness.d.mts` says what each call means. It needs nothing beside it.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** Of the lines between the two. */
const PROTOCOL = 1;
/** Integers that a number does not hold are `bigint`s: in JSON they stand as such a text on the way. */
const LARGE = "\0integer:";

export class HarnessError extends Error {
  constructor(message, hint) {
    super(hint ? `${message}\nhint: ${hint}` : message);
    this.name = "HarnessError";
    this.hint = hint;
  }
}

export class Harness {
  #process;
  #lines;
  #ended;
  #asked = Promise.resolve();

  static async open(...components) {
    const last = components.at(-1);
    const options = typeof last === "object" && !(last instanceof URL) ? components.pop() : {};
    const harness = new Harness();
    const program = options.wfHost ?? process.env.WF_HOST ?? "wf-host";
    const paths = components.map((it) => (it instanceof URL ? fileURLToPath(it) : it));
    harness.#process = spawn(program, ["harness", ...paths], { stdio: ["pipe", "pipe", "inherit"] });
    harness.#ended = new Promise((resolve) => {
      harness.#process.once("error", (error) => resolve(`\`${program}\` cannot be started: ${error.message}`));
      harness.#process.once("close", (code) => resolve(`the harness has ended with code ${code}`));
    });
    // Writing to one that has ended is told by what it answers: nothing.
    harness.#process.stdin.on("error", () => {});
    harness.#lines = createInterface({ input: harness.#process.stdout, crlfDelay: Infinity })[Symbol.asyncIterator]();
    try {
      const hello = await harness.#read();
      if (hello.harness !== PROTOCOL) {
        throw new HarnessError(`\`${program}\` speaks version ${hello.harness} of the protocol, and this is ${PROTOCOL}`);
      }
      harness.workflows = hello.workflows.map((it) => it.name);
    } catch (error) {
      await harness.close();
      throw error;
    }
    return harness;
  }

  async start(event = {}, options = {}) {
    const { workflow, state, answers = {}, fail, restartAt, http, variables, internal, seed, executingMax } = options;
    const run = new Run(this, answers);
    await run._take(
      await this._ask({
        do: "start",
        workflow,
        event,
        state,
        fail: fail?.map(({ retryAfter, ...rest }) => ({ ...rest, retry_after: retryAfter })),
        restart_at: restartAt,
        http: http?.map(({ failure, ...rest }) => ({ ...rest, failure: typeof failure === "string" ? { message: failure } : failure })),
        variables,
        pause_at: Object.keys(answers),
        internal,
        seed,
        executing_max: executingMax,
      }),
    );
    return run;
  }

  async close() {
    const { exitCode, signalCode, pid } = this.#process;
    this.#process.stdin.end();
    if (pid !== undefined && exitCode === null && signalCode === null) await once(this.#process, "close");
  }

  [Symbol.asyncDispose ?? Symbol.for("nodejs.asyncDispose")]() {
    return this.close();
  }

  /** One after the other, whoever asks. */
  _ask(request) {
    const answer = this.#asked.then(() => {
      this.#process.stdin.write(`${write(request)}\n`);
      return this.#read();
    });
    this.#asked = answer.catch(() => {});
    return answer;
  }

  async #read() {
    const { value, done } = await this.#lines.next();
    if (done) throw new HarnessError(await this.#ended, "`pip install wf-host` brings it; WF_HOST names it; else stderr says why");
    const answer = read(value);
    if (answer.error !== undefined) throw new HarnessError(answer.error, answer.hint);
    return answer;
  }
}

class Run {
  #harness;
  #answers;
  #standing;
  events = [];

  constructor(harness, answers) {
    this.#harness = harness;
    this.#answers = answers;
  }

  get status() {
    return this.#standing.status;
  }

  get types() {
    return this.events.map((it) => it.type);
  }

  get result() {
    if (this.status !== "completed") throw new HarnessError(`the run has not completed\n${this.story()}`);
    return this.#standing.result;
  }

  get failure() {
    if (this.status !== "failed") throw new HarnessError(`the run has not failed\n${this.story()}`);
    return this.#standing.failure;
  }

  get now() {
    return this.#standing.now;
  }

  get next() {
    return this.#standing.next;
  }

  get waits() {
    return this.#standing.waits ?? [];
  }

  get points() {
    return this.#standing.points;
  }

  get restarts() {
    return this.#standing.restarts;
  }

  async send(type, value = {}, { step } = {}) {
    await this._take(await this.#harness._ask({ do: "send", event: { type, value }, step }));
    return this;
  }

  async advance(seconds) {
    for (let left = seconds; left !== undefined; ) {
      const standing = await this.#harness._ask({ do: "advance", seconds: left });
      left = standing.left;
      await this._take(standing);
    }
    return this;
  }

  async finish() {
    do {
      await this._take(await this.#harness._ask({ do: "finish" }));
    } while (this.next !== undefined);
    return this;
  }

  async cancel() {
    await this._take(await this.#harness._ask({ do: "cancel" }));
    return this;
  }

  async restart() {
    await this._take(await this.#harness._ask({ do: "restart" }));
    return this;
  }

  async state() {
    return (await this.#harness._ask({ do: "state" })).state;
  }

  async log() {
    return (await this.#harness._ask({ do: "log" })).log;
  }

  async requests() {
    return (await this.#harness._ask({ do: "requests" })).requests;
  }

  async attempts(step) {
    const { attempts } = await this.#harness._ask({ do: "attempts" });
    return attempts.filter((it) => step === undefined || it.step === step);
  }

  async replay() {
    return (await this.#harness._ask({ do: "replay" })).differing;
  }

  story() {
    const { status, failure, result } = this.#standing;
    const lines = [status === "running" || status === "cancelled" ? status : `${status}: ${failure ?? write(result)}`];
    if (this.next !== undefined) lines.push(`something is due in ${this.next} seconds`);
    lines.push(...this.waits.map((it) => `it waits for ${it.types.join(", ")}`));
    lines.push(...this.events.map((it) => `  ${it.type} ${write(it.value)}`));
    return lines.join("\n");
  }

  async _take(standing) {
    this.#standing = standing;
    const came = standing.events.map(({ type, value }) => ({ type, value }));
    this.events.push(...came);
    for (const event of came) {
      const answer = this.#answers[event.type];
      if (answer && this.status === "running") {
        const { type, value } = await answer(event.value);
        await this._take(await this.#harness._ask({ do: "send", event: { type, value: value ?? {} } }));
      }
    }
  }
}

function read(text) {
  const marked = text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    /^-?\d{16,}$/.test(token) && !Number.isSafeInteger(Number(token)) ? JSON.stringify(LARGE + token) : token,
  );
  return JSON.parse(marked, (_key, value) =>
    typeof value === "string" && value.startsWith(LARGE) ? BigInt(value.slice(LARGE.length)) : value,
  );
}

function write(value) {
  const text = JSON.stringify(value, (_key, it) => (typeof it === "bigint" ? `${LARGE}${it}` : it));
  return text.replace(/"\\u0000integer:(-?\d+)"/g, "$1");
}
