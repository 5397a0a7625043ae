"""A workflow's steps and events as a graph, for files that look at it. Resources are not in it."""

from __future__ import annotations

import inspect
from typing import Any, Literal

from pydantic import BaseModel

from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StopEvent

_OUTSIDE = "external_step"


class WorkflowNodeBase(BaseModel):
    """A node: its name, and the same to be shown."""

    id: str
    label: str


class WorkflowStepNode(WorkflowNodeBase):
    """A step, and what its text says that it does."""

    node_type: Literal["step"] = "step"
    description: str | None = None


class WorkflowEventNode(WorkflowNodeBase):
    """An event's type, those that it derives from, its fields, and the steps that say they return it."""

    node_type: Literal["event"] = "event"
    event_type: str
    event_types: list[str]
    event_schema: dict[str, Any] | None = None
    produced_by: list[str] = []

    def is_subclass_of(self, *type_names: str) -> bool:
        """Whether it is one of some types, or derives from one."""
        return any(it in self.event_types for it in type_names)


class WorkflowExternalNode(WorkflowNodeBase):
    """Whoever answers from outside."""

    node_type: Literal["external"] = "external"


WorkflowGraphNode = WorkflowStepNode | WorkflowEventNode | WorkflowExternalNode


class WorkflowGraphEdge(BaseModel):
    """From what to what."""

    source: str
    target: str
    label: str | None = None


class WorkflowGraph(BaseModel):
    """Steps, events and the outside, and what leads where."""

    name: str
    nodes: list[WorkflowGraphNode]
    edges: list[WorkflowGraphEdge]
    description: str | None = None


def get_workflow_representation(workflow: Any) -> WorkflowGraph:
    """The graph of a workflow, or of a class of them."""
    cls = workflow if isinstance(workflow, type) else type(workflow)
    configs = {name: it._step_config for name, it in cls._get_steps_from_class().items()}
    returned = {name: [it for it in config.return_types if _is(it, Event)] for name, config in configs.items()}
    nodes: dict[str, Any] = {}
    types: dict[type, None] = {}
    for name, function in cls._get_steps_from_class().items():
        nodes[name] = WorkflowStepNode(id=name, label=name, description=inspect.getdoc(function))
        for it in [*configs[name].accepted_events, *returned[name]]:
            types[it] = None
            nodes.setdefault(it.__name__, _event(it, [other for other, theirs in returned.items() if it in theirs]))
            if it in returned[name] and issubclass(it, InputRequiredEvent):
                nodes.setdefault(_OUTSIDE, WorkflowExternalNode(id=_OUTSIDE, label=_OUTSIDE))
    edges: dict[tuple[str, str], None] = {}
    for name, config in configs.items():
        for it in returned[name]:
            edges[name, it.__name__] = None
            if issubclass(it, InputRequiredEvent):
                edges[it.__name__, _OUTSIDE] = None
        for it in _taken(config, list(types)):
            edges[it.__name__, name] = None
            if issubclass(it, HumanResponseEvent) and _OUTSIDE in nodes:
                edges[_OUTSIDE, it.__name__] = None
    drawn = [WorkflowGraphEdge(source=source, target=target) for source, target in edges]
    return WorkflowGraph(name=cls.__name__, nodes=list(nodes.values()), edges=drawn, description=inspect.getdoc(cls))


def _event(cls: type[Event], produced_by: list[str]) -> WorkflowEventNode:
    chain = [it.__name__ for it in cls.__mro__[: cls.__mro__.index(Event)] if _is(it, Event)] or [cls.__name__]
    return WorkflowEventNode(id=cls.__name__, label=cls.__name__, event_type=cls.__name__, event_types=chain, event_schema=cls.model_json_schema(), produced_by=produced_by)


def _taken(config: Any, types: list[type]) -> list[type]:
    """The types that a step takes; what derives from them, where it takes that too, but no end of a run."""
    if not config.accept_event_subclasses:
        return config.accepted_events
    return [it for it in types if any(it is one or issubclass(it, one) and not issubclass(it, StopEvent) for one in config.accepted_events)]


def _is(cls: Any, base: type) -> bool:
    return isinstance(cls, type) and issubclass(cls, base)
