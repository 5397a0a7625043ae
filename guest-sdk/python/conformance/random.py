"""Two numbers by chance."""

import asyncio
from random import random

from workflows import Workflow, step
from workflows.events import StartEvent, StopEvent


class RandomWorkflow(Workflow):
    """Stops with two numbers by chance."""

    @step
    async def draw(self, ev: StartEvent) -> StopEvent:
        """Draws one, leaves memory, and draws the other."""
        a = random()
        await asyncio.sleep(ev.get("sleep", 0))
        return StopEvent(result={"a": a, "b": random()})


workflow = RandomWorkflow(timeout=None)
