"""Runs a step on the events that it was given."""

from __future__ import annotations

import functools
import inspect
import json
from typing import Any

from workflows.context.context import Context, enter
from workflows.context.serializers import unwrapped
from workflows.context.state_store import infer_state_type, seeds
from workflows.errors import WorkflowRuntimeError
from workflows.events import Event, StartEvent, StepFailedEvent
from workflows.resource import ResourceManager

from . import border, chance, forms, logs, loop, outside, variables
from .failures import kind, trace
from .models import event_by_name


class Failed(Exception):
    """An attempt failed: what the host is told."""

    def __init__(self, kind: str, message: str, details: dict[str, Any]) -> None:
        super().__init__(message)
        self.kind, self.message, self.details = kind, message, details


def invoke(workflow: Any, name: str, events: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """The events that follow, or `Failed`."""
    border.begin()
    try:
        function = workflow._get_steps().get(name)
        if function is None:
            raise Failed("WorkflowRuntimeError", f"Step {name} does not exist", {"retryable": False})
        config = function._step_config
        try:
            chance.reseed()
            variables.begin()
            returned = _run(workflow, name, function, events)
            border.settle()
            return _returned(name, config, returned)
        except Failed:
            raise
        except BaseException as error:
            raise _failed(config, error) from None
    finally:
        enter(None)
        logs.end()
        border.end()


def _run(workflow: Any, name: str, function: Any, events: list[tuple[str, str]]) -> Any:
    config = function._step_config
    try:
        given = _events(config, [_read(config, workflow, it) for it in events])
    except forms.Unfit as unfit:
        if not unfit.is_answer:
            raise
        logs.left_out(unfit)
        return None
    # Made once it is asked for.
    enter(functools.cache(lambda: Context._of_step(workflow, name, infer_state_type(workflow))))
    if any(isinstance(it, StartEvent) for it in given.values()):
        seed(workflow)
    if config.context_parameter:
        given[config.context_parameter] = Context.get_step_context()
    if not config.resources and not inspect.iscoroutinefunction(function):
        returned = function(**given)
        return loop.run(_awaited(returned)) if inspect.isawaitable(returned) else returned
    return loop.run(_called(workflow, function, config, given))


def seed(workflow: Any) -> None:
    """Writes what a typed state begins with, so that all steps begin with the same, and each adds to it.

    Only where one step begins the run: others would write it over what that has made of it.
    """
    steps = [it._step_config.accepted_events for it in workflow._get_steps().values()]
    if sum(any(isinstance(it, type) and issubclass(it, StartEvent) for it in accepted) for accepted in steps) == 1:
        for key, value in seeds(infer_state_type(workflow)).items():
            if border.state_get(key) is None:
                border.state_set(key, value)


async def _awaited(it: Any) -> Any:
    return await it


async def _called(workflow: Any, function: Any, config: Any, given: dict[str, Any]) -> Any:
    manager = ResourceManager()
    manager.resources |= workflow._resource_manager.resources
    for it in config.resources:
        given[it.name] = await manager.get(it.resource)
    returned = function(**given)
    return await returned if inspect.isawaitable(returned) else returned


def _read(config: Any, workflow: Any, event: tuple[str, str]) -> Event:
    name, payload = event
    cls = next((it for it in config.accepted_events if it.__name__ == name), None)
    if cls is None:
        cls = event_by_name(name, type(workflow).__module__)
    if cls is None:
        raise WorkflowRuntimeError(f"there is no event `{name}`")
    return _step_failed(payload) if cls is StepFailedEvent else forms.read(cls, payload)


def _step_failed(payload: str) -> StepFailedEvent:
    """A failure, with the event that led to it as what it was."""
    fields = json.loads(payload)
    given = fields.get("input_event")
    if isinstance(given, dict) and ("qualified_name" in given or "type" in given):
        qualified = given.get("qualified_name") or given["type"]
        module, _, bare = qualified.rpartition(".")
        cls = event_by_name(bare, module)
        if cls is not None:
            fields["input_event"] = cls(**unwrapped(given.get("value") or {}))
    return StepFailedEvent(**fields)


def _events(config: Any, events: list[Event]) -> dict[str, Any]:
    """The event parameters by name."""
    if config.collection_policy is not None:
        return {config.event_name: events}
    if len(config.event_parameters) == 1:
        return {config.event_name: events[0]}
    left, given = list(events), {}
    for name, (cls,) in config.event_parameters.items():
        given[name] = next(it for it in left if type(it) is cls)
        left.remove(given[name])
    return given


def _returned(name: str, config: Any, returned: Any) -> list[tuple[str, str]]:
    if config.is_fan_out and not isinstance(returned, list):
        border.no_list()
    if returned is None:
        return []
    if isinstance(returned, list) and config.is_fan_out:
        for it in returned:
            if it is not None and not isinstance(it, Event):
                raise _wrong(f"Step function {name} returned a list with {type(it).__name__} instead of an Event instance.")
        return [forms.written(it) for it in returned if it is not None]
    if not isinstance(returned, Event):
        raise _wrong(f"Step function {name} returned {type(returned).__name__} instead of an Event instance.")
    if config.is_fan_out and type(returned) not in config.bare_return_types:
        raise _wrong(f"Step function {name} returned a bare {type(returned).__name__}, and says that it returns a list: return it in a list.")
    return [forms.written(returned)]


def _wrong(message: str) -> Failed:
    return Failed("workflows.errors.WorkflowRuntimeError", message, {"retryable": False})


def _failed(config: Any, error: BaseException) -> Failed:
    """What an exception means to the host: whether there is another attempt, and when."""
    if isinstance(error, FileNotFoundError):
        error.add_note("A component has the files that lay beside its workflow when it was built, and the folders that it is granted, as `/name`.")
    details: dict[str, Any] = {"trace": trace(error)}
    delay = None
    if config.retry_policy is not None and isinstance(error, Exception):
        info = border.retry_info()
        attempts = info.get("attempts", 0) + 1
        try:
            delay = _next(config.retry_policy, info.get("elapsed", 0.0) or 0.0, attempts, error)
        except Exception as broken:
            details["trace"] += "\nand its retry policy failed:\n" + trace(broken)
            error = broken
    if outside.is_final(error):
        delay = None
    elif delay is not None:
        delay = max(delay, outside.retry_after(error) or 0.0)
    details["retryable"] = delay is not None
    if delay is not None:
        details["retry_after"] = float(delay)
    if isinstance(error, border.Refused):
        return Failed(error.kind, error.message, details)
    return Failed(kind(error), str(error), details)


def _next(policy: Any, elapsed: float, attempts: int, error: Exception) -> Any:
    """Policies of older versions take no seed."""
    import random

    accepts = inspect.signature(policy.next).parameters
    if "seed" in accepts or any(it.kind is inspect.Parameter.VAR_KEYWORD for it in accepts.values()):
        return policy.next(elapsed, attempts, error, seed=random.getrandbits(64))
    return policy.next(elapsed, attempts, error)
