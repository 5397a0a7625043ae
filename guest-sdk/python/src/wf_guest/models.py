"""Classes by name."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from workflows.events import Event


def subclasses(cls: type) -> list[type]:
    """All classes that derive from one, in the order of their declaration."""
    found: dict[type, None] = {}
    for one in type.__subclasses__(cls):
        found[one] = None
        found |= dict.fromkeys(subclasses(one))
    return list(found)


def by_name(qualified_name: str) -> Any:
    """A model by the name of its module and its own."""
    for cls in subclasses(BaseModel):
        if f"{cls.__module__}.{cls.__qualname__}" == qualified_name or f"{cls.__module__}.{cls.__name__}" == qualified_name:
            return cls
    raise ValueError(f"there is no class `{qualified_name}`")


def event_by_name(name: str, module: str | None = None) -> Any:
    """The event class of a bare name; of several, that of the module, else the first."""
    found = [it for it in [Event, *subclasses(Event)] if it.__name__ == name]
    return next((it for it in found if it.__module__ == module), found[0] if found else None)
