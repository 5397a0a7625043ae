"""The client: for programs outside. A workflow has no use for it, and files that import it still load."""

from typing import Any

from wf_guest import recording

#: What it answers with, to be named.
_ANSWERS = (
    "CancelHandlerResponse", "EventEnvelopeWithMetadata", "EventStream", "HandlerData", "HandlersListResponse", "HealthResponse", "SendEventResponse", "Status",
    "WorkflowEventsListResponse", "WorkflowGraphResponse", "WorkflowSchemaResponse", "WorkflowsListResponse", "is_status_completed",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _ANSWERS:
        return type(name, (), {})
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class WorkflowClient:
    """Remembers nothing, and asks nothing."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        def ask(*_: Any, **__: Any) -> Any:
            recording.asked()

        return ask
