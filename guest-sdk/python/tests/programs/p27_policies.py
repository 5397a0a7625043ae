"""What retry policies say after each failure, with one chance for all: their parts, and what is made of them."""

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import StartEvent, StopEvent
from workflows.retry_policy import (
    ConstantDelayRetryPolicy,
    ExponentialBackoffRetryPolicy,
    retry_all,
    retry_always,
    retry_any,
    retry_if_exception,
    retry_if_exception_cause_type,
    retry_if_exception_message,
    retry_if_exception_type,
    retry_if_not_exception_message,
    retry_if_not_exception_type,
    retry_never,
    retry_policy,
    retry_unless_exception_type,
    stop_after_attempt,
    stop_after_delay,
    stop_all,
    stop_any,
    stop_before_delay,
    stop_never,
    wait_chain,
    wait_combine,
    wait_exponential,
    wait_exponential_jitter,
    wait_fixed,
    wait_full_jitter,
    wait_incrementing,
    wait_none,
    wait_random,
    wait_random_exponential,
)

WAITS = {
    "none": wait_none(),
    "exponential": wait_exponential(),
    "exponential, all said": wait_exponential(multiplier=2, exp_base=3, max=20, min=3),
    "incrementing": wait_incrementing(),
    "incrementing, all said": wait_incrementing(start=1, increment=2, max=6),
    "random": wait_random(min=1, max=5),
    "jitter": wait_exponential_jitter(),
    "jitter, all said": wait_exponential_jitter(initial=2, exp_base=3, max=10, jitter=2),
    "random exponential": wait_random_exponential(),
    "full jitter": wait_full_jitter(multiplier=3, min=1),
    "chain": wait_chain(wait_fixed(1), wait_fixed(4)),
    "combined": wait_combine(wait_fixed(1), wait_random()),
    "added": wait_fixed(1) + wait_fixed(2),
}
STOPS = {
    "attempt": stop_after_attempt(2),
    "after delay": stop_after_delay(1.0),
    "after a longer delay": stop_after_delay(1.1),
    "before delay": stop_before_delay(6),
    "before a longer delay": stop_before_delay(6.1),
    "any": stop_any(stop_after_attempt(2), stop_after_delay(9)),
    "all": stop_all(stop_after_attempt(2), stop_after_delay(1)),
    "and": stop_after_attempt(2) & stop_after_delay(9),
    "or": stop_after_attempt(2) | stop_after_delay(1),
    "never": stop_never(),
}
CONDITIONS = {
    "function": retry_if_exception(lambda error: "luck" in str(error)),
    "message": retry_if_exception_message(message="no luck"),
    "match": retry_if_exception_message(match="^luck"),
    "cause": retry_if_exception_cause_type(KeyError),
    "type": retry_if_exception_type((ValueError, KeyError)),
    "not type": retry_if_not_exception_type(ValueError),
    "unless type": retry_unless_exception_type(OSError),
    "not message": retry_if_not_exception_message(match="x"),
    "any": retry_any(retry_if_exception_type(OSError), retry_never()),
    "all": retry_all(retry_if_exception_type(OSError), retry_never()),
    "always": retry_always(),
    "and": retry_if_exception_type(OSError) & retry_always(),
    "or": retry_never() | retry_if_exception_type(ValueError),
}
WHOLE = {
    "constant": ConstantDelayRetryPolicy(),
    "constant, all said": ConstantDelayRetryPolicy(maximum_attempts=6, delay=0.5),
    "of nothing": retry_policy(),
    "backoff": ExponentialBackoffRetryPolicy(jitter=False),
    "backoff, all said": ExponentialBackoffRetryPolicy(maximum_attempts=9, initial_delay=2, multiplier=3, max_delay=20, jitter=False),
}


def said(policy) -> list:
    error = OSError("no luck")
    error.__cause__ = KeyError("cause")
    after = (policy.next(1.0, failures, error, seed=7) for failures in (1, 2, 3, 5, 8))
    return [None if it is None else round(it, 9) for it in after]


class WaitsWorkflow(Workflow):
    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        return StopEvent(result={name: said(retry_policy(wait=it, stop=stop_never())) for name, it in WAITS.items()})


class StopsWorkflow(Workflow):
    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        return StopEvent(result={name: said(retry_policy(stop=it)) for name, it in STOPS.items()})


class ConditionsWorkflow(Workflow):
    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        return StopEvent(result={name: said(retry_policy(retry=it)) for name, it in CONDITIONS.items()})


class WholeWorkflow(Workflow):
    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        constants = {name: [it.next(1.0, failures, OSError()) for failures in (1, 2, 3, 6)] for name, it in WHOLE.items()}
        return StopEvent(result=constants)


server = WorkflowServer()
server.add_workflow("waits", WaitsWorkflow())
server.add_workflow("stops", StopsWorkflow())
server.add_workflow("conditions", ConditionsWorkflow())
server.add_workflow("whole", WholeWorkflow())
