"""Runs that end otherwise: too late, cancelled, with nobody for an event; older spellings, and a workflow within a step."""

import asyncio

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class Begun(Event):
    pass


class Ask(InputRequiredEvent):
    question: str


class Told(HumanResponseEvent):
    text: str


class Nobodys(Event):
    text: str = ""


class LateWorkflow(Workflow):
    @step
    async def nap(self, ev: StartEvent) -> StopEvent:
        await asyncio.sleep(30)
        return StopEvent()


class CancelledWorkflow(Workflow):
    @step
    async def nap(self, ctx: Context, ev: StartEvent) -> StopEvent:
        ctx.write_event_to_stream(Begun())
        await asyncio.sleep(30)
        return StopEvent()


class IdleWorkflow(Workflow):
    @step
    async def ask(self, ev: StartEvent) -> Ask:
        return Ask(question="go on?")

    @step
    async def told(self, ev: Told) -> StopEvent:
        return StopEvent(result=ev.text)


class UnhandledWorkflow(Workflow):
    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Nobodys | Ask:
        ctx.send_event(Nobodys(text="lost"))
        return Ask(question="go on?")

    @step
    async def told(self, ev: Told) -> StopEvent:
        return StopEvent(result=ev.text)


class SpellingsWorkflow(Workflow):
    """As files of older versions say it."""

    @step
    async def use(self, ctx: Context, ev: StartEvent) -> StopEvent:
        try:
            await ctx.set("a", 1)
            ctx.data["b"] = 2
            return StopEvent(result=[await ctx.get("a"), await ctx.get("c", default=None), ctx.data["b"], ctx.data.get("c")])
        except AttributeError as error:
            return StopEvent(result=type(error).__name__)


class Inner(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result="inner")


class OuterWorkflow(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=await Inner().run())


server = WorkflowServer()
server.add_workflow("late", LateWorkflow(timeout=1))
server.add_workflow("cancelled", CancelledWorkflow(timeout=60))
server.add_workflow("idle", IdleWorkflow(timeout=60))
server.add_workflow("unhandled", UnhandledWorkflow(timeout=60, disable_validation=True))
server.add_workflow("spellings", SpellingsWorkflow())
server.add_workflow("outer", OuterWorkflow(timeout=10))
