"""Runs a step while the component is built, so that the first one that counts finds everything in its place.

What Python learns of its own code by running it, and what it makes when it is first needed, is then
in the image that each instance begins with, and need not be made anew in each.
"""

from __future__ import annotations

import asyncio
from typing import Any

from workflows.context.context import Context
from workflows.decorators import step
from workflows.events import Event, StartEvent, StopEvent
from workflows.workflow import Workflow

from . import border
from .invoke import Failed, invoke

#: Python looks anew at what it has run so often, and at a class of which it has made so many.
ROUNDS = 40


#: What one of the rounds fails with.
_FAILS = "warming"


class _Shown(Event):
    number: int = 0


class _Warming(Workflow):
    """Does what most steps do."""

    @step
    async def work(self, ctx: Context, ev: StartEvent) -> StopEvent:
        for number in range(2):
            ctx.write_event_to_stream(_Shown(number=number, more=ev.get("name")))
            await asyncio.sleep(0.001)
        await ctx.store.set("key", number)
        if ev.get("fails"):
            raise ValueError(_FAILS)
        return StopEvent(result=f"{await ctx.store.get('key')} {ev.name}")


_workflow = _Warming()
_PAYLOAD = '{"name":"Ada"}'


class _Host:
    """Answers as a host does, and does nothing."""

    event = staticmethod(lambda name, payload: (name, payload))
    environment = None

    class error(Exception):
        """Never raised."""

    def __init__(self) -> None:
        self.clock = 0
        self.events = self.state = self.time = self.memo = self.run = self.log = self

    def now(self) -> int:
        self.clock += 1
        return self.clock

    def sleep(self, duration: int) -> None:
        self.clock += duration

    def get(self, path: str) -> str | None:
        return "1"

    def retry_info(self) -> str:
        return '{"attempts":0,"elapsed":0,"last_failure":null}'

    def __getattr__(self, name: str) -> Any:
        return lambda *_: None


def warm(host: Any, rounds: int = ROUNDS) -> None:
    """Runs it some times, and names the real host again. The first one fails."""
    try:
        _run(host, '{"name":"Ada","fails":true}', 1)
    except Failed as failed:
        if failed.message != _FAILS:
            raise
    _run(host, _PAYLOAD, rounds - 1)


def rehearse(host: Any) -> None:
    """Runs it once more, as a step that counts would run."""
    _run(host, _PAYLOAD, 1)


def _run(host: Any, payload: str, rounds: int) -> None:
    border.connect(_Host())
    try:
        for _ in range(rounds):
            invoke(_workflow, "work", [("StartEvent", payload)])
    finally:
        border.connect(host)
