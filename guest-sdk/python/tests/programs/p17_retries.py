"""More on failures: one step catches what no other does, more than once, and may go on."""

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, catch_error, step
from workflows.events import Event, StartEvent, StepFailedEvent, StopEvent
from workflows.retry_policy import retry_policy, stop_after_attempt, stop_after_delay, wait_chain, wait_fixed, wait_none


class Work(Event):
    number: int


class AnyWorkflow(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> Work:
        return Work(number=ev.get("number", 1))

    @step(retry_policy=retry_policy(wait=wait_chain(wait_none(), wait_fixed(0.02)), stop=stop_after_attempt(3) | stop_after_delay(60)))
    async def work(self, ctx: Context, ev: Work) -> StopEvent:
        if ev.number:
            raise ZeroDivisionError(f"number {ev.number}")
        return StopEvent(result="recovered")

    @catch_error(max_recoveries=2)
    async def recover(self, ctx: Context, ev: StepFailedEvent) -> Work:
        ctx.write_event_to_stream(Work(number=ev.input_event.number * 100 + ev.attempts))
        return Work(number=ev.input_event.number - 1)


class RaisingWorkflow(Workflow):
    @step
    async def fail(self, ev: StartEvent) -> StopEvent:
        raise ValueError("first")

    @catch_error
    async def recover(self, ev: StepFailedEvent) -> StopEvent:
        raise LookupError(f"after {ev.exception}")


class OwnError(Exception):
    pass


class NamedWorkflow(Workflow):
    @step
    async def fail(self, ev: StartEvent) -> StopEvent:
        raise OwnError("mine")


server = WorkflowServer()
server.add_workflow("any", AnyWorkflow(timeout=30))
server.add_workflow("raising", RaisingWorkflow(timeout=30))
server.add_workflow("named", NamedWorkflow(timeout=30))
