"""Runs workflows in tests, for pytest or any other runner.

    from wf_testing import Harness

    def test_it_greets():
        with Harness("workflow.py") as harness:
            run = harness.start({"name": "Ada"}, restart_at="every").finish()
            assert run.result == "Hello, Ada!"

What runs is what `wf-host serve` runs: the component in its sandbox, each event checked where it comes in. The clock
stands still but where `advance` and `finish` move it, so that sleeps, retries and timeouts take no time. It is a
program `wf-host harness` that is asked, one line of JSON at a time. This file needs nothing beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

__all__ = ["Event", "Harness", "HarnessError", "Run", "fail", "reply"]

# Of the lines between the two.
PROTOCOL = 1

Answers = Mapping[str, Callable[["Event"], Any]]


class HarnessError(Exception):
    """What was asked was not done, as a server would not do it either. `hint` says what to do."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nhint: {hint}" if hint else message)
        self.message = message
        self.hint = hint


class Event(dict):
    """An event of a run's stream: its fields, also as attributes, and its `type`."""

    def __init__(self, type: str, value: Mapping[str, Any]) -> None:
        super().__init__(value)
        self.type = type

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"{self.type} has no `{name}`: {dict(self)}") from None

    def __repr__(self) -> str:
        return f"{self.type}({dict(self)})"


def fail(
    step: str,
    message: str | None = None,
    *,
    times: int = 1,
    delivery: int | None = None,
    kind: str | None = None,
    retryable: bool | None = None,
    retry_after: float | None = None,
) -> dict[str, Any]:
    """The first so many attempts of each invocation of a step fail with this, after they have done their work: what they
    had not committed is lost. `delivery`: of this invocation alone, the first being 0."""
    return _given(
        step=step, message=message, times=times, delivery=delivery, kind=kind, retryable=retryable, retry_after=retry_after
    )


def reply(
    url: str,
    *,
    method: str | None = None,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    json: Any = None,
    text: str | None = None,
    times: int | None = None,
    failure: str | None = None,
    cut: bool = False,
) -> dict[str, Any]:
    """What requests to a URL, in which `*` stands for any text, are answered; so often (always), before the next reply
    that fits. `failure`: nobody answers, with this message. `cut`: the connection breaks after the body."""
    failing = None if failure is None else {"message": failure}
    return _given(
        url=url, method=method, status=status, headers=headers, json=json, text=text, times=times, failure=failing, cut=cut or None
    )


