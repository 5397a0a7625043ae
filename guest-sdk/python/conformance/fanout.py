"""Squares numbers in four slots."""

import asyncio

from pydantic import Field
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class FanStart(StartEvent):
    """How many numbers to square."""

    n: int = Field(default=3, ge=0, le=1000)


class WorkEvent(Event):
    """A number."""

    i: int


class DoneEvent(Event):
    """Its square."""

    i: int
    square: int


class FanoutWorkflow(Workflow):
    """Squares numbers beside each other."""

    @step
    async def dispatch(self, ctx: Context, ev: FanStart) -> WorkEvent | StopEvent | None:
        """Sends each number to a worker."""
        if ev.n == 0:
            return StopEvent(result=[])
        await ctx.store.set("n", ev.n)
        for i in range(ev.n):
            ctx.send_event(WorkEvent(i=i), step="work")
        return None

    @step(num_workers=4)
    async def work(self, ev: WorkEvent) -> DoneEvent:
        """Squares one."""
        await asyncio.sleep(0.01)
        return DoneEvent(i=ev.i, square=ev.i * ev.i)

    @step
    async def collect(self, ctx: Context, ev: DoneEvent) -> StopEvent | None:
        """Gathers all of them."""
        done = ctx.collect_events(ev, [DoneEvent] * await ctx.store.get("n"))
        return None if done is None else StopEvent(result=sorted(it.square for it in done))


workflow = FanoutWorkflow(timeout=None)
