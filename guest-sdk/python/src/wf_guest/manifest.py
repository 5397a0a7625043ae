"""What a workflow says about itself: the manifest."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic import PydanticUserError
from pydantic._schema import of as schema_of
from workflows.collect import Take
from workflows.events import (
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    InternalDispatchEvent,
    StartEvent,
    StepFailedEvent,
    StopEvent,
    WorkflowCancelledEvent,
    WorkflowFailedEvent,
    WorkflowTimedOutEvent,
)
from workflows.retry_policy import _Policy, stop_after_attempt

from .analysis import Words, words_of
from .validation import validation

_KINDS = ((StartEvent, "start"), (StopEvent, "stop"), (InputRequiredEvent, "input-required"), (HumanResponseEvent, "human-response"))
_BUILT_IN = (StartEvent, StopEvent, InputRequiredEvent, HumanResponseEvent)
_HOSTS_OWN = (StepFailedEvent, WorkflowFailedEvent, WorkflowTimedOutEvent, WorkflowCancelledEvent, InternalDispatchEvent)
#: The most attempts that a manifest can say: the policy itself says when it is enough.
_ENDLESS = 2**32 - 1


def manifest(workflow: Any, name: str, additional: list[type[Event]], others: list[type[Event]]) -> dict[str, Any]:
    """The manifest of a workflow. `others`: events of its file that nothing names."""
    steps = workflow._get_steps()
    words = {step: words_of(function, workflow) for step, function in steps.items()}
    joins = any(it._step_config.collection_policy is not None for it in steps.values())
    said = {step: _step(step, function, words[step], joins) for step, function in steps.items()}
    types: dict[type[Event], None] = {}
    for step, function in steps.items():
        config = function._step_config
        types |= dict.fromkeys(it for it in [*config.accepted_events, *config.return_types] if _is_event(it))
        types |= words[step].made | words[step].sent | words[step].waited
    named = {it for step in said.values() for it in step["accepts"] + step.get("emits", []) + step.get("sends", [])}
    waited = dict.fromkeys(it for step in words.values() for it in step.waited)
    outside = [it for it in {**dict.fromkeys(additional), **waited} if it in additional or it.__name__ not in named]
    types |= dict.fromkeys(outside)
    _name_others(said, [it for it in others if it not in types], types, workflow)
    declared: dict[type[Event], None] = {}
    for it in types:
        declared |= dict.fromkeys(base for base in reversed(it.__mro__) if _is_event(base) and (_is_declared(base, it, types) or base in outside))
    made: dict[str, Any] = {"name": name, "language": "python"}
    description = _text(type(workflow).__doc__ if "__doc__" in type(workflow).__dict__ else None)
    if description:
        made["description"] = description
    if workflow._timeout:
        made["timeout"] = float(workflow._timeout)
    if outside:
        made["additional_events"] = [it.__name__ for it in outside]
    made["events"] = [_event(it) for it in declared]
    made["steps"] = list(said.values())
    return made


def _is_event(cls: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, Event)


def _is_declared(base: type[Event], of: type[Event], types: Any) -> bool:
    """Built-in types are known to the host; the root of all is declared only where it is used."""
    return base not in _BUILT_IN and not issubclass(base, _HOSTS_OWN) and (base is not Event or Event in types)


def _name_others(said: dict[str, Any], others: list[type[Event]], types: dict[type[Event], None], workflow: Any) -> None:
    """What the file declares and no step names may be published by any: the first step is said to."""
    first = next((it for it in said.values() if workflow._start_event_class.__name__ in it["accepts"]), None)
    for it in others:
        if first is None or issubclass(it, (StartEvent, StopEvent, HumanResponseEvent, *_HOSTS_OWN)):
            continue
        types[it] = None
        sends = first.setdefault("sends", [])
        if it.__name__ not in sends:
            sends.append(it.__name__)


def _text(doc: str | None) -> str:
    return inspect.cleandoc(doc) if doc else ""


def _event(cls: type[Event]) -> dict[str, Any]:
    kind = next((kind for base, kind in _KINDS if issubclass(cls, base)), "plain")
    said: dict[str, Any] = {"name": cls.__name__, "kind": kind}
    base = next(it for it in cls.__mro__[1:] if isinstance(it, type) and issubclass(it, Event)) if cls is not Event else None
    if base is not None and base not in (Event, *_BUILT_IN):
        said["base"] = base.__name__
    said["module"] = cls.__module__
    try:
        said["schema"] = schema_of(cls)
    except PydanticUserError as error:
        undescribed = PydanticUserError(f"the fields of event `{cls.__name__}` cannot be described: {error}", code=None)
        undescribed.of = cls
        raise undescribed from None
    if (validated := validation(cls)) is not None:
        said["validation"] = validated
    return said


def _step(name: str, function: Any, words: Words, joins: bool) -> dict[str, Any]:
    config = function._step_config
    said: dict[str, Any] = {"name": name}
    if description := _text(function.__doc__):
        said["description"] = description
    said["accepts"] = [it.__name__ for it in config.accepted_events]
    returned = [it for it in config.return_types if _is_event(it) and not issubclass(it, _HOSTS_OWN)]
    made = [it for it in words.made if not issubclass(it, _HOSTS_OWN)]
    if joins:
        # Where joins are paired with what leads to them, a step returns what it says, and what it makes.
        returned += [it for it in made if it not in returned and it not in words.sent and not issubclass(it, (StartEvent, HumanResponseEvent, StopEvent))]
    else:
        said["emits_any"] = True
    said["emits"] = [it.__name__ for it in returned]
    sends = [it for it in {**words.sent, **dict.fromkeys(made)} if (it in words.sent or it not in returned) and not issubclass(it, (StopEvent, *_HOSTS_OWN))]
    if sends:
        said["sends"] = [it.__name__ for it in sends]
    said["num_workers"] = config.num_workers
    if config.accept_event_subclasses:
        said["subtypes"] = True
    if config.is_fan_out:
        said["fan_out"] = True
        alone = [it.__name__ for it in config.bare_return_types if it in returned and it not in config.listed_return_types]
        said |= {"returns_alone": alone} if alone else {}
    if config.collection_policy is not None:
        said |= {"join": "all", "order": "arrival"}
        if isinstance(config.collection_policy.cardinality, Take):
            said["take"] = config.collection_policy.cardinality.n
    elif len(config.event_parameters) > 1:
        said["join"] = "each"
    if config.retry_policy is not None:
        said["retry"] = _retry(config.retry_policy)
    if config.role == "catch_error":
        said["catch_error"] = {"steps": config.catch_error_for_steps or [], "max_recoveries": config.catch_error_max_recoveries}
    return said


def _retry(policy: Any) -> dict[str, Any]:
    """The outline of a policy; for each failure the guest asks the policy itself."""
    most = _ENDLESS
    if isinstance(policy, _Policy) and isinstance(policy.stop, stop_after_attempt):
        most = max(int(policy.stop.max_attempt_number), 1)
    try:
        delay = policy.next(0.0, 1, Exception())
    except Exception:
        delay = None
    return {"backoff": "constant", "delay": float(delay) if isinstance(delay, (int, float)) else 1.0, "attempts_max": most}
