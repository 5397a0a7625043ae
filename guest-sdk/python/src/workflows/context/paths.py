"""Paths into a state: keys joined by dots."""

from __future__ import annotations

from typing import Any

from workflows.events import DictLikeModel

MAX_DEPTH = 1000


def _into(value: Any, segment: str) -> Any:
    if isinstance(value, dict):
        return value[segment]
    if isinstance(value, DictLikeModel):
        if segment in value:
            return value[segment]
        if segment in type(value).__pydantic_fields__:
            return getattr(value, segment)
        raise KeyError(segment)
    try:
        return value[int(segment)]
    except (ValueError, TypeError, IndexError):
        return getattr(value, segment)


def _put(value: Any, segment: str, item: Any) -> None:
    if isinstance(value, dict):
        value[segment] = item
        return
    if not isinstance(value, DictLikeModel):
        try:
            value[int(segment)] = item
            return
        except (ValueError, TypeError, IndexError):
            pass
    setattr(value, segment, item)


def get_by_path(state: Any, path: str, default: Any = Ellipsis) -> Any:
    """What lies at a path."""
    value = state
    try:
        for segment in path.split(".") if path else []:
            value = _into(value, segment)
    except Exception:
        if default is not Ellipsis:
            return default
        raise ValueError(f"Path '{path}' not found in state") from None
    return value


def set_by_path(state: Any, path: str, value: Any) -> None:
    """Sets what lies at a path; dictionaries on the way are made."""
    *before, last = path.split(".")
    current = state
    for segment in before:
        try:
            current = _into(current, segment)
        except (KeyError, AttributeError, IndexError, TypeError):
            made: dict[str, Any] = {}
            _put(current, segment, made)
            current = made
    _put(current, last, value)
