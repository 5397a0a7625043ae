"""Every name that files import of the originals, and where from; and a workflow told as a graph."""

import importlib

from llama_agents.server import WorkflowServer
from workflows import Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from workflows.representation import get_workflow_representation

EVENTS = "Event StartEvent StopEvent InputRequiredEvent HumanResponseEvent"
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
    "workflows.representation": "WorkflowEventNode WorkflowExternalNode WorkflowGraph WorkflowGraphEdge WorkflowStepNode get_workflow_representation",
    "workflows.representation.types": "WorkflowEventNode WorkflowExternalNode WorkflowGraph WorkflowGraphEdge WorkflowGraphNode WorkflowNodeBase WorkflowStepNode",
    "workflows.plugins": "BasicRuntime basic_runtime get_current_runtime",
    "workflows.plugins.basic": "BasicRuntime basic_runtime",
    "llama_agents.client": "CancelHandlerResponse EventEnvelopeWithMetadata EventStream HandlerData HandlersListResponse SendEventResponse WorkflowClient WorkflowEventsListResponse WorkflowGraphResponse WorkflowSchemaResponse",
    "llama_agents.server": "AbstractWorkflowStore HandlerQuery MemoryWorkflowStore PersistentHandler SqliteWorkflowStore WorkflowServer",
}


class NamesWorkflow(Workflow):
    @step
    async def look(self, ev: StartEvent) -> StopEvent:
        lacking, modules = [], {}
        for module, names in NAMES.items():
            found = importlib.import_module(module)
            lacking += [f"{module}.{name}" for name in names.split() if not hasattr(found, name)]
            modules[module] = sorted({it for name in names.split() if (it := getattr(getattr(found, name, None), "__module__", "")).startswith("workflows.events")})
        return StopEvent(result={"lacking": lacking, "modules": modules})


class Ask(InputRequiredEvent):
    question: str


class Told(HumanResponseEvent):
    text: str


class Graph(Workflow):
    """Asks once."""

    @step
    async def begin(self, ev: StartEvent) -> Ask | None:
        """Asks."""

    @step
    async def end(self, ev: Told) -> StopEvent:
        """Is told."""


class GraphWorkflow(Workflow):
    @step
    async def look(self, ev: StartEvent) -> StopEvent:
        graph = get_workflow_representation(Graph)
        return StopEvent(
            result={
                "nodes": sorted([it.node_type, it.id, it.label] for it in graph.nodes),
                "edges": sorted([it.source, it.target] for it in graph.edges),
                "events": {it.id: it.event_types for it in graph.nodes if it.node_type == "event"},
            }
        )


server = WorkflowServer()
server.add_workflow("names", NamesWorkflow())
server.add_workflow("graph", GraphWorkflow())
