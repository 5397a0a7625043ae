"""The server of a file, as far as it says something."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import Any, AsyncIterator

from wf_guest import recording


class WorkflowServer:
    """Remembers the workflows that it is given; `wf-host` serves them."""

    def __init__(self, *, middleware: Any = None, workflow_store: Any = None, persistence_backoff: Any = None, **_: Any) -> None:
        self._added: dict[str, tuple[Any, list[Any]]] = {}
        recording.made(self)

    def add_workflow(self, name: str, workflow: Any, additional_events: list[Any] | None = None) -> None:
        """Serves a workflow under a name. Of two of one name the later stands."""
        self._added[name] = (workflow, list(additional_events or ()))

    def get_workflows(self) -> dict[str, Any]:
        return {name: workflow for name, (workflow, _) in self._added.items()}

    @property
    def app(self) -> Any:
        return self

    async def serve(self, host: str = "localhost", port: int = 80, uvicorn_config: Any = None) -> None:
        recording.asked()

    async def start(self) -> WorkflowServer:
        recording.asked()
        return self

    async def stop(self) -> None: ...

    @asynccontextmanager
    async def contextmanager(self) -> AsyncIterator[WorkflowServer]:
        recording.asked()
        yield self
