// Goes through every call of `@llamaindex/workflows-client`: drive.mjs URL [--original]
//
// One line for each call; the first wrong answer ends the program with exit code 1 and says what
// was seen. With `--original` the server is one of the originals: what they are known to answer
// wrongly, and wf-host answers rightly, is left out.

import { deepStrictEqual } from "node:assert";
import * as sdk from "@llamaindex/workflows-client";

const [url, flag] = process.argv.slice(2);
const original = flag === "--original";
const DEADLINE_MS = 60_000;
// Where the server asks for one.
const key = process.env.WF_HOST_API_KEY;
const client = sdk.createClient(sdk.createConfig({ baseUrl: url, headers: key ? { Authorization: `Bearer ${key}` } : {} }));
let count = 0;

function equal(call, seen, expected) {
  try {
    deepStrictEqual(seen, expected);
  } catch (error) {
    console.log(`not ok - ${call}\n${error.message}`);
    process.exit(1);
  }
  count += 1;
  console.log(`ok - ${call}`);
}

function accepted(call, answer, status = 200) {
  equal(`${call}: ${status}`, answer.response?.status, status);
  return answer.data;
}

/** The client gives the body of an error answer as `error`: an object, or text from the old original. */
function refused(call, answer, status, text) {
  const seen = typeof answer.error === "string" ? answer.error : (answer.error?.detail ?? JSON.stringify(answer.error));
  equal(call, [answer.response?.status, seen.startsWith(text) || seen], [status, true]);
}

