"""How a workflow looks as a graph: the host shows it, at `/workflows/NAME/representation`."""

from typing import Any


def __getattr__(name: str) -> Any:
    # Few files ask for the graph: the others do not carry its classes.
    if name == "get_workflow_representation" or name.startswith("Workflow"):
        from . import build

        if hasattr(build, name):
            return getattr(build, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
