"""Names: all that files import of the original, from where they import it."""

from __future__ import annotations

import importlib

import pytest
from workflows import Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent

EVENTS = "Event StartEvent StopEvent InputRequiredEvent HumanResponseEvent"
DRAWINGS = "draw_all_possible_flows draw_most_recent_execution"
NAMES = {
    "workflows": "Context Workflow catch_error step",
    "llama_agents.workflows": "Context Workflow catch_error step",
    "workflows.events": f"{EVENTS} DictLikeModel EventType InternalDispatchEvent SerializableException StepFailedEvent StepState StepStateChanged UnhandledEvent UnreconstructedException WorkflowCancelledEvent WorkflowFailedEvent WorkflowIdleEvent WorkflowTimedOutEvent",
    "workflows.errors": "ContextSerdeError ContextStateError WorkflowCancelledByUser WorkflowConfigurationError WorkflowDone WorkflowRuntimeError WorkflowStepDoesNotExistError WorkflowTimeoutError WorkflowValidationError",
    "workflows.context": "BaseSerializer Context JsonSerializer PickleSerializer",
    "workflows.context.serializers": "BaseSerializer JsonSerializer PickleSerializer",
    "workflows.context.state_store": "DictState InMemoryStateStore",
    "workflows.collect": "All Collect Take",
    "workflows.decorators": "StepConfig catch_error step",
    "workflows.handler": "WorkflowHandler",
    "workflows.resource": "Resource ResourceConfig ResourceDefinition ResourceManager",
    "workflows.retry_policy": "ConstantDelayRetryPolicy ExponentialBackoffRetryPolicy RetryCondition RetryInfo RetryPolicy StopCondition WaitStrategy retry_policy",
    "workflows.types": "RunResultT StopEventT",
    "workflows.utils": "get_steps_from_class get_steps_from_instance",
    "workflows.workflow": "Workflow WorkflowMeta",
    "workflows.testing": "WorkflowTestRunner",
    "workflows.testing.runner": "WorkflowTestResult WorkflowTestRunner",
    "workflows.representation": "WorkflowEventNode WorkflowExternalNode WorkflowGraph WorkflowGraphEdge WorkflowGraphNode WorkflowNodeBase WorkflowStepNode get_workflow_representation",
    "workflows.client": "WorkflowClient",
    "workflows.representation.types": "WorkflowEventNode WorkflowExternalNode WorkflowGraph WorkflowGraphEdge WorkflowGraphNode WorkflowNodeBase WorkflowStepNode",
    "workflows.plugins": "BasicRuntime basic_runtime get_current_runtime",
    "workflows.plugins.basic": "BasicRuntime basic_runtime",
    "llama_agents.client": "CancelHandlerResponse EventEnvelopeWithMetadata EventStream HandlerData HandlersListResponse SendEventResponse WorkflowClient WorkflowEventsListResponse WorkflowGraphResponse WorkflowSchemaResponse",
    "workflows.server": "WorkflowServer",
    "llama_agents.server": "AbstractWorkflowStore HandlerQuery MemoryWorkflowStore PersistentHandler SqliteWorkflowStore WorkflowServer",
    "llama_index.core.workflow": f"{EVENTS} {DRAWINGS} BaseSerializer Context JsonSerializer Workflow WorkflowRuntimeError WorkflowTimeoutError WorkflowValidationError step",
    "llama_index.core.workflow.events": EVENTS,
    "llama_index.core.workflow.context_serializers": "BaseSerializer JsonSerializer",
    "llama_index.core.workflow.drawing": DRAWINGS,
    "llama_index.utils.workflow": f"{DRAWINGS} draw_all_possible_flows_mermaid draw_most_recent_execution_mermaid",
}


@pytest.mark.parametrize("module", NAMES)
def test_all_names_can_be_imported(module):
    exec(f"from {module} import {', '.join(NAMES[module].split())}", {})


def test_what_is_not_there_is_not_found():
    with pytest.raises(ImportError, match="WorkflowNothing"):
        exec("from workflows.representation import WorkflowNothing")
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        importlib.import_module("workflows.representation").nothing


def test_drawings_are_taken_and_draw_nothing(tmp_path, monkeypatch):
    from llama_index.core.workflow import draw_all_possible_flows, draw_most_recent_execution
    from llama_index.utils import workflow as utils

    monkeypatch.chdir(tmp_path)
    for draw in (draw_all_possible_flows, draw_most_recent_execution, utils.draw_all_possible_flows, utils.draw_all_possible_flows_mermaid):
        draw(Graph, filename="flow.html")
    assert list(tmp_path.iterdir()) == []


class Ask(InputRequiredEvent):
    question: str


class Close(Ask):
    """A last question."""


class Told(HumanResponseEvent):
    text: str


class Graph(Workflow):
    """Asks once."""

    @step
    async def begin(self, ev: StartEvent) -> Ask | Close | None:
        """Asks."""

    @step(accept_event_subclasses=True)
    async def note(self, ev: Event) -> None: ...

    @step
    async def end(self, ev: Told) -> StopEvent:
        """Is told."""


def test_a_workflow_is_told_as_a_graph():
    from workflows.representation import WorkflowEventNode, WorkflowStepNode, get_workflow_representation

    graph = get_workflow_representation(Graph)
    assert (graph.name, graph.description) == ("Graph", "Asks once.")
    by_id = {it.id: it for it in graph.nodes}
    assert {it.id: it.description for it in graph.nodes if isinstance(it, WorkflowStepNode)} == {"begin": "Asks.", "note": None, "end": "Is told."}
    assert {it.id: (it.event_types, it.produced_by) for it in graph.nodes if isinstance(it, WorkflowEventNode)} == {
        "StartEvent": (["StartEvent"], []),
        "Ask": (["Ask", "InputRequiredEvent"], ["begin"]),
        "Close": (["Close", "Ask", "InputRequiredEvent"], ["begin"]),
        "Event": (["Event"], []),
        "Told": (["Told", "HumanResponseEvent"], []),
        "StopEvent": (["StopEvent"], ["end"]),
    }
    assert by_id["external_step"].node_type == "external" and by_id["Close"].is_subclass_of("Ask")
    assert by_id["Ask"].event_schema["properties"]["question"]["type"] == "string"
    assert {(it.source, it.target) for it in graph.edges} == {
        *(("StartEvent", "begin"), ("begin", "Ask"), ("begin", "Close"), ("Ask", "external_step"), ("Close", "external_step")),
        *(("external_step", "Told"), ("Told", "end"), ("end", "StopEvent")),
        *((name, "note") for name in ("Event", "StartEvent", "Ask", "Close", "Told")),
    }
    assert get_workflow_representation(Graph()).model_dump() == graph.model_dump()
