"""A person is asked, by two steps."""

from workflows import Workflow, step
from workflows.events import HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class AskName(InputRequiredEvent):
    prefix: str


class Named(HumanResponseEvent):
    response: str


class HumanWorkflow(Workflow):
    @step
    async def ask(self, ev: StartEvent) -> AskName:
        return AskName(prefix="Your name: ")

    @step
    async def greet(self, ev: Named) -> StopEvent:
        return StopEvent(result=f"Hello, {ev.response}" + ("!" * ev.get("marks", 0)))


workflow = HumanWorkflow(timeout=30)
