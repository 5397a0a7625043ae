"""Steps that are wrapped by what asks for their context, and what a step cannot ask of its own run."""

import functools

from workflows import Context, Workflow, step
from workflows.context import PickleSerializer
from workflows.errors import ContextStateError, WorkflowRuntimeError
from workflows.events import Event, StartEvent, StopEvent


class Note(Event):
    text: str


class Middle(Event):
    told: list


def noted(function):
    """Tells when a step begins and ends, whether it takes the context or not."""

    @functools.wraps(function)
    async def wrapper(*args, **kwargs):
        ctx = Context.get_step_context()
        ctx.write_event_to_stream(Note(text=f"{function.__name__} begins"))
        returned = await function(*args, **kwargs)
        ctx.write_event_to_stream(Note(text=f"{function.__name__} ends"))
        return returned

    return wrapper


def helper():
    """What a step calls finds the context, too."""
    return Context.get_step_context()


class Wrapped(Workflow):
    @step
    @noted
    async def begin(self, ev: StartEvent, ctx: Context) -> Middle:
        told = ["the same" if ctx is Context.get_step_context() is helper() else "another"]
        for name in ("get_result", "stream_events", "running_steps", "streaming_queue"):
            try:
                asked = getattr(ctx, name)
                if name == "running_steps":
                    await asked()
                elif name != "streaming_queue":
                    asked()
            except ContextStateError as error:
                told.append(str(error))
        return Middle(told=told)


@step(workflow=Wrapped)
@noted
async def end(ev: Middle) -> StopEvent:
    pickler = PickleSerializer()
    kept = [pickler.deserialize(pickler.serialize(it)) for it in ({1, 2}, {"a": [1]})]
    return StopEvent(result=[outside, *ev.told, kept == [{1, 2}, {"a": [1]}]])


try:
    outside = helper()
except WorkflowRuntimeError as error:
    outside = str(error)


workflow = Wrapped()
