"""Whether the steps of a workflow make one, in the original's words."""

from __future__ import annotations

from typing import Any

from workflows.errors import WorkflowConfigurationError, WorkflowValidationError
from workflows.events import HumanResponseEvent, InputRequiredEvent, StartEvent, StepFailedEvent, StopEvent
from workflows.resource import _ResourceConfig

_OUT = (InputRequiredEvent, HumanResponseEvent, StopEvent)


def start_class(configs: dict[str, Any], name: str) -> type[StartEvent]:
    """The one start event that the steps take."""
    found = list(dict.fromkeys(it for config in configs.values() for it in config.accepted_events if issubclass(it, StartEvent)))
    if not found:
        raise WorkflowConfigurationError(
            f"At least one Event of type StartEvent must be received by any step. (Workflow '{name}' has no @step that accepts StartEvent.)"
        )
    if len(found) > 1:
        raise WorkflowConfigurationError(f"Only one type of StartEvent is allowed per workflow, found {len(found)}: {set(found)} in workflow '{name}'.")
    return found[0]


def stop_class(configs: dict[str, Any], name: str) -> type[StopEvent]:
    """The one stop event that the steps return."""
    found = list(dict.fromkeys(it for config in configs.values() for it in config.return_types if _is(it, StopEvent)))
    if not found:
        raise WorkflowConfigurationError(
            f"At least one Event of type StopEvent must be returned by any step. (Workflow '{name}' has no @step that returns StopEvent.)"
        )
    if len(found) > 1:
        raise WorkflowConfigurationError(f"Only one type of StopEvent is allowed per workflow, found {len(found)}: {set(found)} in workflow '{name}'.")
    return found[0]


def _is(cls: Any, bases: Any) -> bool:
    return isinstance(cls, type) and issubclass(cls, bases)


def _takes(config: Any, cls: Any) -> bool:
    accepted = config.accepted_events
    return issubclass(cls, tuple(accepted)) if config.accept_event_subclasses else cls in accepted


def check_graph(configs: dict[str, Any], start: type, skip: set[str]) -> bool:
    """Whether people are asked; a `WorkflowValidationError`, where events go nowhere or come from nowhere."""
    produced = [start, *(it for config in configs.values() for it in config.return_types if it is not type(None))]
    produced = list(dict.fromkeys(produced))
    accepting_stop = [name for name, config in configs.items() if any(issubclass(it, StopEvent) for it in config.accepted_events)]
    if accepting_stop:
        plural = "" if len(accepting_stop) == 1 else "s"
        raise WorkflowValidationError(
            "Step" + plural + " '" + "', '".join(accepting_stop) + "' cannot accept StopEvent. StopEvent signals the end of the workflow. Use a different Event type instead."
        )
    missing = []
    for config in configs.values():
        for it in config.accepted_events:
            made = any(issubclass(other, it) if config.accept_event_subclasses else other is it for other in produced if isinstance(other, type))
            if not made and not issubclass(it, (*_OUT, StepFailedEvent)):
                missing.append(it.__name__)
    if missing:
        raise WorkflowValidationError(f"The following events are consumed but never produced: {', '.join(dict.fromkeys(missing))}")
    unused = [it.__name__ for it in produced if not _is(it, _OUT) and isinstance(it, type) and not any(_takes(config, it) for config in configs.values())]
    if unused:
        raise WorkflowValidationError(f"The following events are produced but never consumed: {', '.join(unused)}")
    check_catchers(configs)
    _check_paths(configs, start, skip)
    returned = {it for config in configs.values() for it in config.return_types}
    taken = {it for config in configs.values() for it in config.accepted_events}
    return any(_is(it, InputRequiredEvent) for it in returned) or any(_is(it, HumanResponseEvent) for it in taken)


def check_catchers(configs: dict[str, Any]) -> None:
    """A `WorkflowValidationError`, where it is not plain which step takes what fails for good in another."""
    catchers = {name: config.catch_error_for_steps for name, config in configs.items() if config.role == "catch_error"}
    errors = []
    anywhere = sorted(name for name, steps in catchers.items() if steps is None)
    if len(anywhere) > 1:
        errors.append(f"Only one wildcard @catch_error handler is allowed per workflow, found {len(anywhere)}: {', '.join(anywhere)}")
    owners: dict[str, str] = {}
    for name, steps in catchers.items():
        for it in steps or ():
            if it not in configs:
                errors.append(f"@catch_error handler '{name}' lists unknown step '{it}' in for_steps.")
            elif it in catchers:
                errors.append(f"@catch_error handler '{name}' cannot cover another handler step '{it}'.")
            elif it in owners:
                errors.append(f"Step '{it}' is claimed by two @catch_error handlers: '{owners[it]}' and '{name}'.")
            else:
                owners[it] = name
    if errors:
        raise WorkflowValidationError("\n".join(errors))


def _check_paths(configs: dict[str, Any], start: type, skip: set[str]) -> None:
    errors = []
    feeds = {
        name: [other for other, theirs in configs.items() if any(_takes(theirs, it) for it in config.return_types if isinstance(it, type) and it is not type(None))]
        for name, config in configs.items()
    }
    seeds = [
        name
        for name, config in configs.items()
        if config.role == "catch_error" or _takes(config, start) or any(issubclass(it, HumanResponseEvent) for it in config.accepted_events)
    ]
    reached = _closure(seeds, feeds)
    lost = sorted(name for name in configs if name not in reached and "reachability" not in configs[name].skip_graph_checks)
    if lost and "reachability" not in skip:
        errors.append(f"  - [reachability] Unreachable steps: {', '.join(lost)}\n    Steps must be reachable from StartEvent or HumanResponseEvent.")
    back: dict[str, list[str]] = {name: [] for name in configs}
    for name, others in feeds.items():
        for other in others:
            back[other].append(name)
    ends = [name for name, config in configs.items() if any(_is(it, (StopEvent, InputRequiredEvent)) for it in config.return_types)]
    ending = _closure(ends, back)
    dead = sorted(
        name
        for name, config in configs.items()
        if name not in ending and any(it is not type(None) for it in config.return_types) and "dead_end" not in config.skip_graph_checks
    )
    if dead and "dead_end" not in skip:
        errors.append(f"  - [dead_end] Dead-end steps: {', '.join(dead)}\n    Steps must have a path to StopEvent or InputRequiredEvent.")
    if errors:
        raise WorkflowValidationError("Graph validation failed:\n" + "\n".join(errors))


def _closure(seeds: list[str], edges: dict[str, list[str]]) -> set[str]:
    found, todo = set(), list(seeds)
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += edges[name]
    return found


def checked_resources(configs: dict[str, Any]) -> None:
    """Reads the files of the resources that are files."""
    errors = []
    for name, config in configs.items():
        for it in config.resources:
            if isinstance(it.resource, _ResourceConfig):
                try:
                    it.resource.call()
                except Exception as error:
                    errors.append(f"  - step `{name}`, parameter `{it.name}`: {error}")
    if errors:
        raise WorkflowValidationError("Resource config validation failed:\n" + "\n".join(errors))
