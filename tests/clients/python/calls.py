"""The calls that both generations of the Python client have, with their exact answers.

A driver makes the client and goes through `everything`. One line is printed for each call; the
first wrong answer ends the program with exit code 1 and says what was seen.

With `--original` the server is one of the originals: what they are known to answer wrongly, and
wf-host answers rightly, is left out.
"""

import asyncio
import contextlib
import os
import re
import sys

import hitl
import httpx
from house.decisions import DecideEvent
from workflows import Context, Workflow, step
from workflows.events import HumanResponseEvent, StartEvent, StopEvent

WORKFLOWS = ["greeting", "hitl", "waiter", "failing", "retry", "slow", "timeout", "fanout", "counter", "random"]
# Nothing here takes longer; a call that hangs is a failure.
DEADLINE = 60.0
# Where the server asks for one.
KEY = os.environ.get("WF_HOST_API_KEY")


def headers():
    return {"Authorization": f"Bearer {KEY}"} if KEY else {}


@contextlib.asynccontextmanager
async def reached(url):
    """What a client is made with: the URL alone, or an httpx client that shows the key."""
    if not KEY:
        yield {"base_url": url}
        return
    async with httpx.AsyncClient(base_url=url, headers=headers(), timeout=DEADLINE) as locked:
        yield {"httpx_client": locked}


class AnswerEvent(HumanResponseEvent):
    user: str = "anyone"
    answer: str


class FanStart(StartEvent):
    n: int = 3


class Local(Workflow):
    """Only here to make a context that is sent along."""

    @step
    async def only(self, ev: StartEvent) -> StopEvent:
        return StopEvent()


class Calls:
    """A client, and what is said about its calls."""

    def __init__(self, client, original):
        self.client = client
        self.original = original
        self.count = 0

    def equal(self, call, seen, expected):
        if seen != expected:
            sys.exit(f"not ok - {call}\n  expected: {expected!r}\n  seen:     {seen!r}")
        self.count += 1
        print(f"ok - {call}", flush=True)

    def true(self, call, holds, seen):
        if not holds:
            sys.exit(f"not ok - {call}\n  seen: {seen!r}")
        self.count += 1
        print(f"ok - {call}", flush=True)

    async def refused(self, call, awaitable, status, text):
        """The client turns an error answer into an exception that quotes status and body."""
        try:
            answer = await awaitable
        except httpx.HTTPStatusError as error:
            seen = str(error)
            self.true(call, seen.startswith(str(status)) and text in seen, seen)
        else:
            sys.exit(f"not ok - {call}\n  expected: {status} {text}\n  seen:     {answer!r}")

    async def events(self, handler, **options):
        """The events of a stream to its end."""

        async def read():
            return [event async for event in self.client.get_workflow_events(handler, **options)]

        return await asyncio.wait_for(read(), DEADLINE)

    async def until(self, handler, status):
        """The handler, as soon as it has that status."""

        async def poll():
            while True:
                data = await self.client.get_handler(handler)
                if data.status == status:
                    return data
                await asyncio.sleep(0.02)

        return await asyncio.wait_for(poll(), DEADLINE)

    async def first_event(self, handler, kind):
        """Reads the stream until an event of that type, and goes away."""

        async def read():
            stream = self.client.get_workflow_events(handler)
            async for event in stream:
                if event.type == kind:
                    return event
            sys.exit(f"not ok - the stream of {handler} ended without {kind}")

        return await asyncio.wait_for(read(), DEADLINE)


def shape(events):
    return [(event.type, event.value) for event in events]


GREETED = [("StreamEvent", {"sequence": 0}), ("StreamEvent", {"sequence": 1}), ("StreamEvent", {"sequence": 2})]
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$")


async def everything(calls):
    await server(calls)
    await run(calls)
    await run_refused(calls)
    await nowait(calls)
    await streams(calls)
    await human_in_the_loop(calls)
    if not calls.original:
        await loaded(calls)
    await waiter(calls)
    await handlers(calls)
    await cancel(calls)


async def server(calls):
    client = calls.client
    calls.equal("is_healthy", (await client.is_healthy()).status, "healthy")
    listed = (await client.list_workflows()).workflows
    calls.true("list_workflows", all(name in listed for name in WORKFLOWS), listed)


