"""The only place that speaks with the host: its imports, as plain functions.

`connect` is given the imports by the component, and by tests something that answers like them.
Outside of a step there is no host: what asks for one says so.
"""

from __future__ import annotations

import json
import math
import time as wall
from collections.abc import Callable
from typing import Any


class Refused(Exception):
    """The host did not do what it was asked."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind, self.message = kind, message


class _Imports:
    """The interfaces of the contract, the record that events are made of, and the host's error."""

    events: Any = None
    state: Any = None
    time: Any = None
    memo: Any = None
    run: Any = None
    http: Any = None
    environment: Any = None
    log: Any = None
    event: Any = None
    error: Any = None


#: The path that those queue for who change the state as a whole. Nothing is kept there.
EDITED = "__edited__"

_host = _Imports()
#: Whether a step is running.
live = False
#: What is to be written before others may see it: all of it, or what is new since an event was sent.
before: Callable[[bool], None] | None = None


def connect(imports: Any) -> None:
    """Names the host."""
    global _host
    _host = imports


def begin() -> None:
    """A step begins."""
    global live, before
    live, before = True, None


def end() -> None:
    """A step has ended."""
    global live
    live = False


def settle(all_of_it: bool = True) -> None:
    """Writes what is to be seen."""
    if before is not None:
        before(all_of_it)


def _ask(function: Any, *given: Any) -> Any:
    try:
        return function(*given)
    except _host.error as error:
        failure = error.value
        raise Refused(failure.kind, failure.message) from None


def _within(what: str) -> None:
    if not live:
        raise RuntimeError(f"{what} is for steps: there is no run here")


def publish(event: tuple[str, str]) -> None:
    """Writes an event to the run's stream."""
    _within("publishing")
    _ask(_host.events.publish, _host.event(*event), "{}")


def send(event: tuple[str, str], step: str | None) -> None:
    """Routes an event, perhaps to one step only."""
    _within("sending")
    settle(False)
    _ask(_host.events.send, _host.event(*event), "{}" if step is None else json.dumps({"step": step}))


def wait(options: dict[str, Any]) -> tuple[str, str]:
    """Suspends the step until an event is there: its name and its payload."""
    _within("waiting")
    settle()
    event = _ask(_host.events.wait, json.dumps(options, ensure_ascii=False))
    return event.name, event.payload


def collect(event: tuple[str, str], expected: list[Any], buffer: str | None) -> list[tuple[str, str]] | None:
    """Adds an event to a buffer: the batch, once it is complete."""
    _within("collecting")
    settle()
    options: dict[str, Any] = {"expected": expected}
    if buffer is not None:
        options["id"] = buffer
    batch = _ask(_host.events.collect, _host.event(*event), json.dumps(options))
    return None if batch is None else [(it.name, it.payload) for it in batch]


def state_get(path: str) -> str | None:
    """The value at a path, as JSON."""
    _within("the state")
    return _ask(_host.state.get, path)


def state_set(path: str, value: str) -> None:
    """Sets the value at a path."""
    _within("the state")
    _ask(_host.state.set, path, value)


def state_push(path: str, value: str) -> None:
    """Adds a value to the list at a path."""
    _within("the state")
    _ask(_host.state.push, path, value)


def state_delete(path: str) -> None:
    """Deletes the value at a path."""
    _within("the state")
    _ask(_host.state.delete, path)


def state_all() -> str:
    """The whole state, as JSON."""
    return state_get("") or "{}"


def state_hold() -> int:
    """Waits for one's turn to change the state: what `state_release` is to be given."""
    _within("the state")
    return _ask(_host.state.edit_exclusive, EDITED)[0]


def state_release(version: int) -> None:
    """Ends the turn; what was set before is committed with it."""
    _ask(_host.state.edit_commit, EDITED, version, "null")
    _ask(_host.state.delete, EDITED)
    _host.run.commit()


def now() -> int:
    """Microseconds since 1970."""
    return _host.time.now() if live else wall.time_ns() // 1000


def sleep(seconds: float) -> None:
    """Sleeps durably. Outside of a step nothing is waited for."""
    if live and seconds > 0:
        # From a second on the step leaves memory.
        settle(seconds >= 1)
        # The clock goes on a microsecond at each reading, so that of a second a little less is left when it is slept.
        _host.time.sleep(math.ceil(seconds * 1e4) * 100)


def retry_info() -> dict[str, Any]:
    """What came before this attempt."""
    _within("retry_info")
    return json.loads(_host.run.retry_info())


def no_list() -> None:
    """What the step returns is no list, where it could be one."""
    _host.run.no_list()


def run_id() -> str:
    """The run's identifier."""
    _within("run_id")
    return _host.run.run_id()


def memo_look_up(name: str) -> str | None:
    """What was kept under a name, as JSON."""
    _within("memo")
    return _ask(_host.memo.look_up, name)


def memo_keep(name: str, value: str) -> None:
    """Keeps a value, as JSON, over the entries and attempts of this invocation."""
    _within("memo")
    _ask(_host.memo.keep, name, value)


def http_request(options: dict[str, Any], body: bytes) -> tuple[int, dict[str, Any]]:
    """Sends a request, and waits for the head of its answer: its number, for `http_read`, and the head."""
    _within("HTTP")
    number, head = _ask(_host.http.request, json.dumps(options, ensure_ascii=False), body)
    return number, json.loads(head)


def http_read(number: int) -> bytes:
    """Waits for more of a body; empty where there is no more."""
    _within("HTTP")
    return _ask(_host.http.read, number) or b""


def http_close(number: int) -> None:
    """Lets go of a body. Those of a step that has ended are gone."""
    if live:
        _host.http.close(number)


def variables() -> dict[str, str]:
    """The variables of this attempt; none where nothing is running."""
    return dict(_host.environment.get_environment()) if live and _host.environment is not None else {}


def workflow() -> str:
    """The name of the workflow that is running."""
    _within("its name")
    return _host.run.workflow()


def write_log(level: str, message: str, fields: dict[str, Any]) -> None:
    """Writes a line to the run's log."""
    if live:
        _host.log.write(level, message, json.dumps(fields, default=str))
