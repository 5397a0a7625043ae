"""A server that is said: which workflows it has. The host serves them."""

from .server import WorkflowServer
from .stores import AbstractWorkflowStore, AgentDataStore, HandlerQuery, MemoryWorkflowStore, PersistentHandler, SqliteWorkflowStore

__all__ = [
    "AbstractWorkflowStore",
    "AgentDataStore",
    "HandlerQuery",
    "MemoryWorkflowStore",
    "PersistentHandler",
    "SqliteWorkflowStore",
    "WorkflowServer",
]
