"""Stores: the host has its own, which is durable. These are there because files name them."""

from typing import Any


class AbstractWorkflowStore:
    """Takes anything, and does nothing."""

    def __init__(self, *_: Any, **__: Any) -> None: ...


class MemoryWorkflowStore(AbstractWorkflowStore):
    """As above."""


class SqliteWorkflowStore(AbstractWorkflowStore):
    """As above."""


class AgentDataStore(AbstractWorkflowStore):
    """As above."""


class HandlerQuery(AbstractWorkflowStore):
    """As above."""


class PersistentHandler(AbstractWorkflowStore):
    """As above."""
