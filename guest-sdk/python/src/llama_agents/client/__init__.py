"""The client: for programs outside. A workflow has no use for it, and files that import it still load."""

from typing import Any

from wf_guest import recording


class WorkflowClient:
    """Remembers nothing, and asks nothing."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def __getattr__(self, name: str) -> Any:
        def ask(*_: Any, **__: Any) -> Any:
            recording.asked()

        return ask
