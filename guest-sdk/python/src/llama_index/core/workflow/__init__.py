"""The older home of LlamaIndex Workflows: the same names."""

from workflows import Context, Workflow, catch_error, step
from workflows.context import BaseSerializer, JsonPickleSerializer, JsonSerializer, PickleSerializer
from workflows.errors import WorkflowConfigurationError, WorkflowRuntimeError, WorkflowTimeoutError, WorkflowValidationError
from workflows.events import (
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    UnhandledEvent,
    WorkflowCancelledEvent,
    WorkflowFailedEvent,
    WorkflowTimedOutEvent,
)
from workflows.handler import WorkflowHandler
from workflows.retry_policy import ConstantDelayRetryPolicy, ExponentialBackoffRetryPolicy, RetryPolicy

from llama_index.utils.workflow import draw_all_possible_flows, draw_most_recent_execution

__all__ = [name for name in dir() if not name.startswith("_")]
