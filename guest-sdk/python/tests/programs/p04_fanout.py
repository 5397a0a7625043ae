"""A fan-out with send_event, four workers, and `[E] * n`."""

import asyncio

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Query(Event):
    number: int


class Answer(Event):
    number: int
    text: str


class ParallelWorkflow(Workflow):
    @step
    async def spread(self, ctx: Context, ev: StartEvent) -> Query | None:
        await ctx.store.set("count", ev.count)
        for number in range(ev.count):
            ctx.send_event(Query(number=number))

    @step(num_workers=4)
    async def work(self, ctx: Context, ev: Query) -> Answer:
        await asyncio.sleep(0.001 * (ev.number % 3))
        return Answer(number=ev.number, text="x" * ev.number)

    @step
    async def gather(self, ctx: Context, ev: Answer) -> StopEvent | None:
        count = await ctx.store.get("count")
        answers = ctx.collect_events(ev, [Answer] * count)
        if answers is None:
            return None
        return StopEvent(result=sorted(it.number for it in answers))


workflow = ParallelWorkflow(timeout=20)
