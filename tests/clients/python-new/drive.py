"""Goes through every call of `llama_agents.client` (llama-agents-client 0.4): drive.py URL [--original]"""

import asyncio
import sys
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

from calls import GREETED, Calls, everything, headers, reached, shape  # noqa: E402
from llama_agents.client import WorkflowClient  # noqa: E402


async def main():
    url, original = sys.argv[1], "--original" in sys.argv
    async with reached(url) as where:
        calls = Calls(WorkflowClient(**where), original)
        await everything(calls)
        await described(calls)
        await cursors(calls)
        await waits(calls)
    async with httpx.AsyncClient(base_url=url, headers=headers()) as shared:
        data = await WorkflowClient(httpx_client=shared).run_workflow("greeting", start_event={"name": "Ada"})
        calls.equal("a client over a given httpx client", data.result.value, {"result": "Hello, Ada!"})
    print(f"{calls.count} calls answered as they should")


async def described(calls):
    client = calls.client
    schema = await client.get_workflow_schema("hitl")
    calls.equal("get_workflow_schema", (schema.start["title"], schema.stop["title"], schema.stop["required"]), ("StartEvent", "OutEvent", ["output"]))
    schema = await client.get_workflow_schema("fanout")
    calls.equal("get_workflow_schema, own start event", {key: schema.start["properties"]["n"][key] for key in ("type", "default", "minimum", "maximum")}, {"type": "integer", "default": 3, "minimum": 0, "maximum": 1000})
    events = (await client.get_workflow_events_schema("hitl")).events
    calls.equal("get_workflow_events_schema", sorted(event["title"] for event in events), ["OutEvent", "RequestEvent", "ResponseEvent", "StartEvent"])
    events = (await client.get_workflow_events_schema("waiter")).events
    calls.equal("get_workflow_events_schema, additional events", sorted(event["title"] for event in events), ["AnswerEvent", "AskEvent", "StartEvent", "StopEvent"])
    await calls.refused("get_workflow_schema, unknown", client.get_workflow_schema("nope"), 404, "Workflow not found")
    await calls.refused("get_workflow_events_schema, unknown", client.get_workflow_events_schema("nope"), 404, "Workflow 'nope' not found")
    await calls.refused("get_workflow_graph, unknown", client.get_workflow_graph("nope"), 404, "Workflow not found")
    graph = (await client.get_workflow_graph("hitl")).graph
    edges = {(edge.source, edge.target, edge.label) for edge in graph.edges}
    path = ["StartEvent", "prompt_human", "RequestEvent", "external_step", "ResponseEvent", "greet_human", "OutEvent"]
    calls.equal("get_workflow_graph, edges", edges, {(source, target, None) for source, target in zip(path, path[1:])})
    kinds = {node.id: node.node_type for node in graph.nodes}
    calls.equal("get_workflow_graph, nodes", kinds, {name: "step" if name in ("prompt_human", "greet_human") else "external" if name == "external_step" else "event" for name in path})


async def cursors(calls):
    client = calls.client
    data = await client.run_workflow("greeting", start_event={"name": "Ada"})
    stop = ("StopEvent", {"result": "Hello, Ada!"})
    stream = client.get_workflow_events(data.handler_id)
    first = await asyncio.wait_for(anext(aiter(stream)), 60)
    calls.equal("get_workflow_events, first of a finished run", shape([first]), GREETED[:1])
    cursor = stream.last_sequence
    calls.true("EventStream.last_sequence", isinstance(cursor, int) and cursor >= 0, cursor)
    await stream.aclose()
    calls.equal("EventStream.aclose, and get_workflow_events(after_sequence)", shape(await calls.events(data.handler_id, after_sequence=cursor)), GREETED[1:] + [stop])
    calls.equal("get_workflow_events(after_sequence=-1)", shape(await calls.events(data.handler_id, after_sequence=-1)), GREETED + [stop])
    calls.equal("get_workflow_events(after_sequence='now'), ended", shape(await calls.events(data.handler_id, after_sequence="now")), [])
    calls.equal("get_workflow_events(after_sequence) beyond the end", shape(await calls.events(data.handler_id, after_sequence=100000)), [])

    data = await client.run_workflow_nowait("hitl")
    await calls.first_event(data.handler_id, "RequestEvent")
    # A reader from `now` says nothing when it has begun: the answer's head does.
    connected = asyncio.Event()

    async def begun(response):
        connected.set()

    async with httpx.AsyncClient(base_url=sys.argv[1], headers=headers(), event_hooks={"response": [begun]}) as watched:
        now = asyncio.create_task(Calls(WorkflowClient(httpx_client=watched), False).events(data.handler_id, after_sequence="now"))
        whole = asyncio.create_task(calls.events(data.handler_id, max_reconnect_attempts=1))
        await asyncio.wait_for(connected.wait(), 60)
        await client.send_event(data.handler_id, {"type": "ResponseEvent", "value": {"response": "Ada"}})
        out = ("OutEvent", {"output": "Hello, Ada"})
        calls.equal("get_workflow_events(after_sequence='now'), live", shape(await now), [out])
        calls.equal("get_workflow_events, two readers", shape(await whole), [("RequestEvent", {"prompt": "What is your name?"}), out])


async def waits(calls):
    client = calls.client
    for backoff in ("constant", "linear", "exponential"):
        data = await client.run_workflow_nowait("slow", start_event={"seconds": 0.2})
        data = await client.wait_for_handler(data.handler_id, timeout=30, poll_interval=0.05, backoff=backoff)
        calls.equal(f"wait_for_handler({backoff})", (data.status, data.result.value), ("completed", {"result": "slept 0.2"}))
    data = await client.run_workflow_nowait("slow", start_event={"seconds": 30})
    try:
        await client.wait_for_handler(data.handler_id, timeout=0.1, poll_interval=0.05)
    except TimeoutError as error:
        calls.true("wait_for_handler(timeout)", "did not complete within 0.1" in str(error), error)
    else:
        sys.exit("not ok - wait_for_handler(timeout) returned")
    await client.cancel_handler(data.handler_id, purge=True)


asyncio.run(main())
