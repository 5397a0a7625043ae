"""How runs take turns where only two of a workflow go on at once: turns.py URL

The same scenario at an original server, whose workflow has `num_concurrent_runs=2`, and at the one at the URL, whose
`hitl` has `runs_max = 2`: what a client sees of it must be the same.
"""

import asyncio
import socket
import sys
from pathlib import Path

import uvicorn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

from calls import DEADLINE  # noqa: E402
from hitl import OutEvent, RequestEvent, ResponseEvent  # noqa: E402
from llama_agents.client import WorkflowClient  # noqa: E402
from llama_agents.server import WorkflowServer  # noqa: E402
from workflows import Workflow, step  # noqa: E402
from workflows.events import StartEvent  # noqa: E402

RUNS = ["first", "second", "third", "fourth", "fifth"]


class Hitl(Workflow):
    @step
    async def prompt_human(self, ev: StartEvent) -> RequestEvent:
        return RequestEvent(prompt="What is your name?")

    @step
    async def greet_human(self, ev: ResponseEvent) -> OutEvent:
        return OutEvent(output=f"Hello, {ev.response}")


async def scenario(url):
    """What is seen, in order."""
    client, seen, said = WorkflowClient(base_url=url), [], asyncio.Queue()
    handlers = {}
    for name in RUNS:
        data = await client.run_workflow_nowait("hitl")
        handlers[name] = data.handler_id
        seen.append((name, data.status, data.result))

    async def read(name):
        async for event in client.get_workflow_events(handlers[name]):
            said.put_nowait((name, event.type, event.value))

    readers = [asyncio.create_task(read(name)) for name in RUNS]

    async def next_said(count):
        seen.append(sorted([await said.get() for _ in range(count)], key=str))

    # Two have begun; of the others nothing is heard, though they are `running` for everybody.
    await next_said(2)
    seen.append([(await client.get_handler(handlers[name])).status for name in RUNS])
    for name in RUNS:
        await client.send_event(handlers[name], ResponseEvent(response=name))
        # Its end, and whoever it gives its turn to.
        await next_said(2 if name in RUNS[:-2] else 1)
    await asyncio.gather(*readers)
    seen.append([(await client.get_handler(handlers[name])).result.value for name in RUNS])
    return seen


async def original():
    server = WorkflowServer()
    # Without a timeout it parks runs, and now and then loses what is sent to one.
    server.add_workflow("hitl", Hitl(num_concurrent_runs=2, timeout=600))
    listening = socket.create_server(("127.0.0.1", 0))
    serving = uvicorn.Server(uvicorn.Config(server.app, log_level="warning"))
    task = asyncio.create_task(serving.serve(sockets=[listening]))
    while not serving.started:
        await asyncio.sleep(0.01)
    try:
        return await scenario(f"http://127.0.0.1:{listening.getsockname()[1]}")
    finally:
        serving.should_exit = True
        await task


async def main():
    theirs = await asyncio.wait_for(original(), DEADLINE)
    ours = await asyncio.wait_for(scenario(sys.argv[1]), DEADLINE)
    for index, (expected, seen) in enumerate(zip(theirs, ours, strict=True)):
        if expected != seen:
            sys.exit(f"not ok - {index}\n  original: {expected!r}\n  here:     {seen!r}")
        print(f"ok - {seen}", flush=True)


asyncio.run(main())
