"""What the pages on concurrency, retries and servers do beside: the first stop of several, handlers of two reaches, what an attempt knows, a store."""

import asyncio
from datetime import datetime, timezone

from llama_agents.server import SqliteWorkflowStore, WorkflowServer
from workflows import Context, Workflow, catch_error, step
from workflows.events import Event, StartEvent, StepFailedEvent, StopEvent
from workflows.retry_policy import ConstantDelayRetryPolicy


class Ask(Event):
    source: str
    delay: float


class FirstWorkflow(Workflow):
    """Asks three at once, and ends with whoever answers first."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Ask | None:
        for source, delay in (("slow", 5.0), ("quick", 0.1), ("middling", 3.0)):
            ctx.send_event(Ask(source=source, delay=delay))

    @step(num_workers=3)
    async def ask(self, ctx: Context, ev: Ask) -> StopEvent:
        await asyncio.sleep(ev.delay)
        ctx.write_event_to_stream(ev)
        return StopEvent(result=ev.source)


class Second(Event):
    pass


class ScopedWorkflow(Workflow):
    """One handler for one step, and one for all others."""

    @step
    async def begin(self, ev: StartEvent) -> Second | StopEvent:
        if ev.get("fails") == "begin":
            raise ValueError("at the beginning")
        return Second()

    @step
    async def second(self, ev: Second) -> StopEvent:
        raise RuntimeError("in the middle")

    @catch_error(for_steps=["second"])
    async def of_second(self, ev: StepFailedEvent) -> StopEvent:
        return StopEvent(result=["of_second", ev.step_name, str(ev.exception)])

    @catch_error
    async def of_all(self, ev: StepFailedEvent) -> StopEvent:
        return StopEvent(result=["of_all", ev.step_name, str(ev.exception)])


class AttemptsWorkflow(Workflow):
    """What each of two attempts knows of those before it."""

    @step(retry_policy=ConstantDelayRetryPolicy(delay=0.3, maximum_attempts=3))
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
        info = ctx.retry_info()
        if not info.retry_number:
            ctx.write_event_to_stream(Event(first=[info.retry_number, info.elapsed_seconds, info.last_exception, info.last_failed_at]))
            raise ValueError("not yet")
        since = (datetime.now(timezone.utc) - info.last_failed_at).total_seconds()
        return StopEvent(result=[info.retry_number, repr(info.last_exception), 0.25 < since < 60, info.elapsed_seconds > 0.25])


class KeptEvent(Event):
    pass


class KeptWorkflow(Workflow):
    """What of a value is kept."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> KeptEvent:
        await ctx.store.set("kept", {1: ("a", "b")})
        return KeptEvent()

    @step
    async def end(self, ctx: Context, ev: KeptEvent) -> StopEvent:
        return StopEvent(result=repr(await ctx.store.get("kept")))


server = WorkflowServer(workflow_store=SqliteWorkflowStore(db_path="/tmp/wf-host-p36.db"))
server.add_workflow("fastest", FirstWorkflow(timeout=20))
server.add_workflow("scoped", ScopedWorkflow(timeout=20))
server.add_workflow("attempts", AttemptsWorkflow(timeout=20))
server.add_workflow("kept", KeptWorkflow(timeout=20))
