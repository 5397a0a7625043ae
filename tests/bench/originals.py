"""Serves the benchmark's workflows with the original server of this environment: originals.py STORE

STORE is `memory` or the path of an SQLite database. Prints the URL, and serves until it is killed.
"""

import asyncio
import socket
import sys

import uvicorn
from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent

try:
    from llama_agents.server import SqliteWorkflowStore, WorkflowServer
except ImportError:
    from workflows.server import SqliteWorkflowStore, WorkflowServer


class StreamEvent(Event):
    sequence: int


class Greeting(Workflow):
    @step
    async def greet(self, ctx: Context, ev: StartEvent) -> StopEvent:
        for sequence in range(3):
            ctx.write_event_to_stream(StreamEvent(sequence=sequence))
        return StopEvent(result=f"Hello, {ev.get('name', 'World')}!")


class RequestEvent(InputRequiredEvent):
    prompt: str


class ResponseEvent(HumanResponseEvent):
    response: str


class OutEvent(StopEvent):
    output: str


class Hitl(Workflow):
    @step
    async def prompt_human(self, ctx: Context, ev: StartEvent) -> RequestEvent:
        return RequestEvent(prompt="What is your name?")

    @step
    async def greet_human(self, ctx: Context, ev: ResponseEvent) -> OutEvent:
        return OutEvent(output=f"Hello, {ev.response}")


class FirstEvent(Event):
    text: str


class SecondEvent(Event):
    text: str


class Chain(Workflow):
    @step
    async def first(self, ctx: Context, ev: StartEvent) -> FirstEvent:
        return FirstEvent(text=ev.get("text", ""))

    @step
    async def second(self, ctx: Context, ev: FirstEvent) -> SecondEvent:
        return SecondEvent(text=ev.text)

    @step
    async def third(self, ctx: Context, ev: SecondEvent) -> StopEvent:
        return StopEvent(result=len(ev.text))


class WorkEvent(Event):
    i: int


class DoneEvent(Event):
    square: int


class Spread(Workflow):
    @step
    async def dispatch(self, ctx: Context, ev: StartEvent) -> WorkEvent | None:
        n = ev.get("n", 100)
        await ctx.store.set("n", n)
        for i in range(n):
            ctx.send_event(WorkEvent(i=i))

    @step(num_workers=4)
    async def work(self, ctx: Context, ev: WorkEvent) -> DoneEvent:
        return DoneEvent(square=ev.i * ev.i)

    @step
    async def gather(self, ctx: Context, ev: DoneEvent) -> StopEvent | None:
        done = ctx.collect_events(ev, [DoneEvent] * await ctx.store.get("n"))
        return None if done is None else StopEvent(result=sum(it.square for it in done))


async def main():
    store = sys.argv[1]
    server = WorkflowServer() if store == "memory" else WorkflowServer(workflow_store=SqliteWorkflowStore(store))
    for name, kind in (("greeting", Greeting), ("hitl", Hitl), ("chain", Chain), ("spread", Spread)):
        server.add_workflow(name, kind(timeout=None))
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    print(f"listening on http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(server.app, log_level="error", access_log=False, backlog=2048)
    async with server.contextmanager():
        await uvicorn.Server(config).serve([listening])


asyncio.run(main())
