"""Rules that are seen only where something fails, or where two ask for the same."""

from typing import Annotated

from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from workflows.resource import Resource
from workflows.retry_policy import ConstantDelayRetryPolicy


class Ask(InputRequiredEvent):
    pass


class Reply(HumanResponseEvent):
    text: str


class Part(Event):
    number: int


class Seen(Event):
    text: str


def broken() -> str:
    raise LookupError("no such thing")


class BrokenResource(Workflow):
    @step
    async def begin(self, ev: StartEvent, it: Annotated[str, Resource(broken)]) -> StopEvent:
        return StopEvent(result=it)


class BrokenPolicy:
    def next(self, elapsed_time, attempts, error, **_):
        raise RuntimeError("no policy")


class PolicyFails(Workflow):
    @step(retry_policy=BrokenPolicy())
    async def begin(self, ev: StartEvent) -> StopEvent:
        raise ValueError("the first")


class BothTake(Workflow):
    """One waits for an answer, and another step takes its type: each gets it."""

    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent | None:
        reply = await ctx.wait_for_event(Reply, waiter_event=Ask())
        await ctx.store.set("waited", reply.text)
        ctx.send_event(Part(number=1))
        return None

    @step
    async def take(self, ctx: Context, ev: Reply) -> Part:
        return Part(number=2)

    @step
    async def both(self, ctx: Context, ev: Part) -> StopEvent | None:
        parts = ctx.collect_events(ev, [Part, Part])
        if parts is None:
            return None
        return StopEvent(result=[sorted(it.number for it in parts), await ctx.store.get("waited")])


class CollectsAgain(Workflow):
    """A step that fails after it has collected gets the same batch when it is tried again."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Part | None:
        for number in (1, 2):
            ctx.send_event(Part(number=number))
        return None

    @step(num_workers=1, retry_policy=ConstantDelayRetryPolicy(delay=0, maximum_attempts=3))
    async def collect(self, ctx: Context, ev: Part) -> StopEvent | None:
        parts = ctx.collect_events(ev, [Part, Part])
        if parts is None:
            return None
        if ctx.retry_info().retry_number < 1:
            raise ValueError("again")
        return StopEvent(result=[[it.number for it in parts], ctx.retry_info().retry_number])


resource = BrokenResource(timeout=10)
policy = PolicyFails(timeout=10)
both_take = BothTake(timeout=10)
collects = CollectsAgain(timeout=10)
