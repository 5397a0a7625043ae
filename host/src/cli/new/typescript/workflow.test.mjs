import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Harness } from "./sdk/testing/harness.mjs";

let harness;
before(async () => {
  harness = await Harness.open(new URL("{{name}}.ts", import.meta.url));
});
after(() => harness.close());

test("it greets, wherever the host is restarted", async () => {
  const run = await harness.start({ name: "Ada" }, { restartAt: "every" });
  await run.finish();
  assert.equal(run.result, "Hello, Ada!");
  assert.deepEqual(run.types, ["Progress", "Progress", "Progress", "StopEvent"]);
});

test("it asks whom it is told nobody", async () => {
  const run = await harness.start();
  await run.advance(3600);
  assert.deepEqual(run.waits[0].types, ["Answer"]);
  assert.equal((await run.send("Answer", { name: "Grace" })).result, "Hello, Grace!");
});
