"""Sleeps, perhaps for too long."""

import asyncio

from workflows import Workflow, step
from workflows.events import StartEvent, StopEvent


class TimeoutWorkflow(Workflow):
    """Sleeps for as long as it is told, and has 0.3 seconds."""

    @step
    async def nap(self, ev: StartEvent) -> StopEvent:
        """Sleeps."""
        seconds = float(ev.get("seconds", 1.0))
        await asyncio.sleep(seconds)
        return StopEvent(result=f"slept {seconds}")


workflow = TimeoutWorkflow(timeout=0.3)
