"""Steps that take one event of each of two types, and the first of many."""

from typing import Annotated

from llama_agents.server import WorkflowServer
from workflows import Workflow, step
from workflows.collect import Collect, Take
from workflows.events import Event, StartEvent, StopEvent


class Left(Event):
    text: str


class Right(Event):
    text: str


class Ready(Event):
    pass


class PairWorkflow(Workflow):
    @step
    async def left(self, ev: StartEvent) -> Left:
        return Left(text="left")

    @step
    async def right(self, ev: StartEvent) -> Right:
        return Right(text="right")

    @step
    async def both(self, a: Left, b: Right) -> StopEvent:
        return StopEvent(result=f"{a.text} {b.text}")


class Lap(Event):
    number: int


class Done(Event):
    number: int


class FirstWorkflow(Workflow):
    @step
    async def race(self, ev: StartEvent) -> list[Lap]:
        return [Lap(number=number) for number in range(4)]

    @step(num_workers=1)
    async def run_lap(self, ev: Lap) -> Done:
        return Done(number=ev.number)

    @step
    async def first(self, events: Annotated[list[Done], Collect(Take(2))]) -> StopEvent:
        return StopEvent(result=[it.number for it in events])


class NoneWorkflow(Workflow):
    @step
    async def none(self, ev: StartEvent) -> list[Lap]:
        return []

    @step
    async def run_lap(self, ev: Lap) -> Done:
        return Done(number=ev.number)

    @step
    async def all(self, events: list[Done]) -> StopEvent:
        return StopEvent(result=len(events))


server = WorkflowServer()
server.add_workflow("pair", PairWorkflow(timeout=10))
server.add_workflow("first", FirstWorkflow(timeout=10))
server.add_workflow("none", NoneWorkflow(timeout=10))
