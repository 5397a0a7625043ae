"""The older name of `llama_agents.server`."""

from llama_agents.server import AbstractWorkflowStore, HandlerQuery, MemoryWorkflowStore, PersistentHandler, SqliteWorkflowStore, WorkflowServer

__all__ = ["AbstractWorkflowStore", "HandlerQuery", "MemoryWorkflowStore", "PersistentHandler", "SqliteWorkflowStore", "WorkflowServer"]
