/** Checks that run in a component, on the engine and the host: each has a name, and says what is wrong. */
import { defineWorkflow, event, Failure, StartEvent, StopEvent } from "wf-guest";
import * as z from "zod";

const Shown = event("Shown", z.object({ at: z.int() }));

function same(found: unknown, wanted: unknown) {
  const text = (value: unknown) => JSON.stringify(value, (_key, it) => (typeof it === "bigint" ? `${it}n` : it));
  if (text(found) !== text(wanted)) throw new Error(`found ${text(found)}, not ${text(wanted)}`);
}

async function refused(act: () => unknown, wanted: string) {
  try {
    await act();
  } catch (error: any) {
    if (!`${error.name}: ${error.message}`.includes(wanted)) throw new Error(`refused by ${error.name}: ${error.message}`);
    return;
  }
  throw new Error(`not refused: ${wanted}`);
}

async function* counted(to: number) {
  for (let i = 0; i < to; i++) yield i;
}

const workflow = defineWorkflow({ name: "inside", description: "Checks the SDK from inside." });

workflow.step("check", { accepts: [StartEvent], emits: [StopEvent], sends: [Shown] }, async (context, { data: given }) => {
  const checks: Record<string, () => unknown> = {
    "integers keep their digits": async () => {
      same(given.large, 61695499031416832n);
      await context.state.set("large", given.large);
      same(await context.state.get("large"), 61695499031416832n);
      same(given.small, 12);
    },
    "what JSON cannot say is refused": async () => {
      await refused(() => context.state.set("a", NaN), "the value is NaN, which JSON cannot say");
      await refused(() => context.state.set("a", { b: new Map() }), "`b` is a Map");
      await refused(() => context.state.set("a", [undefined]), "undefined");
      await refused(() => context.state.set("a", "\ud800"), "half a surrogate pair");
      await refused(() => context.state.set("a", () => 1), "a function");
      await context.state.set("a", ["\\ud800", "🦀", undefined === null]);
      same(await context.state.get("a"), ["\\ud800", "🦀", false]);
    },
    "events are checked by their schema": () =>
      refused(() => Shown.with({ at: 1.5 }), "ValidationError: Shown.at"),
    "the host's refusals are failures": async () => {
      await refused(() => context.state.set("a".repeat(2000), 1), "limit");
      try {
        await context.state.set("a".repeat(2000), 1);
      } catch (error) {
        same(error instanceof Failure, true);
      }
    },
    "state": async () => {
      await context.state.set("list", [1]);
      await context.state.push("list", 2);
      same(await context.state.get("list"), [1, 2]);
      same(await context.state.edit("n", (n = 1) => n + 1), 2);
      same(await context.state.editExclusive("n", async (n = 0) => n * 5), 10);
      await context.state.delete("n");
      same(await context.state.get("n"), undefined);
      same((await context.state.all())["list"], [1, 2]);
    },
    "memo": async () => {
      let called = 0;
      const once = () => context.memo("m", async () => ({ called: ++called }));
      same([await once(), await once()], [{ called: 1 }, { called: 1 }]);
      same(await context.memo("nothing", () => undefined), undefined);
    },
    "promises": async () => {
      const later = (value: unknown, after: number) => new Promise((resolve) => setTimeout(() => resolve(value), after));
      same(await Promise.all([later(1, 30), 2, later(3, 10)]), [1, 2, 3]);
      same(await Promise.race([later("slow", 30), later("quick", 10)]), "quick");
      same(await Promise.any([Promise.reject(1), later("any", 5)]), "any");
      same(await Promise.any([Promise.reject(1)]).catch((error) => error.errors), [1]);
      const settled = await Promise.allSettled([later(1, 1), Promise.reject(2)]);
      same(settled, [{ status: "fulfilled", value: 1 }, { status: "rejected", reason: 2 }]);
      same(await Promise.all([]), []);
      same(await Promise.resolve(1).finally(() => 2), 1);
      same(await Promise.reject(1).catch((it) => it + 1), 2);
      same(await { then: (resolve: (it: number) => void) => resolve(7) }, 7);
      const { promise, resolve } = Promise.withResolvers<number>();
      queueMicrotask(() => resolve(8));
      same(await promise, 8);
    },
    "asynchronous loops": async () => {
      const seen: number[] = [];
      for await (const i of counted(3)) seen.push(i);
      for await (const i of [Promise.resolve(3)]) seen.push(i);
      same(seen, [0, 1, 2, 3]);
    },
    "timers go in order": async () => {
      const seen: string[] = [];
      const cleared = setTimeout(() => seen.push("never"), 1);
      clearTimeout(cleared);
      setTimeout((it) => seen.push(it), 20, "second");
      setTimeout(() => seen.push("first"), 10);
      const ticking = setInterval(() => seen.length >= 4 ? clearInterval(ticking) : seen.push("tick"), 12);
      const begun = Date.now();
      await context.sleep("60ms");
      same(seen, ["first", "tick", "second", "tick"]);
      same(Date.now() - begun >= 60, true);
    },
    "text": () => {
      const text = "aé€🦀\u0000";
      const bytes = new TextEncoder().encode(text);
      same([...bytes], [97, 195, 169, 226, 130, 172, 240, 159, 166, 128, 0]);
      same(new TextDecoder().decode(bytes), text);
      same([...new TextEncoder().encode("\ud800")], [239, 191, 189]);
      same(new TextDecoder().decode(Uint8Array.from([0xef, 0xbb, 0xbf, 97])), "a");
      same(new TextDecoder().decode(Uint8Array.from([0xc0, 0x80, 0xed, 0xa0, 0x80, 0xf0, 0x9f])), "\ufffd".repeat(6));
      const stream = new TextDecoder();
      let parts = "";
      for (const byte of bytes) parts += stream.decode(Uint8Array.of(byte), { stream: true });
      same(parts + stream.decode(), text);
      same(new TextDecoder().decode(new TextEncoder().encode("x".repeat(100_000))).length, 100_000);
      return refused(() => new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.of(0xff)), "no UTF-8");
    },
    "structuredClone": () => {
      const value: any = { list: [1, { a: new Date(5) }], map: new Map([[1, new Set([2])]]), bytes: Uint8Array.of(1, 2) };
      value.self = value;
      const clone = structuredClone(value);
      same([clone !== value, clone.self === clone, clone.list, clone.list[1].a instanceof Date], [true, true, value.list, true]);
      same([...clone.map.get(1)], [2]);
      same([[...clone.bytes], clone.bytes.buffer !== value.bytes.buffer], [[1, 2], true]);
      same(structuredClone(new TypeError("no")).message, "no");
      return refused(() => structuredClone(() => 1), "cannot be cloned");
    },
    "URL": () => {
      const url = new URL("../x?a=1&b=%20#end", "https://exämple.org:8080/p/q/r");
      same(url.href, "https://xn--exmple-cua.org:8080/p/x?a=1&b=%20#end");
      same([url.searchParams.get("b"), String(new URLSearchParams({ a: "ä b" }))], [" ", "a=%C3%A4+b"]);
      return refused(() => new URL("nothing"), "TypeError");
    },
    "chance": () => {
      const drawn = [Math.random(), Math.random(), crypto.randomUUID(), crypto.randomUUID()];
      same(new Set(drawn).size, 4);
      same(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/.test(String(drawn[2])), true);
      const words = crypto.getRandomValues(new Uint32Array(4));
      same(new Set(words).size, 4);
      return refused(() => crypto.getRandomValues(new Uint8Array(70_000)), "at most 65536");
    },
    "durations": () => refused(() => context.sleep("5 weeks" as never), "`5 weeks` is no duration"),
    "lines for the log": () => {
      console.info("a line", { a: 1n }, new Error("shown"), undefined);
      context.log.warn("with fields", { a: 1n, half: "a" });
    },
    "what runs": () => {
      same([context.attempt, context.retryInfo.attempts, context.retryInfo.lastFailure], [0, 0, undefined]);
      same(context.idempotencyKey("a") === context.idempotencyKey("a"), true);
      same(context.runId.length > 0 && context.handlerId.length > 0, true);
      context.commit();
    },
  };
  const wrong: Record<string, string> = {};
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
    } catch (error: any) {
      wrong[name] = `${error.name}: ${error.message}`;
    }
  }
  return StopEvent.with({ checked: Object.keys(checks).length, wrong });
});

export default workflow;
