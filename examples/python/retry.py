"""Charges a card: tries again where the bank fails, and sends a bill where it fails for good."""

from workflows import Context, Workflow, catch_error, step
from workflows.events import Event, StartEvent, StepFailedEvent, StopEvent
from workflows.retry_policy import ConstantDelayRetryPolicy


class Charge(Event):
    """Money is to be taken; the bank fails so often before it does not."""

    cents: int
    failures: int


class Owed(Event):
    """It was not to be had, for good."""

    cents: int
    why: str


class Retry(Workflow):
    """Charges a card: tries again where the bank fails, and sends a bill where it fails for good."""

    @step
    async def begin(self, ev: StartEvent) -> Charge:
        return Charge(cents=ev.get("cents", 1_000), failures=ev.get("failures", 2))

    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=3, delay=0.1))
    async def charge(self, ctx: Context, ev: Charge) -> StopEvent:
        """An error is another attempt: here three in all."""
        tried = ctx.retry_info().retry_number
        if tried < ev.failures:
            raise ConnectionError(f"the bank does not answer, {tried + 1} times now")
        return StopEvent(result={"paid": ev.cents, "retries": tried})

    @catch_error(for_steps=["charge"])
    async def recover(self, ev: StepFailedEvent) -> Owed:
        """Is given what has failed for good, with what it was given."""
        return Owed(cents=ev.input_event.cents, why=str(ev.exception))

    @step
    async def bill(self, ev: Owed) -> StopEvent:
        return StopEvent(result={"billed": ev.cents, "because": ev.why})


workflow = Retry(timeout=None)
