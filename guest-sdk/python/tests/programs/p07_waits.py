"""Waits: with ids, with requirements, and one whose time-out is caught."""

import asyncio

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class Question(InputRequiredEvent):
    who: str


class Reply(HumanResponseEvent):
    who: str
    text: str


class Never(HumanResponseEvent):
    pass


class Told(Event):
    text: str


class WaitsWorkflow(Workflow):
    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        ada = await ctx.wait_for_event(
            Reply, waiter_event=Question(who="ada"), waiter_id="first", requirements={"who": "ada"}, timeout=30
        )
        bob = await ctx.wait_for_event(
            Reply, waiter_event=Question(who="bob"), waiter_id="second", requirements={"who": "bob"}, timeout=30
        )
        try:
            await ctx.wait_for_event(Never, timeout=0.2)
        except asyncio.TimeoutError as error:
            ctx.write_event_to_stream(Told(text=f"{ada.text} and {bob.text}"))
            return StopEvent(result=str(error))
        return StopEvent(result="never")


server = WorkflowServer()
server.add_workflow("waits_for_two", WaitsWorkflow(timeout=60), additional_events=[Reply])
