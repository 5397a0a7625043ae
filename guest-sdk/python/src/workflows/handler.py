"""What `run()` gives: the outside's grip on a run."""

from __future__ import annotations

from typing import Any, AsyncIterator

from wf_guest import recording


class WorkflowHandler:
    """A run that was asked for. Inside of a component nothing is run by it: the host runs workflows."""

    def __init__(self, workflow: Any, ctx: Any = None) -> None:
        self.workflow, self.ctx = workflow, ctx
        self.run_id = self.handler_id = "recorded"

    def __await__(self) -> Any:
        recording.asked()
        yield

    async def stream_events(self, expose_internal: bool = False) -> AsyncIterator[Any]:
        recording.asked()
        yield None

    async def stop_event_result(self) -> Any:
        recording.asked()

    async def cancel_run(self, *_: Any, **__: Any) -> None:
        recording.asked()

    async def send_event(self, *_: Any, **__: Any) -> None:
        recording.asked()

    def is_done(self) -> bool:
        return False

    done = is_done
