"""The older name of `llama_agents.client`."""

from llama_agents.client import WorkflowClient

__all__ = ["WorkflowClient"]
