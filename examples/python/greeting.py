"""Greets by name."""

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Progress(Event):
    """Shown to whoever reads the run's stream, while the greeting is under way."""

    message: str


class Greeting(Workflow):
    """Greets by name."""

    @step
    async def greet(self, ctx: Context, ev: StartEvent) -> StopEvent:
        """Greets whoever the start event names."""
        name = ev.get("name", "World")
        ctx.write_event_to_stream(Progress(message=f"looking up {name}"))
        return StopEvent(result=f"Hello, {name}!")


workflow = Greeting(timeout=None)
