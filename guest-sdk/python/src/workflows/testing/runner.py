"""The module of the test runner."""

from . import WorkflowTestRunner

__all__ = ["WorkflowTestRunner"]
