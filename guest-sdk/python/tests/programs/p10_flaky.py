"""Steps that fail: a constant delay, a policy of parts, a policy of one's own, and one that catches."""

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, catch_error, step
from workflows.events import StartEvent, StepFailedEvent, StopEvent
from workflows.retry_policy import (
    ConstantDelayRetryPolicy,
    retry_if_exception_type,
    retry_policy,
    stop_after_attempt,
    wait_fixed,
)


class Twice:
    def next(self, elapsed_time, attempts, error):
        return 0.01 if attempts < 2 else None


async def attempt(ctx):
    async with ctx.store.edit_state() as state:
        state["tries"] = state.get("tries", 0) + 1
        return state["tries"]


class ConstantWorkflow(Workflow):
    @step(retry_policy=ConstantDelayRetryPolicy(maximum_attempts=3, delay=0.01))
    async def flaky(self, ctx: Context, ev: StartEvent) -> StopEvent:
        tries = await attempt(ctx)
        if tries < 3:
            raise RuntimeError(f"try {tries}")
        info = ctx.retry_info()
        return StopEvent(result={"tries": tries, "retries": info.retry_number, "last": str(info.last_exception)})


class PartsWorkflow(Workflow):
    @step(retry_policy=retry_policy(retry=retry_if_exception_type(OSError), wait=wait_fixed(0.01), stop=stop_after_attempt(5)))
    async def flaky(self, ctx: Context, ev: StartEvent) -> StopEvent:
        tries = await attempt(ctx)
        if tries < 2:
            raise ConnectionError("once")
        raise ValueError(f"not tried again after {tries}")


class OwnWorkflow(Workflow):
    @step(retry_policy=Twice())
    async def flaky(self, ctx: Context, ev: StartEvent) -> StopEvent:
        raise LookupError(f"try {await attempt(ctx)}")


class CaughtWorkflow(Workflow):
    @step
    async def fail(self, ctx: Context, ev: StartEvent) -> StopEvent:
        raise ValueError(ev.get("message", "boom"))

    @catch_error(for_steps=["fail"])
    async def recover(self, ctx: Context, ev: StepFailedEvent) -> StopEvent:
        return StopEvent(
            result={
                "step": ev.step_name,
                "type": type(ev.exception).__name__,
                "message": str(ev.exception),
                "attempts": ev.attempts,
                "input": type(ev.input_event).__name__,
                "said": ev.input_event.get("message", "nothing"),
            }
        )


server = WorkflowServer()
server.add_workflow("constant", ConstantWorkflow(timeout=10))
server.add_workflow("parts", PartsWorkflow(timeout=10))
server.add_workflow("own", OwnWorkflow(timeout=10))
server.add_workflow("caught", CaughtWorkflow(timeout=10))
