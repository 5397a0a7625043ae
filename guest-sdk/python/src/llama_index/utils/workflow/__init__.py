"""Drawings of workflows: the debugger of wf-host draws them."""

from typing import Any


def draw_all_possible_flows(workflow: Any, filename: str = "workflow_all_flows.html", **_: Any) -> None:
    """Does nothing: `wf-host inspect --format svg` and the debugger draw the graph."""


def draw_most_recent_execution(workflow: Any, filename: str = "workflow_recent_execution.html", **_: Any) -> None:
    """Does nothing: the debugger shows each run."""


draw_most_recent_execution_mermaid = draw_all_possible_flows_mermaid = draw_all_possible_flows