async def run(calls):
    client = calls.client
    data = await client.run_workflow("greeting", start_event={"name": "Ada"})
    calls.equal("run_workflow(dict) result", data.result.value, {"result": "Hello, Ada!"})
    calls.equal("run_workflow(dict) envelope", (data.result.type, data.result.types, data.result.qualified_name), ("StopEvent", None, "workflows.events.StopEvent"))
    calls.equal("run_workflow(dict) status", (data.status, data.workflow_name, data.error), ("completed", "greeting", None))
    calls.true("run_workflow(dict) times", all(TIME.match(at or "") for at in (data.started_at, data.updated_at, data.completed_at)), data)
    calls.true("run_workflow(dict) ids", all(re.match("^[0-9A-Za-z]{10}$", id or "") for id in (data.handler_id, data.run_id)), data)

    data = await client.run_workflow("greeting", start_event=StartEvent(name="Grace"))
    calls.equal("run_workflow(StartEvent)", data.result.value, {"result": "Hello, Grace!"})
    if not calls.original:
        data = await client.run_workflow("greeting")
        calls.equal("run_workflow(nothing)", data.result.value, {"result": "Hello, World!"})

        for label, start in [("null", {"result": None}), ("nothing", {})]:
            data = await client.run_workflow("nothing", start_event=start)
            calls.equal(f"run_workflow, a result of {label}", (data.status, data.result.value, data.result.type), ("completed", {}, "StopEvent"))
            calls.equal(f"load_event, a result of {label}", data.result.load_event().result, None)
            data = await client.get_result(data.handler_id)
            calls.equal(f"get_result, {label}", (data.status, data.result and data.result.value), ("completed", {}))

    data = await client.run_workflow("fanout", start_event={"n": 5})
    calls.equal("run_workflow(own start event)", data.result.value, {"result": [0, 1, 4, 9, 16]})
    data = await client.run_workflow("fanout", start_event=FanStart(n=0))
    calls.equal("run_workflow(own StartEvent)", data.result.value["result"], [])
    data = await client.run_workflow("retry", start_event={"a": 1})
    calls.equal("run_workflow retries", data.result.value, {"result": {"tries": 3}})

    # The old original refuses an id that it did not make.
    chosen = None if calls.original else f"counted-{os.getpid()}"
    data = await client.run_workflow("counter", handler_id=chosen, start_event={"by": 2})
    calls.equal("run_workflow(handler_id) new", (data.result.value, data.handler_id), ({"result": {"count": 2}}, chosen or data.handler_id))
    handler, first = data.handler_id, data.run_id
    data = await client.run_workflow("counter", handler_id=handler, start_event={"by": 3})
    calls.equal("run_workflow(handler_id) continued", (data.result.value, data.handler_id), ({"result": {"count": 5}}, handler))
    calls.true("run_workflow(handler_id) a new run", data.run_id != first, data)

    exported = {"state": {"state_data": {"_data": {"count": "7"}}, "state_type": "DictState", "state_module": "workflows.context.state_store"}, "is_running": False}
    context = Context.from_dict(Local(), {**Context(Local()).to_dict(), **exported})
    data = await client.run_workflow("counter", start_event={"by": 1}, context=context)
    calls.equal("run_workflow(Context)", data.result.value, {"result": {"count": 8}})
    data = await client.run_workflow("counter", start_event={"by": 1}, context=context.to_dict())
    calls.equal("run_workflow(context as a dict)", data.result.value, {"result": {"count": 8}})


async def run_refused(calls):
    client = calls.client
    await calls.refused("run_workflow fails", client.run_workflow("failing", start_event={"message": "no luck"}), 500, "no luck")
    await calls.refused("run_workflow times out", client.run_workflow("timeout", start_event={"a": 1}), 500, "timed out after 0.3")
    await calls.refused("run_workflow, unknown", client.run_workflow("nope", start_event={"a": 1}), 404, "Workflow not found")
    await calls.refused("run_workflow, bad value", client.run_workflow("fanout", start_event={"n": "many"}), 400, "Validation error for 'start_event'")


