"""What clients are made of, where the original has it."""

from llama_agents.client import WorkflowClient, __getattr__

__all__ = ["WorkflowClient", "__getattr__"]
