"""The context of a step, and of a `main()` that runs workflows."""

from __future__ import annotations

import itertools
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any, Generic, NoReturn, TypeVar

from wf_guest import border, forms, logs
from wf_guest.failures import rebuilt
from workflows.errors import ContextStateError, WorkflowRuntimeError
from workflows.events import DictLikeModel, Event, StopEvent
from workflows.retry_policy import RetryInfo

from .state_store import DictState, InMemoryStateStore, StateStore

MODEL_T = TypeVar("MODEL_T")
_log = logging.getLogger("workflows.context")
#: Gives the context of the step that runs. No attribute of the class, which would have to be looked at anew by all who know it.
_of_running: Callable[[], Context[Any]] | None = None


def enter(of_step: Callable[[], Context[Any]] | None) -> None:
    """A step runs from here on; none: it has ended."""
    global _of_running
    _of_running = of_step


class Context(Generic[MODEL_T]):
    """What a step may ask of the run around it."""

    def __init__(self, workflow: Any = None, previous_context: dict[str, Any] | None = None, serializer: Any = None) -> None:
        self._workflow = workflow
        self._step: Any = None
        self._store: Any = InMemoryStateStore(DictState())

    @classmethod
    def _of_step(cls, workflow: Any, step: Any, state_type: Any) -> Context[Any]:
        """The context that a step is given."""
        made = cls(workflow)
        made._step, made._store = step, StateStore(state_type)
        return made

    @staticmethod
    def get_step_context() -> Context[Any]:
        """The context of the step that runs, for what wraps steps."""
        if _of_running is None:
            raise WorkflowRuntimeError("Context.get_step_context() may only be called from within a step function")
        return _of_running()

    @property
    def store(self) -> Any:
        """The run's state."""
        return self._store

    @property
    def is_running(self) -> bool:
        return self._step is not None

    def write_event_to_stream(self, ev: Event | None) -> None:
        """Shows an event to those who read the run's stream; no step gets it."""
        if ev is None:
            return
        self._within("write_event_to_stream")
        if isinstance(ev, StopEvent):
            _log.warning("a %s that is written to the stream is not shown: return it, and it ends the run", type(ev).__name__)
            return
        border.publish(forms.written(ev))

    def send_event(self, message: Event, step: str | None = None) -> None:
        """Gives an event to the steps that take it, or to one of them."""
        self._within("send_event")
        if step is not None:
            self._check(message, step)
        if isinstance(message, StopEvent):
            _log.warning("a %s that is sent is given to nobody: return it, and it ends the run", type(message).__name__)
            return
        border.send(forms.written(message), step)

    def _check(self, message: Event, step: str) -> None:
        steps = self._workflow._get_steps()
        if step not in steps:
            raise WorkflowRuntimeError(f"Step {step} does not exist")
        config = steps[step]._step_config
        accepted = config.accepted_events
        fits = isinstance(message, tuple(accepted)) if config.accept_event_subclasses else type(message) in accepted
        if not fits:
            raise WorkflowRuntimeError(f"Step {step} does not accept event of type {type(message)}")

    def collect_events(self, ev: Event, expected: list[type[Event]], buffer_id: str | None = None) -> list[Event] | None:
        """Adds an event to those that this step collects; all of them, once they are as many as expected."""
        self._within("collect_events")
        if not expected:
            return []
        if type(ev) not in expected:
            return None
        names = [[kind.__name__, count] for kind, count in Counter(expected).items()]
        if len({name for name, _ in names}) < len(names):
            raise WorkflowRuntimeError("collect_events expects two types of one name: rename one of them")
        batch = border.collect(forms.written(ev), [it[0] if it[1] == 1 else it for it in names], buffer_id or "default")
        if batch is None:
            return None
        classes = {kind.__name__: kind for kind in expected}
        found = [forms.read(classes[name], payload) for name, payload in batch]
        by_type: dict[str, list[Event]] = {}
        for it in found:
            by_type.setdefault(type(it).__name__, []).append(it)
        return [by_type[kind.__name__].pop(0) for kind in expected]

    async def wait_for_event(
        self,
        event_type: type[Any],
        waiter_event: Event | None = None,
        waiter_id: str | None = None,
        requirements: dict[str, Any] | None = None,
        timeout: float | None = 2000,
    ) -> Any:
        """Waits for an event from outside or from another step; it leaves memory meanwhile."""
        self._within("wait_for_event")
        options: dict[str, Any] = {"type": event_type.__name__}
        if requirements:
            options["requirements"] = forms.plain(requirements)
        if waiter_id is not None:
            options["id"] = waiter_id
        if timeout is not None:
            options["timeout"] = timeout
        if waiter_event is not None:
            name, payload = forms.written(waiter_event)
            options["request"] = {"name": name, "payload": payload}
        for tries in itertools.count(2):
            try:
                _, payload = border.wait(options)
            except border.Refused as refused:
                if refused.kind == "timeout":
                    raise TimeoutError(f"Timed out waiting for {event_type.__name__}") from None
                raise WorkflowRuntimeError(refused.message) from None
            try:
                return forms.read(event_type, payload)
            except forms.Unfit as unfit:
                if not unfit.is_answer:
                    raise
                logs.left_out(unfit)
                # It is asked again, as another wait.
                options["id"] = f"{waiter_id or event_type.__name__} {tries}"

    def retry_info(self) -> RetryInfo:
        """What came before this attempt."""
        self._within("retry_info")
        info = border.retry_info()
        last = info.get("last_failure")
        # A run that an older build has begun is not told it.
        at = datetime.fromtimestamp(last.get("at", border.now()) / 1e6, timezone.utc) if last else None
        return RetryInfo(
            info.get("attempts", 0),
            info.get("elapsed", 0.0) if info.get("attempts") else 0.0,
            rebuilt(last["kind"], last["message"]) if last else None,
            at,
        )

    @property
    def run_id(self) -> str:
        self._within("run_id")
        return border.run_id()

    # Older spellings of the store.
    async def get(self, key: str, default: Any = Ellipsis) -> Any:
        return await self.store.get(key, default)

    async def set(self, key: str, value: Any, make_private: bool = False) -> None:
        await self.store.set(key, value)

    @property
    def data(self) -> Any:
        """The state as a dictionary; of older versions."""
        self._within("data")
        return _Data()

    def to_dict(self, serializer: Any = None) -> dict[str, Any]:
        state = self._store.to_dict() if isinstance(self._store, StateStore) else {}
        return {"version": 1, "state": state, "is_running": self.is_running}

    @classmethod
    def from_dict(cls, workflow: Any, data: dict[str, Any], serializer: Any = None) -> Context[Any]:
        return cls(workflow)

    def stream_events(self, *_: Any, **__: Any) -> Any:
        self._outside("stream_events")

    async def running_steps(self) -> list[str]:
        self._outside("running_steps")

    def get_result(self) -> Any:
        self._outside("get_result")

    @property
    def streaming_queue(self) -> Any:
        self._outside("streaming_queue")

    def _outside(self, what: str) -> NoReturn:
        raise ContextStateError(f"{what} is only available from handler code, not from within steps.")

    def _within(self, what: str) -> None:
        if self._step is None:
            raise ContextStateError(f"{what} may only be called from within a step function")


class _Data(DictLikeModel):
    """The state by key: read and set at once."""

    def __getitem__(self, key: str) -> Any:
        border.settle()
        text = border.state_get(key)
        if text is None:
            raise KeyError(key)
        from .state_store import _JSON

        return _JSON.deserialize(text)

    def __setitem__(self, key: str, value: Any) -> None:
        from .state_store import text_of

        border.settle()
        border.state_set(key, text_of(key, value))

    def get(self, key: str, default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: str) -> bool:
        return border.state_get(key) is not None

    def keys(self) -> Any:
        from .state_store import _kept

        return _kept().keys()