async def nowait(calls):
    client = calls.client
    data = await client.run_workflow_nowait("slow", start_event=StartEvent(seconds=0.5))
    calls.equal("run_workflow_nowait(StartEvent)", (data.status, data.result, data.completed_at), ("running", None, None))
    data = await client.get_handler(data.handler_id)
    calls.equal("get_handler, running", (data.status, data.result), ("running", None))
    data = await calls.until(data.handler_id, "completed")
    calls.equal("get_handler, completed", data.result.value, {"result": "slept 0.5"})
    data = await client.get_result(data.handler_id)
    calls.equal("get_result", data.result.value, {"result": "slept 0.5"})

    data = await client.run_workflow_nowait("counter")
    data = await calls.until(data.handler_id, "completed")
    calls.equal("run_workflow_nowait(nothing)", data.result.value, {"result": {"count": 1}})
    data = await client.run_workflow_nowait("counter", handler_id=data.handler_id, start_event={"by": 4})
    data = await calls.until(data.handler_id, "completed")
    calls.equal("run_workflow_nowait(handler_id, dict)", data.result.value, {"result": {"count": 5}})
    context = {"version": 1, "state": {"state_data": {"_data": {"count": "10"}}, "state_type": "DictState", "state_module": "workflows.context.state_store"}, "is_running": False}
    if not calls.original:
        data = await client.run_workflow_nowait("counter", context=context)
        data = await calls.until(data.handler_id, "completed")
        calls.equal("run_workflow_nowait(context)", data.result.value, {"result": {"count": 11}})

    data = await client.run_workflow_nowait("failing", start_event={"message": "later"})

    async def failed():
        # A failed run answers 500 with the handler: the client makes an exception of it.
        while (await client.get_handler(data.handler_id)).status == "running":
            await asyncio.sleep(0.02)

    await calls.refused("get_handler, failed", asyncio.wait_for(failed(), DEADLINE), 500, "later")
    await calls.refused("get_handler, unknown", client.get_handler("nobody"), 404, "Handler not found")
    await calls.refused("run_workflow_nowait, unknown", client.run_workflow_nowait("nope"), 404, "Workflow not found")


async def streams(calls):
    client = calls.client
    data = await client.run_workflow_nowait("greeting", start_event={"name": "Ada", "delay": 0.05})
    seen = await calls.events(data.handler_id)
    calls.equal("get_workflow_events, live", shape(seen), GREETED + [("StopEvent", {"result": "Hello, Ada!"})])
    own = seen[0]
    calls.true("get_workflow_events, own type", own.types is None and own.qualified_name.endswith(".StreamEvent"), own)
    if not calls.original:
        again = await calls.events(data.handler_id)
        calls.equal("get_workflow_events, a second time", again, seen)

    data = await client.run_workflow_nowait("greeting", start_event={"delay": 0.05})
    seen = await calls.events(data.handler_id, include_internal_events=True)
    internal = [event for event in seen if event.types == ["InternalDispatchEvent"]]
    states = [(event.value["name"], event.value["step_state"]) for event in internal if event.type == "StepStateChanged"]
    calls.true("get_workflow_events, internal", states[-2:] == [("greet", "running"), ("greet", "not_running")], states)
    calls.equal("get_workflow_events, internal beside the others", shape(event for event in seen if event not in internal), GREETED + [("StopEvent", {"result": "Hello, World!"})])
    try:
        await calls.events("nobody")
    except ValueError as error:
        calls.equal("get_workflow_events, unknown", str(error), "Handler not found")


async def human_in_the_loop(calls):
    client = calls.client
    for label, event in [("Event", hitl.ResponseEvent(response="Ada")), ("dict", {"type": "ResponseEvent", "value": {"response": "Ada"}})]:
        data = await client.run_workflow_nowait("hitl")
        asked = await calls.first_event(data.handler_id, "RequestEvent")
        calls.equal(f"hitl asks ({label})", (asked.value, asked.types), ({"prompt": "What is your name?"}, ["InputRequiredEvent"]))
        calls.equal(f"send_event({label})", (await client.send_event(data.handler_id, event)).status, "sent")
        data = await calls.until(data.handler_id, "completed")
        calls.equal(f"hitl greets ({label})", (data.result.value, data.result.type, data.result.types), ({"output": "Hello, Ada"}, "OutEvent", ["StopEvent"]))
    await calls.refused("send_event after the end", client.send_event(data.handler_id, hitl.ResponseEvent(response="x")), 409, "Workflow already completed")
    await calls.refused("send_event, unknown handler", client.send_event("nobody", hitl.ResponseEvent(response="x")), 404, "Handler not found")

    data = await client.run_workflow_nowait("hitl")
    await calls.first_event(data.handler_id, "RequestEvent")
    await calls.refused("send_event, unknown type", client.send_event(data.handler_id, {"type": "Nope", "value": {}}), 400, "Invalid event type: Nope. Expected one of")
    await calls.refused("send_event, bad value", client.send_event(data.handler_id, {"type": "ResponseEvent", "value": {"response": []}}), 400, "Failed to deserialize event")
    if not calls.original:
        await calls.refused("send_event, unknown step", client.send_event(data.handler_id, hitl.ResponseEvent(response="x"), step="nope"), 400, "Failed to send event: Step nope does not exist")
    calls.equal("send_event(step)", (await client.send_event(data.handler_id, hitl.ResponseEvent(response="Bob"), step="greet_human")).status, "sent")
    data = await calls.until(data.handler_id, "completed")
    calls.equal("send_event(step) arrives", data.result.value, {"output": "Hello, Bob"})


