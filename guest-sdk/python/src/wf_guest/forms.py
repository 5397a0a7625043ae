"""Events as the host has them: a name, and a flat JSON object."""

from __future__ import annotations

import json
from contextlib import nullcontext
from typing import Any

from pydantic import ValidationError
from pydantic._dump import dump
from pydantic._functions import Again
from workflows.errors import WorkflowRuntimeError
from workflows.events import Event, HumanResponseEvent, StartEvent, StopEvent


#: What whoever is outside hands in, and so has not made an event of.
FROM_OUTSIDE = (StartEvent, HumanResponseEvent)


class Unfit(WorkflowRuntimeError):
    """An event that its class refuses."""

    def __init__(self, cls: type[Any], error: ValidationError) -> None:
        super().__init__(f"the payload of {cls.__name__} does not fit it: {error}")
        #: Somebody may say it better: it is in nobody's way.
        self.is_answer = issubclass(cls, HumanResponseEvent)


def written(event: Event) -> tuple[str, str]:
    """The name and the payload of an event."""
    if not isinstance(event, Event):
        raise WorkflowRuntimeError(f"an event is expected, and not {type(event).__name__}")
    name = type(event).__name__
    try:
        shown = event.__pydantic_plain__(True, {})
        others = shown.pop("_data", None)
        if others:
            shown = {**others, **shown}
        if type(event) is StopEvent:
            shown.setdefault("result", None)
        return name, json.dumps(shown, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise WorkflowRuntimeError(f"event `{name}` cannot be handed on{_holder(event)}: {error}") from None


def _holder(event: Event) -> str:
    """Which field has no JSON form."""
    for key, value in {**event.__dict__, **event._data}.items():
        try:
            json.dumps(dump(value, True), allow_nan=False)
        except (TypeError, ValueError):
            return f", because `{key}` is a {type(value).__name__}, which has no JSON form"
    return ""


def read(cls: type[Any], payload: str) -> Any:
    """The event of a payload."""
    fields = json.loads(payload)
    try:
        with nullcontext() if issubclass(cls, FROM_OUTSIDE) else Again():
            return cls(**fields)
    except ValidationError as error:
        raise Unfit(cls, error) from None


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """What an event's fields must be equal to, as JSON."""
    return dump(values, True)
