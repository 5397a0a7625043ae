"""The original's test runner, as far as files import it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wf_guest import recording


@dataclass
class WorkflowTestResult:
    """What a run that was tested has come to."""

    collected: list[Any]
    event_types: dict[Any, int]
    result: Any
    ctx: Any


class WorkflowTestRunner:
    """Asks for a run, as `run()` does: inside of a component nothing is run by it."""

    def __init__(self, workflow: Any) -> None:
        self.workflow = workflow

    async def run(self, *_: Any, **__: Any) -> WorkflowTestResult:
        recording.ran(self.workflow)
        recording.asked()
