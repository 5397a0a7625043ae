"""The classes of a graph, where the original has them."""

from typing import Any


def __getattr__(name: str) -> Any:
    from workflows import representation

    return getattr(representation, name)
