"""What a function's annotations say of a step."""

from __future__ import annotations

import collections.abc as abc
import inspect
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Callable, Union, get_args, get_origin, get_type_hints

from .collect import All, Collect, Take
from .errors import WorkflowValidationError
from .events import Event
from .resource import ResourceDefinition, ResourceDescriptor

if TYPE_CHECKING:
    from .decorators import StepConfig

_ITERATORS = (abc.AsyncIterator, abc.AsyncIterable, abc.AsyncGenerator)


def inspect_signature(function: Callable[..., Any], localns: dict[str, Any] | None = None) -> StepConfig:
    """What the annotations of a function say; a `WorkflowValidationError` where it cannot be a step."""
    from .decorators import StepConfig

    hints = resolved_hints(function, localns or {})
    returned = _bare(hints.get("return", inspect.Signature.empty))
    config = StepConfig([], {}, [], None, None, [])
    if get_origin(returned) in _ITERATORS or inspect.isasyncgenfunction(function):
        raise WorkflowValidationError(
            f"Step '{function.__name__}' is an async generator, which no step can be: return list[E] to emit several events."
        )
    for name, parameter in inspect.signature(function).parameters.items():
        if name not in ("self", "cls"):
            _parameter(config, name, hints.get(name, parameter.annotation), localns or {})
    if not config.event_parameters and (name := _lacking(function, localns or {})):
        raise WorkflowValidationError(f"Failed to resolve type annotations for {function.__qualname__}. Missing name: {name}.")
    _check_parameters(config)
    if returned is inspect.Signature.empty:
        raise WorkflowValidationError("Return types of workflows step functions must be annotated with their type.")
    config.return_types = _flat(returned) or [type(None)]
    config.is_fan_out = any(get_origin(it) is list for it in _members(returned))
    if config.is_fan_out:
        config.bare_return_types = tuple(it for it in _members(returned) if get_origin(it) is not list and it is not type(None))
        config.listed_return_types = tuple(it for listed in _members(returned) if get_origin(listed) is list for it in _members(get_args(listed)[0]))
    return config


def _parameter(config: StepConfig, name: str, annotation: Any, localns: dict[str, Any]) -> None:
    if getattr(get_origin(annotation), "__name__", None) == "Context":
        config.context_parameter, config.context_state_type = name, (get_args(annotation) or (None,))[0]
        return
    if getattr(annotation, "__name__", None) == "Context":
        config.context_parameter = name
        return
    marker = None
    if get_origin(annotation) is Annotated:
        inner, *said = get_args(annotation)
        for it in said:
            if isinstance(it, ResourceDescriptor):
                it.said(inner, localns)
                config.resources.append(ResourceDefinition(name, it, inner))
                return
        marker = next((it for it in said if isinstance(it, Collect)), None)
        if marker is None:
            return
        annotation = inner
    elements = _elements(annotation)
    if elements:
        marker = marker or Collect()
        if not isinstance(marker.cardinality, (All, Take)):
            raise WorkflowValidationError(f"Collect cardinality on {name!r} must be All() or Take(n). Other cardinalities are not supported.")
        if config.collection_policy is not None:
            raise WorkflowValidationError("A step may declare at most one list[E] collection parameter. Multi-slot collects are not supported.")
        config.collection_policy = marker
        config.event_parameters[name] = elements
        return
    if marker is not None:
        raise WorkflowValidationError(f"Parameter {name!r} carries a Collect marker but is not annotated as list[E] of an Event subclass.")
    types = [it for it in _members(annotation) if it is not type(None)]
    if types and all(_is_event(it) for it in types):
        config.event_parameters[name] = types


def _check_parameters(config: StepConfig) -> None:
    parameters = config.event_parameters
    if not parameters:
        raise WorkflowValidationError("Step signature must have at least one parameter annotated as type Event")
    if len(parameters) > 1:
        if config.collection_policy is not None:
            raise WorkflowValidationError("A list[E] collection parameter cannot be combined with other event parameters.")
        for name, types in parameters.items():
            if len(types) != 1:
                raise WorkflowValidationError(
                    f"Steps with more than one event parameter require each to declare a single event type, but parameter {name!r} declares {len(types)}."
                )
    for types in parameters.values():
        config.accepted_events += [it for it in types if it not in config.accepted_events]


def _is_event(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Event)


def _bare(annotation: Any) -> Any:
    """An annotation without what is said beside it."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _members(annotation: Any) -> list[Any]:
    """What a union is made of; anything else by itself."""
    if get_origin(annotation) in (Union, UnionType):
        return [member for it in get_args(annotation) for member in _members(it)]
    return [annotation]


def _elements(annotation: Any) -> list[Any] | None:
    """The event types of `list[E]`, also where it is optional."""
    members = [it for it in _members(annotation) if it is not type(None)]
    if len(members) != 1 or get_origin(members[0]) is not list:
        return None
    elements = list(dict.fromkeys(it for it in _members(get_args(members[0])[0]) if it is not type(None)))
    return elements if elements and all(_is_event(it) for it in elements) else None


def _flat(annotation: Any) -> list[Any]:
    """The types of events that an annotation says are returned."""
    found: list[Any] = []
    for member in _members(annotation):
        if member in (None, type(None)):
            continue
        inner = _flat(get_args(member)[0]) if get_origin(member) is list else [_bare(member)]
        found += [it for it in inner if it not in found]
    return found


def resolved_hints(function: Callable[..., Any], localns: dict[str, Any]) -> dict[str, Any]:
    """The annotations of a function, with texts looked up in its module and in the names around it."""
    try:
        return get_type_hints(function, localns=localns or None, include_extras=True)
    except NameError:
        # Names that are there only for type checkers: the annotations that can be read are.
        found = {}
        for name, annotation in getattr(function, "__annotations__", {}).items():
            single: Any = lambda: None  # noqa: E731
            single.__annotations__ = {name: annotation}
            try:
                found |= get_type_hints(single, globalns=function.__globals__, localns=localns, include_extras=True)
            except NameError as error:
                if name == "return":
                    raise WorkflowValidationError(f"the annotation `{annotation}` of step `{function.__name__}` names `{error.name}`, which is not there") from None
                found[name] = Any
        return found


def _lacking(function: Callable[..., Any], localns: dict[str, Any]) -> str | None:
    """What a parameter's annotation names, and is not there."""
    try:
        get_type_hints(function, localns=localns or None)
    except NameError as error:
        return error.name
    return None


def is_free_function(qualname: str) -> bool:
    """Whether a name is that of a function outside of any class."""
    before = qualname.split(".")[:-1]
    return not before or before[-1] == "<locals>"


def get_steps_from_class(cls: type) -> dict[str, Any]:
    """The methods of a class that are steps, by name."""
    return {name: it for name, it in inspect.getmembers(cls, inspect.isfunction) if hasattr(it, "_step_config") and not isinstance(inspect.getattr_static(cls, name), staticmethod)}


def get_steps_from_instance(workflow: Any) -> dict[str, Any]:
    """The methods of an instance that are steps, by name."""
    return {name: getattr(workflow, name) for name in get_steps_from_class(type(workflow))}
