"""LlamaIndex Workflows for a guest of wf-host: the same names, and durable."""

from .context import Context
from .decorators import catch_error, step
from .workflow import Workflow

__all__ = ["Context", "Workflow", "catch_error", "step"]
