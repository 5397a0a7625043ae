"""The host's imports, answered from memory: only the border is stood in for."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from wf_guest import border
from wf_guest.invoke import invoke


class Event(NamedTuple):
    name: str
    payload: str


class Failure(NamedTuple):
    kind: str
    message: str
    details: str


class Err(Exception):
    def __init__(self, value: Failure) -> None:
        super().__init__(value.message)
        self.value = value


class Host:
    """One run's host. What a step did is in `sent`, `published`, `slept`, `logged`, `values`."""

    event, error = Event, Err

    def __init__(
        self,
        state: dict[str, Any] | None = None,
        answers: list[tuple[str, dict[str, Any]]] | None = None,
        retry: dict[str, Any] | None = None,
        http: list[Any] | None = None,
        variables: dict[str, str] | None = None,
    ) -> None:
        self.events = self.state = self.time = self.memo = self.run = self.log = self.http = self.environment = self
        #: Each an answer, or the failure of a request; what was asked, with its body, is in `asked`.
        self.to_come, self.asked = list(http or ()), []
        self.bodies: dict[int, list[Any]] = {}
        self.closed: list[int] = []
        self.granted, self.looks = dict(variables or {}), 0
        self.values: dict[str, Any] = dict(state or {})
        #: What was written to the state, and how many bytes were read of it.
        self.told: list[tuple[str, str, str]] = []
        self.bytes_read = 0
        self.answers, self.before = list(answers or ()), retry or {"attempts": 0, "elapsed": 0.0, "last_failure": None}
        self.sent: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.waits: list[dict[str, Any]] = []
        self.collected: list[Event] = []
        self.logged: list[tuple[str, str, dict[str, Any]]] = []
        self.slept: list[float] = []
        self.clock = 1_700_000_000_000_000
        self.held = False

    def publish(self, event: Event, options: str) -> None:
        self.published.append((event.name, json.loads(event.payload)))

    def send(self, event: Event, options: str) -> None:
        self.sent.append((event.name, json.loads(event.payload), json.loads(options)))

    def wait(self, options: str) -> Event:
        self.waits.append(json.loads(options))
        if not self.answers:
            raise Err(Failure("timeout", "nobody answered", "{}"))
        name, fields = self.answers.pop(0)
        return Event(name, json.dumps(fields))

    def collect(self, event: Event, options: str) -> list[Event] | None:
        self.collected.append(event)
        expected = [it if isinstance(it, list) else [it, 1] for it in json.loads(options)["expected"]]
        found = {name: [it for it in self.collected if it.name == name][:count] for name, count in expected}
        if any(len(found[name]) < count for name, count in expected):
            return None
        self.collected.clear()
        return [it for name, _ in expected for it in found[name]]

    def get(self, path: str) -> str | None:
        value: Any = self.values
        for key in path.split(".") if path else ():
            if isinstance(value, list) and key.isdigit() and int(key) < len(value):
                value = value[int(key)]
            elif isinstance(value, dict) and key in value:
                value = value[key]
            else:
                return None
        text = json.dumps(value)
        self.bytes_read += len(text)
        return text

    def _parent(self, path: str) -> tuple[Any, Any]:
        """What a path lies in, and its last key there; what is missing is made."""
        *before, last = path.split(".")
        value: Any = self.values
        for key in before:
            value = value[int(key)] if isinstance(value, list) else value.setdefault(key, {})
        return value, int(last) if isinstance(value, list) else last

    def set(self, path: str, value: str) -> None:
        self.told.append(("set", path, value))
        parent, key = self._parent(path)
        parent[key] = json.loads(value)

    def push(self, path: str, value: str) -> None:
        self.told.append(("push", path, value))
        parent, key = self._parent(path)
        items = parent.setdefault(key, []) if isinstance(parent, dict) else parent[key]
        items.append(json.loads(value))

    def delete(self, path: str) -> None:
        self.told.append(("delete", path, ""))
        parent, key = self._parent(path)
        parent.pop(key, None)

    def edit_exclusive(self, path: str) -> tuple[int, str | None]:
        assert not self.held, "a second exclusive edit is refused"
        self.held = True
        return 1, self.get(path)

    def edit_commit(self, path: str, version: int, value: str) -> bool:
        assert self.held
        self.held = False
        self.set(path, value)
        return True

    def commit(self) -> None: ...

    def no_list(self) -> None:
        self.lists = False

    def now(self) -> int:
        self.clock += 1
        return self.clock

    def sleep(self, duration: int) -> None:
        self.slept.append(duration / 1e6)
        self.clock += duration

    def request(self, options: str, body: bytes) -> tuple[int, str]:
        self.asked.append((json.loads(options), body))
        answer = self.to_come.pop(0)
        if isinstance(answer, Failure):
            raise Err(answer)
        status, headers, parts = answer
        number = len(self.asked)
        self.bodies[number] = list(parts)
        return number, json.dumps({"status": status, "url": json.loads(options)["url"], "headers": headers})

    def read(self, number: int) -> bytes | None:
        part = self.bodies[number].pop(0) if self.bodies[number] else None
        if isinstance(part, Failure):
            raise Err(part)
        return part

    def close(self, number: int) -> None:
        self.closed.append(number)

    def get_environment(self) -> list[tuple[str, str]]:
        self.looks += 1
        return list(self.granted.items())

    def workflow(self) -> str:
        return "a-workflow"

    def run_id(self) -> str:
        return "a-run"

    def retry_info(self) -> str:
        return json.dumps(self.before)

    def write(self, level: str, message: str, fields: str) -> None:
        self.logged.append((level, message, json.loads(fields)))


def run_step(workflow: Any, step: str, *events: tuple[str, dict[str, Any]], host: Host | None = None) -> list[tuple[str, dict[str, Any]]]:
    """What a step returns."""
    border.connect(host or Host())
    returned = invoke(workflow, step, [(name, json.dumps(fields)) for name, fields in events])
    return [(name, json.loads(payload)) for name, payload in returned]
