"""Fails."""

from workflows import Workflow, step
from workflows.events import StartEvent, StopEvent


class FailingWorkflow(Workflow):
    """Fails, with the message that it is given."""

    @step
    async def fail(self, ev: StartEvent) -> StopEvent:
        """Fails."""
        raise ValueError(ev.get("message", "boom"))


workflow = FailingWorkflow(timeout=None)
