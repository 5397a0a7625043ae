"""Steps that add to one list, and to one dictionary, beside each other."""

import asyncio

from llama_agents.server import WorkflowServer
from pydantic import BaseModel
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Item(Event):
    number: int


class Done(Event):
    number: int


class Tally(BaseModel):
    numbers: list[int] = []
    squares: dict[str, int] = {}


class Beside(Workflow):
    @step
    async def split(self, ctx: Context, ev: StartEvent) -> list[Item]:
        await ctx.store.set("numbers", [])
        await ctx.store.set("squares", {})
        return [Item(number=number) for number in range(12)]

    @step(num_workers=4)
    async def work(self, ctx: Context, ev: Item) -> Done:
        numbers = await ctx.store.get("numbers")
        await asyncio.sleep(0.3)
        numbers.append(ev.number)
        await ctx.store.set("numbers", numbers)
        await ctx.store.set(f"squares.n{ev.number}", ev.number**2)
        await ctx.store.set(f"cubes.n{ev.number}", ev.number**3)
        return Done(number=ev.number)

    @step
    async def gather(self, ctx: Context, done: list[Done]) -> StopEvent:
        numbers, squares, cubes = [await ctx.store.get(it) for it in ("numbers", "squares", "cubes")]
        return StopEvent(result=[sorted(numbers), sorted(squares.items()), sorted(cubes.items())])


class Typed(Workflow):
    """The same in a typed state, changed where it lies."""

    @step
    async def split(self, ctx: Context[Tally], ev: StartEvent) -> list[Item]:
        return [Item(number=number) for number in range(12)]

    @step(num_workers=4)
    async def work(self, ctx: Context[Tally], ev: Item) -> Done:
        state = await ctx.store.get_state()
        await asyncio.sleep(0.3)
        state.numbers.append(ev.number)
        state.squares[f"n{ev.number}"] = ev.number**2
        return Done(number=ev.number)

    @step
    async def gather(self, ctx: Context[Tally], done: list[Done]) -> StopEvent:
        state = await ctx.store.get_state()
        return StopEvent(result=[sorted(state.numbers), sorted(state.squares.items())])


server = WorkflowServer()
server.add_workflow("beside", Beside())
server.add_workflow("typed_beside", Typed())
