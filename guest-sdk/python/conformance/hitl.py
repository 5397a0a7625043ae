"""Asks for a name, and greets."""

from workflows import Workflow, step
from workflows.events import HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class RequestEvent(InputRequiredEvent):
    """Asks."""

    prompt: str


class ResponseEvent(HumanResponseEvent):
    """What the person says."""

    response: str


class OutEvent(StopEvent):
    """The greeting."""

    output: str


class HitlWorkflow(Workflow):
    """Asks for a name and greets."""

    @step
    async def prompt_human(self, ev: StartEvent) -> RequestEvent:
        """Asks for the name."""
        return RequestEvent(prompt="What is your name?")

    @step
    async def greet_human(self, ev: ResponseEvent) -> OutEvent:
        """Greets whoever answered."""
        return OutEvent(output=f"Hello, {ev.response}")


workflow = HitlWorkflow(timeout=None)
