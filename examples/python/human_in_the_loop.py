"""Asks before it acts."""

from workflows import Workflow, step
from workflows.events import HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class ApprovalRequest(InputRequiredEvent):
    """Asks a person for a decision."""

    question: str


class ApprovalResponse(HumanResponseEvent):
    """What the person decides."""

    approved: bool


class HumanInTheLoop(Workflow):
    """Asks before it acts. While it waits it costs rows, and no memory."""

    @step
    async def ask(self, ev: StartEvent) -> ApprovalRequest:
        """Asks for approval."""
        return ApprovalRequest(question=f"Shall {ev.get('what', 'the release')} go out?")

    @step
    async def act(self, ev: ApprovalResponse) -> StopEvent:
        """Acts on the answer."""
        return StopEvent(result="it is out" if ev.approved else "it stays in")


workflow = HumanInTheLoop(timeout=None)