class Harness:
    """Workflows under test: `.wasm` files, or files and folders that `wf-host build` takes, which are built first.

    To load them takes a moment: make one for many tests, in a fixture of a module or a session. `wf_host`: the program;
    else what the variable `WF_HOST` names, else the one in `PATH`."""

    def __init__(self, *components: str | os.PathLike[str], wf_host: str | os.PathLike[str] | None = None) -> None:
        program = os.fspath(wf_host or os.environ.get("WF_HOST") or "wf-host")
        command = [program, "harness", *(os.fspath(it) for it in components)]
        try:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except OSError as error:
            raise HarnessError(f"`{program}` cannot be started: {error}", "`pip install wf-host`, or name it in WF_HOST") from None
        try:
            hello = self._read()
            if hello["harness"] != PROTOCOL:
                raise HarnessError(f"`{program}` speaks version {hello['harness']} of the protocol, and this is {PROTOCOL}")
        except HarnessError:
            self.close()
            raise
        self.workflows: list[str] = [it["name"] for it in hello["workflows"]]
        """Their names."""

    def start(
        self,
        event: Any = None,
        *,
        workflow: str | None = None,
        state: Mapping[str, Any] | None = None,
        answers: Answers | None = None,
        fail: Iterable[dict[str, Any]] = (),
        restart_at: str | Iterable[int] | None = None,
        http: Iterable[dict[str, Any]] = (),
        variables: Mapping[str, str] | None = None,
        internal: bool = False,
        seed: int = 0,
        executing_max: float | None = None,
    ) -> Run:
        """Starts a run with the fields of its start event, or the event itself, and lets it go on until it has ended or
        needs time or an event. The run before is over with that.

        `answers`: by types of events what answers them as soon as they are published: a function of the event that gives
        an event, or a pair of a type and its fields. `fail`: what `fail(…)` gives. `restart_at`: `"every"`, or numbers of
        points: there the host is restarted, and the run goes on from its journal. `http`: what `reply(…)` gives; other
        requests are refused, and none leaves. `internal`: events of the run's inner life are shown, too."""
        answers = dict(answers or {})
        request = _given(
            do="start",
            workflow=workflow,
            event=_fields(event) if event is not None else None,
            state=_plain(state) if state is not None else None,
            fail=list(fail),
            restart_at=restart_at if restart_at is None or isinstance(restart_at, str) else list(restart_at),
            http=list(http),
            variables=dict(variables or {}),
            pause_at=list(answers),
            internal=internal,
            seed=seed,
            executing_max=executing_max,
        )
        run = Run(self, answers)
        run._take(self._ask(request))
        return run

    def close(self) -> None:
        """Ends it. A `with` block does so by itself."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass
        self._process.wait()

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        stdin = self._process.stdin
        assert stdin is not None
        try:
            stdin.write(json.dumps(request).encode() + b"\n")
            stdin.flush()
        except (BrokenPipeError, ValueError):
            raise HarnessError("the harness has ended", "it is closed, or stderr says why") from None
        return self._read()

    def _read(self) -> dict[str, Any]:
        stdout = self._process.stdout
        assert stdout is not None
        line = stdout.readline()
        if not line:
            raise HarnessError(f"the harness has ended with code {self._process.wait()}", "stderr says why")
        answer = json.loads(line)
        if "error" in answer:
            raise HarnessError(answer["error"], answer["hint"])
        return answer


class Run:
    """A run. It stands still until the test sends something or moves the clock."""

    def __init__(self, harness: Harness, answers: dict[str, Callable[[Event], Any]]) -> None:
        self._harness = harness
        self._answers = answers
        self._standing: dict[str, Any] = {}
        self.events: list[Event] = []
        """All events of its stream so far."""

    @property
    def status(self) -> str:
        """`running`, `completed`, `failed` or `cancelled`."""
        return self._standing["status"]

    @property
    def types(self) -> list[str]:
        """The types of its events, in order."""
        return [it.type for it in self.events]

    @property
    def result(self) -> Any:
        """What it has completed with. It is an `AssertionError` with the whole story where it has not."""
        assert self.status == "completed", f"the run has not completed\n{self.story()}"
        return self._standing["result"]

    @property
    def failure(self) -> str:
        """The message that it has failed with."""
        assert self.status == "failed", f"the run has not failed\n{self.story()}"
        return self._standing["failure"]

    @property
    def now(self) -> float:
        """Seconds on its clock since it began."""
        return self._standing["now"]

    @property
    def next(self) -> float | None:
        """Seconds until something is due; none: nothing is."""
        return self._standing.get("next")

    @property
    def waits(self) -> list[dict[str, Any]]:
        """What it waits for from outside."""
        return self._standing.get("waits", [])

    @property
    def points(self) -> int:
        """How many reports of steps its journal has: a host can be restarted after each."""
        return self._standing["points"]

    @property
    def restarts(self) -> int:
        """How often the host was restarted."""
        return self._standing["restarts"]

    def send(self, event: Any, value: Mapping[str, Any] | None = None, *, step: str | None = None) -> Run:
        """Sends an event, as the outside would: a type and its fields, or an event."""
        request = _given(do="send", event=_event((event, value or {}) if isinstance(event, str) else event), step=step)
        self._take(self._harness._ask(request))
        return self

    def advance(self, seconds: float) -> Run:
        """Moves its clock on. What is due on the way happens in its order."""
        left: float | None = seconds
        while left is not None:
            standing = self._harness._ask({"do": "advance", "seconds": left})
            left = standing.get("left")
            self._take(standing)
        return self

    def finish(self) -> Run:
        """Moves its clock on from one thing that is due to the next, timeouts too, until it has ended or only an event
        helps."""
        while True:
            self._take(self._harness._ask({"do": "finish"}))
            if self.next is None:
                return self

    def cancel(self) -> Run:
        """Cancels it."""
        self._take(self._harness._ask({"do": "cancel"}))
        return self

    def restart(self) -> Run:
        """Stops the host, and has another go on with what is stored."""
        self._take(self._harness._ask({"do": "restart"}))
        return self

    def state(self) -> dict[str, Any]:
        """The committed state."""
        return self._harness._ask({"do": "state"})["state"]

    def log(self) -> list[dict[str, Any]]:
        """What its steps have logged and printed, and how attempts have failed: `step`, `attempt`, `source`, `level`,
        `message`, `fields`."""
        return self._harness._ask({"do": "log"})["log"]

    def requests(self) -> list[dict[str, Any]]:
        """The HTTP requests that its steps have made: `method`, `url`, `headers`, `text` or `base64`."""
        return self._harness._ask({"do": "requests"})["requests"]

    def attempts(self, step: str | None = None) -> list[dict[str, Any]]:
        """The attempts that were begun, of a step or of all: `step`, `invocation`, `attempt`, `failure`."""
        all = self._harness._ask({"do": "attempts"})["attempts"]
        return [it for it in all if step is None or it["step"] == step]

    def replay(self) -> list[dict[str, Any]]:
        """Runs its finished attempts again, against what was recorded of them, and gives those that do another thing, as
        a step does that is not deterministic: `step`, `invocation`, `attempt`, `call`, `then`, `now`."""
        return self._harness._ask({"do": "replay"})["differing"]

    def story(self) -> str:
        """How it stands and what came before, for people."""
        ends = self._standing.get("failure", self._standing.get("result"))
        lines = [f"{self.status}: {ends}" if self.status in ("completed", "failed") else self.status]
        if self.next is not None:
            lines.append(f"something is due in {self.next} seconds")
        lines += [f"it waits for {', '.join(it['types'])}" for it in self.waits]
        lines += [f"  {it!r}" for it in self.events]
        for line in self.log():
            lines.append(f"  {line['step']} {line['level']}: {line['message']}")
            lines += [f"    {it}" for it in str(line["fields"].get("trace") or "").splitlines()]
        return "\n".join(lines)

    def _take(self, standing: dict[str, Any]) -> None:
        self._standing = standing
        came = [Event(it["type"], it["value"]) for it in standing["events"]]
        self.events += came
        for event in came:
            if self.status == "running" and event.type in self._answers:
                answer = _event(self._answers[event.type](event))
                self._take(self._harness._ask({"do": "send", "event": answer}))


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _plain(value: Any) -> Any:
    """JSON of models and events, too."""
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return dict(value) if isinstance(value, Mapping) else value


def _fields(event: Any) -> Any:
    """A start event: fields stand for themselves."""
    return _event(event) if isinstance(event, (tuple, Event)) or hasattr(event, "model_dump") else _plain(event)


def _event(event: Any) -> dict[str, Any]:
    if isinstance(event, Event):
        return {"type": event.type, "value": dict(event)}
    if isinstance(event, tuple):
        name, value = event
        return {"type": name, "value": _plain(value)}
    if hasattr(event, "model_dump"):
        return {"type": type(event).__name__, "value": _plain(event)}
    raise TypeError(f"an event is a pair of a type and its fields, or an event; this is {event!r}")
