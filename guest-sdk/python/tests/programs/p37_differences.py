"""What differs, as the page of differences says: seen on both."""

import asyncio

from llama_agents.server import WorkflowServer
from pydantic import field_validator
from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class Ask(InputRequiredEvent):
    question: str


class Reply(HumanResponseEvent):
    number: int


class Counted(StartEvent):
    count: int


class StuckWorkflow(Workflow):
    """Nothing is left to do, and it has not ended."""

    @step
    async def begin(self, ev: StartEvent) -> StopEvent | None:
        return None


class PublishedWorkflow(Workflow):
    """Publishes what ends a stream, and goes on."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
        ctx.write_event_to_stream(StopEvent(result="early"))
        ctx.write_event_to_stream(Event(after=True))
        return StopEvent(result="late")


class EditWorkflow(Workflow):
    """Waits while it has the state for itself."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
        async with ctx.store.edit_state() as state:
            answer = await ctx.wait_for_event(Reply, waiter_event=Ask(question="which?"))
            state.number = answer.number
        return StopEvent(result=await ctx.store.get("number"))


class TwiceWorkflow(Workflow):
    """Asks two questions of one type, one after the other."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
        one = await ctx.wait_for_event(Reply, waiter_event=Ask(question="one?"))
        two = await ctx.wait_for_event(Reply, waiter_event=Ask(question="two?"))
        return StopEvent(result=[one.number, two.number])


class LaxWorkflow(Workflow):
    """Is begun with a text that could be a number."""

    @step
    async def begin(self, ev: Counted) -> StopEvent:
        return StopEvent(result=ev.count + 1)


class Even(StartEvent):
    count: int

    @field_validator("count")
    @classmethod
    def is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("it is odd")
        return value


class EvenWorkflow(Workflow):
    """Has a start event with a rule of its own."""

    @step
    async def begin(self, ev: Even) -> StopEvent:
        return StopEvent(result=ev.count)


class Left(Event):
    number: int


class Right(Event):
    number: int


class Late(Event):
    pass


class Pair(Event):
    left: int
    right: int


class SurplusWorkflow(Workflow):
    """Collects one of each, where two came of the one."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Left | Right | Late | None:
        for event in (Left(number=1), Left(number=2), Right(number=1), Late()):
            ctx.send_event(event)
        return None

    @step(num_workers=1)
    async def collect(self, ctx: Context, ev: Left | Right) -> StopEvent | None:
        found = ctx.collect_events(ev, [Left, Right])
        if found is None:
            return None
        ctx.write_event_to_stream(Pair(left=found[0].number, right=found[1].number))
        return StopEvent(result="both") if found[0].number == 2 else None

    @step
    async def later(self, ctx: Context, ev: Late) -> Right:
        await asyncio.sleep(0.3)
        return Right(number=2)

    @step
    async def end(self, ctx: Context, ev: Late) -> StopEvent:
        await asyncio.sleep(1)
        return StopEvent(result="one")


server = WorkflowServer()
server.add_workflow("stuck", StuckWorkflow(timeout=1))
server.add_workflow("published", PublishedWorkflow(timeout=10))
server.add_workflow("edit", EditWorkflow(timeout=10), additional_events=[Reply])
server.add_workflow("twice", TwiceWorkflow(timeout=10), additional_events=[Reply])
server.add_workflow("lax", LaxWorkflow(timeout=10))
server.add_workflow("even", EvenWorkflow(timeout=10))
server.add_workflow("surplus", SurplusWorkflow(timeout=10))
