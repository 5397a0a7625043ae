"""Middleware: the host has its own."""

from typing import Any


class Middleware:
    """Taken, and asked for nothing."""

    def __init__(self, cls: Any, *_: Any, **__: Any) -> None:
        self.cls = cls
