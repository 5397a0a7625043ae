"""Several steps that return lists for one join, and a join that returns the next."""

import asyncio

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Item(Event):
    number: int


class Part(Event):
    number: int


class Done(Event):
    number: int


class Total(Event):
    numbers: list[int]


class Sources(Workflow):
    """Two steps whose lists one join takes, each in its own firing; one of them may be empty."""

    @step
    async def left(self, ev: StartEvent) -> list[Item]:
        return [Item(number=number) for number in range(ev.get("left", 3))]

    @step
    async def right(self, ev: StartEvent) -> list[Part]:
        return [Part(number=10 + number) for number in range(2)]

    @step
    async def work(self, ev: Item) -> Done:
        return Done(number=ev.number)

    @step
    async def shape(self, ev: Part) -> Done:
        return Done(number=ev.number)

    @step
    async def gather(self, done: list[Done]) -> Total:
        return Total(numbers=sorted(it.number for it in done))

    @step
    async def finish(self, ctx: Context, ev: Total) -> StopEvent | None:
        totals = ctx.collect_events(ev, [Total, Total])
        return StopEvent(result=sorted(it.numbers for it in totals)) if totals else None


class Nested(Workflow):
    """An inner list for the same join as the outer one."""

    @step
    async def split(self, ev: StartEvent) -> list[Item | Part]:
        return [Item(number=1), Part(number=2), Item(number=3)]

    @step
    async def work(self, ev: Item) -> Done:
        return Done(number=ev.number)

    @step
    async def shape(self, ev: Part) -> list[Done]:
        return [Done(number=ev.number * 10), Done(number=ev.number * 100)]

    @step
    async def gather(self, done: list[Done]) -> Total:
        return Total(numbers=sorted(it.number for it in done))

    @step
    async def finish(self, ctx: Context, ev: Total) -> StopEvent | None:
        totals = ctx.collect_events(ev, [Total, Total])
        return StopEvent(result=sorted(it.numbers for it in totals)) if totals else None


class Rounds(Workflow):
    """A join that returns a list that comes back to it."""

    @step
    async def split(self, ev: StartEvent) -> list[Item]:
        return [Item(number=number) for number in (1, 2, 3)]

    @step
    async def work(self, ev: Item) -> Done:
        return Done(number=ev.number * 2)

    @step
    async def gather(self, ctx: Context, done: list[Done]) -> list[Item] | StopEvent:
        rounds = [*await ctx.store.get("rounds", default=[]), sorted(it.number for it in done)]
        await ctx.store.set("rounds", rounds)
        if len(rounds) == 3:
            return StopEvent(result=rounds)
        return [Item(number=number) for number in rounds[-1][1:]]


class Fired(Event):
    count: int


class Pause(Event):
    pass


class Alone(Workflow):
    """A join that may return a list, and returns one event alone: that is in no list."""

    @step
    async def left(self, ev: StartEvent) -> list[Item]:
        return [Item(number=1), Item(number=2)]

    @step
    async def right(self, ev: StartEvent) -> list[Part]:
        return [Part(number=10)]

    @step
    async def work(self, ev: Item) -> Done:
        return Done(number=ev.number)

    @step
    async def shape(self, ev: Part) -> Done:
        return Done(number=ev.number)

    @step
    async def gather(self, done: list[Done]) -> list[Item] | Total:
        return Total(numbers=sorted(it.number for it in done))

    @step
    async def finish(self, ctx: Context, ev: Total) -> StopEvent | None:
        totals = ctx.collect_events(ev, [Total, Total])
        return StopEvent(result=sorted(it.numbers for it in totals)) if totals else None


class Quiet(Workflow):
    """A step that may return a list, and returns nothing: no join has that."""

    @step
    async def split(self, ev: StartEvent) -> list[Item] | None:
        return None

    @step
    async def work(self, ev: Item) -> Done:
        return Done(number=ev.number)

    @step
    async def gather(self, ctx: Context, done: list[Done]) -> list[Item] | StopEvent | None:
        ctx.write_event_to_stream(Fired(count=len(done)))
        return None

    @step
    async def other(self, ev: StartEvent) -> Pause:
        return Pause()

    @step
    async def later(self, ev: Pause) -> StopEvent:
        await asyncio.sleep(0.3)
        return StopEvent(result="quiet")


class Empty(Workflow):
    """The same step returns a list that is empty: a join has that."""

    @step
    async def split(self, ev: StartEvent) -> list[Item] | None:
        return []

    @step
    async def work(self, ev: Item) -> Done:
        return Done(number=ev.number)

    @step
    async def gather(self, done: list[Done]) -> StopEvent:
        return StopEvent(result=len(done))


server = WorkflowServer()
server.add_workflow("sources", Sources())
server.add_workflow("nested", Nested())
server.add_workflow("rounds", Rounds())
server.add_workflow("alone", Alone())
server.add_workflow("quiet", Quiet())
server.add_workflow("no_items", Empty())
