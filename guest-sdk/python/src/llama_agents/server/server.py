"""The server of a file, as far as it says something."""

from __future__ import annotations

import sys
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator

from wf_guest import recording


class WorkflowServer:
    """Remembers the workflows that it is given; `wf-host` serves them."""

    def __init__(
        self,
        *,
        middleware: Any = None,
        workflow_store: Any = None,
        persistence_backoff: Any = None,
        exception_handlers: Any = None,
        runtime: Any = None,
        idle_timeout: Any = None,
        sse_heartbeat_interval: Any = None,
        accept_context_api: Any = None,
        serializer: Any = None,
    ) -> None:
        self._added: dict[str, tuple[Any, list[Any]]] = {}
        recording.made(self)

    def add_workflow(self, name: str, workflow: Any, additional_events: list[Any] | None = None) -> None:
        """Serves a workflow under a name."""
        wrong = None
        if isinstance(workflow, type):
            wrong = f"`add_workflow` is given the class `{workflow.__name__}`", f"give it an instance: `{workflow.__name__}()`"
        elif name in self._added:
            wrong = f"a second workflow of the name `{name}`", "give one of them another name"
        if wrong:
            from wf_guest.find import NotFound

            raise NotFound(*wrong, sys._getframe(1).f_lineno, sys._getframe(1).f_code.co_filename)
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
