"""What a file makes when it is looked at: its servers, and the workflows that its `main()` would run."""

from __future__ import annotations

from typing import Any


class Recorded(BaseException):
    """Enough is known: what would follow needs a run, or a server."""


class _Recording:
    on = False
    servers: list[Any] = []
    workflows: list[Any] = []


recording = _Recording()


def start() -> None:
    """From now on what is made is remembered."""
    recording.on, recording.servers, recording.workflows = True, [], []


def stop() -> None:
    """No more."""
    recording.on = False


def made(server: Any) -> None:
    """A server was made."""
    if recording.on:
        recording.servers.append(server)


def ran(workflow: Any) -> None:
    """A workflow was asked for a run."""
    if recording.on:
        recording.workflows.append(workflow)
        return
    from workflows.errors import ContextStateError

    name = type(workflow).__name__
    raise ContextStateError(f"a step cannot run `{name}` within itself: send an event to a step that does its work, or start it as a run of its own")


def asked() -> None:
    """Something was asked of a run, or of a server, that there is not."""
    raise Recorded
