"""Tests of workflows."""

from .runner import WorkflowTestRunner

__all__ = ["WorkflowTestRunner"]
