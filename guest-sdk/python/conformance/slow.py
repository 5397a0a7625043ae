"""Sleeps."""

import asyncio

from workflows import Workflow, step
from workflows.events import StartEvent, StopEvent


class SlowWorkflow(Workflow):
    """Sleeps for as long as it is told."""

    @step
    async def nap(self, ev: StartEvent) -> StopEvent:
        """Sleeps."""
        seconds = float(ev.get("seconds", 1.0))
        await asyncio.sleep(seconds)
        return StopEvent(result=f"slept {seconds}")


workflow = SlowWorkflow(timeout=None)
