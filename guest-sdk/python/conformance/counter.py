"""Counts on."""

from workflows import Context, Workflow, step
from workflows.events import StartEvent, StopEvent


class CounterWorkflow(Workflow):
    """Counts on from where the handler's last run left off."""

    @step
    async def bump(self, ctx: Context, ev: StartEvent) -> StopEvent:
        """Adds to the count."""
        async with ctx.store.edit_state() as state:
            state["count"] = state.get("count", 0) + ev.get("by", 1)
            return StopEvent(result={"count": state["count"]})


workflow = CounterWorkflow(timeout=None)