async def loaded(calls):
    """Events as their classes, which `load_event` looks for where the workflow says that they are."""
    client = calls.client
    data = await client.run_workflow_nowait("hitl")
    asked = (await calls.first_event(data.handler_id, "RequestEvent")).load_event()
    calls.equal("load_event, of a stream", asked, hitl.RequestEvent(prompt="What is your name?"))
    calls.equal("load_event, its class", type(asked), hitl.RequestEvent)
    await client.send_event(data.handler_id, hitl.ResponseEvent(response="Ada"))
    data = await calls.until(data.handler_id, "completed")
    out = data.result.load_event()
    calls.equal("load_event, of a result", (type(out), out.output), (hitl.OutEvent, "Hello, Ada"))
    last = (await calls.events(data.handler_id))[-1].load_event()
    calls.equal("load_event, of a stream's end", (type(last), last.output), (hitl.OutEvent, "Hello, Ada"))
    given = data.result.load_event(registry=[hitl.OutEvent])
    calls.equal("load_event(registry)", (type(given), given.output), (hitl.OutEvent, "Hello, Ada"))

    data = await client.run_workflow_nowait("two-types")
    asked = (await calls.first_event(data.handler_id, "DecideEvent")).load_event()
    calls.equal("load_event, of a module that the workflow names", (type(asked), asked.question), (DecideEvent, "go on?"))
    await client.cancel_handler(data.handler_id, purge=True)

    data = await client.run_workflow("greeting", start_event={"name": "Ada"})
    stop = data.result.load_event()
    calls.equal("load_event, of a built-in type", (type(stop), stop.result), (StopEvent, "Hello, Ada!"))


async def waiter(calls):
    client = calls.client
    data = await client.run_workflow_nowait("waiter")
    asked = await calls.first_event(data.handler_id, "AskEvent")
    calls.equal("wait_for_event asks", asked.value, {"question": "who?"})
    await client.send_event(data.handler_id, AnswerEvent(user="somebody", answer="1"))
    await client.send_event(data.handler_id, AnswerEvent(user="laurie", answer="42"))
    data = await calls.until(data.handler_id, "completed")
    calls.equal("wait_for_event takes only what it asked for", data.result.value, {"result": {"answer": "42"}})


async def handlers(calls):
    client = calls.client
    done = await client.run_workflow("random", start_event={"a": 1})
    busy = await client.run_workflow_nowait("slow", start_event={"seconds": 30})
    every = {data.handler_id: data for data in (await client.get_handlers()).handlers}
    calls.equal("get_handlers", (every[done.handler_id].status, every[busy.handler_id].status), ("completed", "running"))
    running = [data.handler_id for data in (await client.get_handlers(status=["running"])).handlers]
    calls.true("get_handlers(status)", busy.handler_id in running and done.handler_id not in running, running)
    rolled = {data.workflow_name for data in (await client.get_handlers(workflow_name=["random", "slow"])).handlers}
    calls.equal("get_handlers(workflow_name)", rolled, {"random", "slow"})
    both = [data.handler_id for data in (await client.get_handlers(status=["completed"], workflow_name=["random"])).handlers]
    calls.true("get_handlers(both)", done.handler_id in both and busy.handler_id not in both, both)
    await client.cancel_handler(busy.handler_id, purge=True)


async def cancel(calls):
    client = calls.client
    data = await client.run_workflow_nowait("slow", start_event={"seconds": 30})
    calls.equal("cancel_handler", (await client.cancel_handler(data.handler_id)).status, "cancelled")
    await calls.refused("get_handler, cancelled", client.get_handler(data.handler_id), 500, '"status":"cancelled"')
    await calls.refused("cancel_handler, ended", client.cancel_handler(data.handler_id), 404, "Handler not found")
    calls.equal("cancel_handler(purge), ended", (await client.cancel_handler(data.handler_id, purge=True)).status, "deleted")
    await calls.refused("cancel_handler(purge), gone", client.cancel_handler(data.handler_id, purge=True), 404, "Handler not found")
    data = await client.run_workflow_nowait("slow", start_event={"seconds": 30})
    calls.equal("cancel_handler(purge), running", (await client.cancel_handler(data.handler_id, purge=True)).status, "deleted")
    await calls.refused("get_handler, purged", client.get_handler(data.handler_id), 404, "Handler not found")
