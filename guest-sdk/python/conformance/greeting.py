"""Greets, and shows three events on the way."""

import asyncio

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class StreamEvent(Event):
    """One of the three."""

    sequence: int


class GreetingWorkflow(Workflow):
    """Greets."""

    @step
    async def greet(self, ctx: Context, ev: StartEvent) -> StopEvent:
        """Publishes three events, and stops with the greeting."""
        delay = ev.get("delay", 0)
        for sequence in range(3):
            ctx.write_event_to_stream(StreamEvent(sequence=sequence))
            if delay:
                await asyncio.sleep(delay)
        return StopEvent(result=f"Hello, {ev.get('name', 'World')}!")


workflow = GreetingWorkflow(timeout=None)