async function within(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not ok - ${what} took longer than ${DEADLINE_MS} ms`)), DEADLINE_MS);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

const by = (name, body) => ({ client, path: { name }, body });
const to = (handler_id, more = {}) => ({ client, path: { handler_id }, ...more });
const shape = (events) => events.map(({ type, value }) => [type, value]);
const greeted = [0, 1, 2].map((sequence) => ["StreamEvent", { sequence }]);

/** The events of a stream with their ids, to its end or to one of that type. */
async function events(handler_id, query = {}, last = undefined) {
  const ids = [];
  const read = async () => {
    const options = { query, sseMaxRetryAttempts: 1, onSseEvent: ({ id }) => ids.push(id), onSseError: (error) => failures.push(error.message) };
    const seen = [];
    const { stream } = await sdk.getEventsByHandlerId(to(handler_id, options));
    for await (const event of stream) {
      seen.push(event);
      if (event.type === last) break;
    }
    return seen;
  };
  const failures = [];
  return { events: await within(`the stream of ${handler_id}`, read()), ids: ids.map(Number), failures };
}

async function until(handler_id, status) {
  const poll = async () => {
    for (;;) {
      const { data, error } = await sdk.getHandlersByHandlerId(to(handler_id));
      if ((data ?? error).status === status) return data ?? error;
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  return within(`${handler_id} to be ${status}`, poll());
}

async function server() {
  equal("getHealth", accepted("getHealth", await sdk.getHealth({ client })), { status: "healthy" });
  const { workflows } = accepted("getWorkflows", await sdk.getWorkflows({ client }));
  const expected = ["greeting", "hitl", "waiter", "failing", "retry", "slow", "timeout", "fanout", "counter", "random"];
  equal("getWorkflows", expected.filter((name) => !workflows.includes(name)), []);
}

async function described() {
  const schema = accepted("getWorkflowsByNameSchema", await sdk.getWorkflowsByNameSchema(by("hitl")));
  equal("getWorkflowsByNameSchema", [schema.start.title, schema.stop.title], ["StartEvent", "OutEvent"]);
  const listed = accepted("getWorkflowsByNameEvents", await sdk.getWorkflowsByNameEvents(by("hitl")));
  const titles = listed.events.map(({ title }) => title).sort();
  equal("getWorkflowsByNameEvents", titles, ["OutEvent", "RequestEvent", "ResponseEvent", "StartEvent"]);
  const { graph } = accepted("getWorkflowsByNameRepresentation", await sdk.getWorkflowsByNameRepresentation(by("hitl")));
  const path = ["StartEvent", "prompt_human", "RequestEvent", "external_step", "ResponseEvent", "greet_human", "OutEvent"];
  const edges = graph.edges.map(({ source, target }) => `${source} -> ${target}`).sort();
  equal("getWorkflowsByNameRepresentation, edges", edges, path.slice(1).map((target, at) => `${path[at]} -> ${target}`).sort());
  equal("getWorkflowsByNameRepresentation, nodes", graph.nodes.map(({ id }) => id).sort(), [...path].sort());
  refused("getWorkflowsByNameSchema, unknown", await sdk.getWorkflowsByNameSchema(by("nope")), 404, "Workflow not found");
  refused("getWorkflowsByNameEvents, unknown", await sdk.getWorkflowsByNameEvents(by("nope")), 404, "Workflow 'nope' not found");
  refused("getWorkflowsByNameRepresentation, unknown", await sdk.getWorkflowsByNameRepresentation(by("nope")), 404, "Workflow not found");
}

async function run() {
  const done = accepted("postWorkflowsByNameRun", await sdk.postWorkflowsByNameRun(by("greeting", { start_event: { name: "Ada" } })));
  const envelope = { value: { result: "Hello, Ada!" }, qualified_name: "workflows.events.StopEvent", type: "StopEvent", types: null };
  equal("postWorkflowsByNameRun, result", [done.status, done.error, done.workflow_name, done.result], ["completed", null, "greeting", envelope]);
  const text = await sdk.postWorkflowsByNameRun(by("greeting", { start_event: '{"name":"Grace"}' }));
  equal("postWorkflowsByNameRun, start_event as text", text.data?.result.value, { result: "Hello, Grace!" });
  const kwargs = await sdk.postWorkflowsByNameRun(by("greeting", { kwargs: { name: "Kay" } }));
  equal("postWorkflowsByNameRun, kwargs", kwargs.data?.result.value, { result: "Hello, Kay!" });
  const squares = await sdk.postWorkflowsByNameRun(by("fanout", { start_event: { n: 4 } }));
  equal("postWorkflowsByNameRun, own start event", squares.data?.result.value, { result: [0, 1, 4, 9] });

  const counted = await sdk.postWorkflowsByNameRun(by("counter", { start_event: { by: 2 } }));
  const { handler_id } = counted.data;
  const on = await sdk.postWorkflowsByNameRun(by("counter", { handler_id, start_event: { by: 3 } }));
  equal("postWorkflowsByNameRun, continued", [on.data?.handler_id, on.data?.result.value], [handler_id, { result: { count: 5 } }]);
  const state_data = { _data: { count: "7" } };
  const context = { version: 1, state: { state_data, state_type: "DictState", state_module: "workflows.context.state_store" }, is_running: false };
  if (!original) {
    const resumed = await sdk.postWorkflowsByNameRun(by("counter", { context, start_event: {} }));
    equal("postWorkflowsByNameRun, context", resumed.data?.result.value, { result: { count: 8 } });
  }

  const failed = await sdk.postWorkflowsByNameRun(by("failing", { start_event: { message: "no luck" } }));
  equal("postWorkflowsByNameRun, failed", [failed.response.status, failed.error.status, failed.error.error], [500, "failed", "no luck"]);
  refused("postWorkflowsByNameRun, unknown", await sdk.postWorkflowsByNameRun(by("nope", {})), 404, "Workflow not found");
  refused("postWorkflowsByNameRun, bad value", await sdk.postWorkflowsByNameRun(by("fanout", { start_event: { n: "x" } })), 400, "Validation error for 'start_event'");
}

async function nowait() {
  const begun = accepted("postWorkflowsByNameRunNowait", await sdk.postWorkflowsByNameRunNowait(by("slow", { start_event: { seconds: 0.5 } })));
  equal("postWorkflowsByNameRunNowait, running", [begun.status, begun.result], ["running", null]);
  accepted("getHandlersByHandlerId, running", await sdk.getHandlersByHandlerId(to(begun.handler_id)), 202);
  accepted("getResultsByHandlerId, running", await sdk.getResultsByHandlerId(to(begun.handler_id)), 202);
  equal("getHandlersByHandlerId, completed", (await until(begun.handler_id, "completed")).result.value, { result: "slept 0.5" });
  const result = accepted("getResultsByHandlerId", await sdk.getResultsByHandlerId(to(begun.handler_id)));
  equal("getResultsByHandlerId, unwrapped", result.result, "slept 0.5");
  refused("getHandlersByHandlerId, unknown", await sdk.getHandlersByHandlerId(to("nobody")), 404, "Handler not found");
  refused("getResultsByHandlerId, unknown", await sdk.getResultsByHandlerId(to("nobody")), 404, "Handler not found");
  refused("postWorkflowsByNameRunNowait, unknown", await sdk.postWorkflowsByNameRunNowait(by("nope", {})), 404, "Workflow not found");
}

async function streams() {
  const live = await sdk.postWorkflowsByNameRunNowait(by("greeting", { start_event: { name: "Ada", delay: 0.05 } }));
  const stop = ["StopEvent", { result: "Hello, Ada!" }];
  const seen = await events(live.data.handler_id, original ? { after_sequence: -1 } : {});
  equal("getEventsByHandlerId, live", shape(seen.events), [...greeted, stop]);
  if (original) return;

  equal("getEventsByHandlerId, ids rise", seen.ids.every((id, at) => at === 0 || id > seen.ids[at - 1]), true);
  equal("getEventsByHandlerId, again", (await events(live.data.handler_id)).events, seen.events);
  const rest = await events(live.data.handler_id, { after_sequence: seen.ids[1] });
  equal("getEventsByHandlerId, after_sequence", shape(rest.events), [greeted[2], stop]);
  const internal = await events(live.data.handler_id, { include_internal: true });
  equal("getEventsByHandlerId, include_internal: ids without gaps", internal.ids, internal.ids.map((_, at) => at));
  equal("getEventsByHandlerId, include_internal: the steps' states", internal.events.some(({ type }) => type === "StepStateChanged"), true);
  const bare = await events(live.data.handler_id, { include_qualified_name: false });
  equal("getEventsByHandlerId, include_qualified_name", bare.events.map((event) => event.qualified_name), [null, null, null, null]);
  const ended = await events(live.data.handler_id, { after_sequence: "now" });
  equal("getEventsByHandlerId, nothing left", [ended.events, ended.failures], [[], ["No body in SSE response"]]);
  equal("getEventsByHandlerId, unknown", (await events("nobody")).failures, ["SSE failed: 404 Not Found"]);
}

async function humanInTheLoop() {
  const answer = { type: "ResponseEvent", value: { response: "Ada" } };
  const forms = { object: answer, text: JSON.stringify(answer), "legacy text": JSON.stringify({ type: "ResponseEvent", data: { response: "Ada" } }) };
  let handler_id;
  for (const [form, event] of Object.entries(forms)) {
    ({ handler_id } = (await sdk.postWorkflowsByNameRunNowait(by("hitl", {}))).data);
    const asked = await events(handler_id, { after_sequence: -1 }, "RequestEvent");
    equal(`hitl asks (${form})`, shape(asked.events), [["RequestEvent", { prompt: "What is your name?" }]]);
    equal(`postEventsByHandlerId (${form})`, (await sdk.postEventsByHandlerId(to(handler_id, { body: { event } }))).data, { status: "sent" });
    equal(`hitl greets (${form})`, (await until(handler_id, "completed")).result.value, { output: "Hello, Ada" });
  }
  equal("getResultsByHandlerId, own stop event", (await sdk.getResultsByHandlerId(to(handler_id))).data.result, { output: "Hello, Ada" });
  refused("postEventsByHandlerId, ended", await sdk.postEventsByHandlerId(to(handler_id, { body: { event: answer } })), 409, "Workflow already completed");
  refused("postEventsByHandlerId, unknown", await sdk.postEventsByHandlerId(to("nobody", { body: { event: answer } })), 404, "Handler not found");

  ({ handler_id } = (await sdk.postWorkflowsByNameRunNowait(by("hitl", {}))).data);
  await events(handler_id, { after_sequence: -1 }, "RequestEvent");
  refused("postEventsByHandlerId, no event", await sdk.postEventsByHandlerId(to(handler_id, { body: {} })), 400, "Event data is required");
  const sent = await sdk.postEventsByHandlerId(to(handler_id, { body: { event: answer, step: "greet_human" } }));
  equal("postEventsByHandlerId, step", sent.data, { status: "sent" });
  await until(handler_id, "completed");
}

/** The client writes what an id holds with percent signs. */
async function named() {
  if (original) return;
  const handler_id = "user:42";
  const answer = { type: "ResponseEvent", value: { response: "Ada" } };
  accepted("postWorkflowsByNameRunNowait, an id with a colon", await sdk.postWorkflowsByNameRunNowait(by("hitl", { handler_id })));
  const asked = await events(handler_id, {}, "RequestEvent");
  equal("getEventsByHandlerId, an id with a colon", shape(asked.events), [["RequestEvent", { prompt: "What is your name?" }]]);
  equal("postEventsByHandlerId, an id with a colon", (await sdk.postEventsByHandlerId(to(handler_id, { body: { event: answer } }))).data, { status: "sent" });
  equal("getHandlersByHandlerId, an id with a colon", (await until(handler_id, "completed")).handler_id, handler_id);
  equal("getResultsByHandlerId, an id with a colon", (await sdk.getResultsByHandlerId(to(handler_id))).data.result, { output: "Hello, Ada" });
  const purged = await sdk.postHandlersByHandlerIdCancel(to(handler_id, { query: { purge: true } }));
  equal("postHandlersByHandlerIdCancel, an id with a colon", purged.data, { status: "deleted" });
}

async function handlers() {
  const start = async () => (await sdk.postWorkflowsByNameRunNowait(by("slow", { start_event: { seconds: 30 } }))).data.handler_id;
  const busy = await start();
  const list = async (query) => accepted("getHandlers", await sdk.getHandlers({ client, query })).handlers.map(({ handler_id }) => handler_id);
  equal("getHandlers lists it", (await list({})).includes(busy), true);
  equal("getHandlers, filtered", [(await list({ status: ["running"] })).includes(busy), (await list({ status: ["failed"] })).includes(busy)], [true, false]);
  equal("getHandlers, by workflow", [(await list({ workflow_name: ["slow"] })).includes(busy), (await list({ workflow_name: ["hitl"] })).includes(busy)], [true, false]);
  const cancel = (id, query) => sdk.postHandlersByHandlerIdCancel(to(id, { query }));
  equal("postHandlersByHandlerIdCancel", (await cancel(busy)).data, { status: "cancelled" });
  equal("getHandlersByHandlerId, cancelled", (await until(busy, "cancelled")).result, null);
  refused("postHandlersByHandlerIdCancel, ended", await cancel(busy), 404, "Handler not found");
  equal("postHandlersByHandlerIdCancel, purge", (await cancel(busy, { purge: true })).data, { status: "deleted" });
  refused("getHandlersByHandlerId, purged", await sdk.getHandlersByHandlerId(to(busy)), 404, "Handler not found");
  equal("postHandlersByHandlerIdCancel, purge while running", (await cancel(await start(), { purge: true })).data, { status: "deleted" });
}

for (const part of [server, described, run, nowait, streams, humanInTheLoop, named, handlers]) await part();
console.log(`${count} calls answered as they should`);
