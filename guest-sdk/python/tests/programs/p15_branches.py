"""Branches that each have steps of their own, and a step that takes what both end in."""

from workflows import Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class BranchA1(Event):
    payload: str


class BranchA2(Event):
    payload: str


class BranchB1(Event):
    payload: str


class BranchesWorkflow(Workflow):
    @step
    async def start(self, ev: StartEvent) -> BranchA1 | BranchB1:
        if ev.get("branch") == "a":
            return BranchA1(payload="branch a")
        return BranchB1(payload="branch b")

    @step
    async def a1(self, ev: BranchA1) -> BranchA2:
        return BranchA2(payload=ev.payload + ", twice")

    @step
    async def end(self, ev: BranchA2 | BranchB1) -> StopEvent:
        return StopEvent(result=f"{type(ev).__name__}: {ev.payload}")


workflow = BranchesWorkflow()
