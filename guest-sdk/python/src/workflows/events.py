"""Events: what steps take and return."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr
from pydantic._dump import dump
from pydantic._scalars import Kind


class DictLikeModel(BaseModel):
    """A model that also keeps what it does not declare, as a dictionary does."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    _data: dict[str, Any] = PrivateAttr(default_factory=dict)

    def __init__(self, **params: Any) -> None:
        fields, private, others = type(self).__pydantic_fields__, {}, {}
        known = {}
        for name, value in params.items():
            if name in fields:
                known[name] = value
            elif name in type(self).__private_attributes__:
                private[name] = value
            else:
                others[name] = value
        super().__init__(**known)
        self.__pydantic_private__.update(private)
        if others:
            self._data.update(others)

    def __getattr__(self, name: str) -> Any:
        cls = type(self)
        if name in cls.__private_attributes__ or name in cls.__pydantic_fields__ or name.startswith("__"):
            return super().__getattr__(name)
        if name not in self._data:
            raise AttributeError(f"'{cls.__name__}' object has no attribute '{name}'")
        return self._data[name]

    def __setattr__(self, name: str, value: Any) -> None:
        cls = type(self)
        if name in cls.__private_attributes__ or name in cls.__pydantic_fields__ or name.startswith("__pydantic"):
            super().__setattr__(name, value)
        else:
            self._data[name] = value

    def __getitem__(self, key: str) -> Any:
        return self._data[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._data[key] = value

    def get(self, key: str, default: Any = None) -> Any:
        return self._data.get(key, default)

    def __contains__(self, key: str) -> bool:
        return key in self._data

    def keys(self) -> KeysView[str]:
        return self._data.keys()

    def values(self) -> ValuesView[Any]:
        return self._data.values()

    def items(self) -> ItemsView[str, Any]:
        return self._data.items()

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Iterator[str]:
        return iter(self._data)

    def to_dict(self, *_: Any, **__: Any) -> dict[str, Any]:
        return self._data

    def __bool__(self) -> bool:
        return True

    def __pydantic_plain__(self, json: bool, options: dict[str, Any]) -> dict[str, Any]:
        shown = super().__pydantic_plain__(json, options)
        if self._data:
            shown["_data"] = dump(self._data, json)
        return shown


class Event(DictLikeModel):
    """What steps hand to each other: declared fields, and whatever else it is given."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)


EventType = type[Event]


class StartEvent(Event):
    """Begins a run."""


class StopEvent(Event):
    """Ends a run, with its result."""

    _result: Any = PrivateAttr(default=None)

    def __init__(self, result: Any = None, **kwargs: Any) -> None:
        super().__init__(_result=result, **kwargs)

    def _get_result(self) -> Any:
        return self._result

    @property
    def result(self) -> Any:
        return self._get_result()

    def __pydantic_plain__(self, json: bool, options: dict[str, Any]) -> dict[str, Any]:
        # Its fields and its result: what no field names stays with the object.
        shown = BaseModel.__pydantic_plain__(self, json, options)
        if self._result is not None:
            shown["result"] = dump(self._result, json)
        return shown

    def __repr__(self) -> str:
        shown = {**self._data, **self.model_dump()}
        return f"{type(self).__name__}({', '.join(f'{key}={value!r}' for key, value in shown.items())})"

    def __str__(self) -> str:
        return str(self._result)


class InputRequiredEvent(Event):
    """Asks the outside; a step that returns it publishes it."""


class HumanResponseEvent(Event):
    """Comes from outside: a person's answer."""


class UnreconstructedException(Exception):
    """Stands for an exception of which only the type's name and the message are known."""

    def __init__(self, message: str, *, original_type: str | None = None) -> None:
        super().__init__(message)
        self.original_type = original_type

    def __repr__(self) -> str:
        return f"UnreconstructedException(original_type={self.original_type!r}, {self.args[0]!r})"


class _Raised(Kind):
    """An exception, as a field's value: shown by its type and message."""

    label = "exception"

    def check(self, value: Any, json: bool) -> Any:
        if isinstance(value, BaseException):
            return value
        from wf_guest.failures import rebuilt

        return rebuilt(value["exception_type"], value["exception_message"])

    def dump(self, value: Any, json: bool) -> Any:
        return {"exception_type": f"{type(value).__module__}.{type(value).__qualname__}", "exception_message": str(value)}


class SerializableException(Exception):
    """The type of a field that holds an exception."""

    @classmethod
    def __pydantic_kind__(cls) -> Kind:
        return _Raised()


class WorkflowTimedOutEvent(StopEvent):
    """Ends the stream of a run that took too long."""

    timeout: float
    active_steps: list[str]


class WorkflowCancelledEvent(StopEvent):
    """Ends the stream of a run that was cancelled."""


class IdleReleasedEvent(StopEvent):
    """Never seen here: kept because files import it."""


class WorkflowFailedEvent(StopEvent):
    """Ends the stream of a run of which a step failed for good."""

    step_name: str
    exception: SerializableException
    attempts: int | None = None
    elapsed_seconds: float | None = None


class CollectionReleaseEvent(Event):
    """What a join was given, where it failed."""

    events: list[Any] = Field(default_factory=list)
    stream_id: str = ""
    binding_id: str = ""


class StepFailedEvent(Event):
    """A step's failure, given to the step that catches it."""

    step_name: str
    input_event: Any
    exception: SerializableException
    attempts: int
    elapsed_seconds: float
    failed_at: datetime


class InternalDispatchEvent(Event):
    """Tells of a run's inner life, to readers who ask for it."""


class WorkflowIdleEvent(InternalDispatchEvent):
    """A run waits for the outside."""


class UnhandledEvent(InternalDispatchEvent):
    """Nothing took an event."""

    event_type: str = Field(description="Class name of the unhandled event.")
    qualified_name: str = Field(description="Fully qualified name of the event type.")
    step_name: str | None = Field(default=None, description="Target step name if the event was addressed to a step.")
    idle: bool = Field(description="Whether the workflow is idle after processing.")


class StepState(Enum):
    """Where a step's invocation is."""

    PREPARING = "preparing"
    RUNNING = "running"
    NOT_RUNNING = "not_running"


class StepStateChanged(InternalDispatchEvent):
    """A step began or ended an invocation."""

    name: str = Field(description="Name of the step")
    step_state: StepState = Field(description="State of the step")
    worker_id: str = Field(description="ID of the worker that the step is running on")
    input_event_name: str = Field(description="Name of the input event")
    output_event_name: str | None = Field(default=None, description="Name of the output event")
