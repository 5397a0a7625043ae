"""Fails twice, and then does not."""

from workflows import Context, Workflow, step
from workflows.events import StartEvent, StopEvent
from workflows.retry_policy import ConstantDelayRetryPolicy


class RetryWorkflow(Workflow):
    """Needs three attempts."""

    @step(retry_policy=ConstantDelayRetryPolicy(delay=0.05, maximum_attempts=3))
    async def flaky(self, ctx: Context, ev: StartEvent) -> StopEvent:
        """Counts its attempts, and fails in the first two."""
        async with ctx.store.edit_state() as state:
            tries = state.get("tries", 0)
            state["tries"] = tries + 1
        if tries < 2:
            raise RuntimeError(f"try {tries}")
        return StopEvent(result={"tries": tries + 1})


workflow = RetryWorkflow(timeout=None)
