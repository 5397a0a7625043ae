"""Paths into a state: keys joined by dots."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import Any, Iterator, NamedTuple

from workflows.events import DictLikeModel

MAX_DEPTH = 1000
#: What the host takes: so many keys, and bytes in all; the first are its own names.
_KEYS_MAX, _BYTES_MAX, _RESERVED = 32, 1024, "$serde_json::private::"
#: What takes more writes than this is written as a whole.
_CHANGES_MAX = 1000
#: What holds more than this is not only begun.
_BEGUN_MAX = 3


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


@contextmanager
def all_or_nothing(state: Any, path: str) -> Iterator[None]:
    """What is set at a path within is taken back if that fails, with all that was made on the way."""
    absent = (KeyError, AttributeError, IndexError, TypeError)
    parent, (key, *others), was = state, path.split("."), ...
    try:
        was = _into(parent, key)
        for segment in others:
            parent, key, was = was, segment, ...
            was = _into(parent, key)
    except absent:
        pass
    try:
        yield
    except BaseException:
        if was is not ...:
            _put(parent, key, was)
        elif isinstance(parent, (dict, DictLikeModel)):
            (parent if isinstance(parent, dict) else parent._data).pop(key, None)
        raise


def can_be_told(path: str) -> bool:
    """Whether the host knows a value by its path."""
    keys = path.split(".")
    sound = all(key and not key.startswith(_RESERVED) for key in keys) and not re.search("[\x00-\x1f\x7f-\x9f]", path)
    return sound and len(keys) <= _KEYS_MAX and len(path.encode(errors="surrogatepass")) <= _BYTES_MAX


class Change(NamedTuple):
    """A write: `set`, `push` or `delete`."""

    verb: str
    path: str
    value: Any


def changes(path: str, before: Any, after: Any) -> list[Change]:
    """What makes one plain value of another: no more than has changed, so that what others write beside it stays.

    That are keys that come, go and change, and items at the end of lists. A model is one value.
    """
    # 1 is equal to 1.0 and to True, and not the same.
    if repr(before) == repr(after):
        return []
    parts = None
    if type(before) is dict and type(after) is dict and not {"__is_pydantic"} & (before.keys() | after.keys()):
        parts = _of_dicts(path, before, after)
    elif type(before) is list and type(after) is list and repr(after[: len(before)]) == repr(before):
        # Where an item is now, others may have put another.
        parts = [Change("push", path, it) for it in after[len(before) :]]
    if parts is None or len(parts) > _CHANGES_MAX or not all(can_be_told(it.path) for it in parts):
        return [Change("set", path, after)]
    return parts


def extends(after: Any, before: Any) -> bool:
    """Whether a plain value is the other one and more."""
    if type(before) is list and type(after) is list:
        return len(after) > len(before) and repr(after[: len(before)]) == repr(before)
    if type(before) is not dict or type(after) is not dict or "__is_pydantic" in after:
        return False
    same = [key for key in before if repr(after.get(key)) == repr(before[key])]
    return (len(after) > len(before) or len(same) < len(before)) and all(key in same or extends(after.get(key), before[key]) for key in before)


def hollow(value: Any) -> Any:
    """What a plain value is begun from, beside others that may begin it as well: its dictionaries, and what they do not hold."""
    if type(value) is dict and "__is_pydantic" not in value:
        return {key: hollow(it) for key, it in value.items() if it and isinstance(it, (list, dict)) and not (isinstance(it, dict) and "__is_pydantic" in it)}
    return [] if type(value) is list else ...


def _of_dicts(path: str, before: dict[str, Any], after: dict[str, Any]) -> list[Change] | None:
    # In another order it is another, and what has a dot in it is no one key.
    if [key for key in after if key in before] != [key for key in before if key in after] or any("." in key for key in before.keys() | after.keys()):
        return None
    parts = [Change("delete", f"{path}.{key}", None) for key in before if key not in after]
    for key, value in after.items():
        parts += changes(f"{path}.{key}", before[key], value) if key in before else _of_new(f"{path}.{key}", value)
    return parts


def _of_new(path: str, value: Any) -> list[Change]:
    """What makes a value where nothing is so far. What holds little is perhaps begun by others as well."""
    before = hollow(value)
    parts = changes(path, before, value) if extends(value, before) else []
    return parts if 0 < len(parts) <= _BEGUN_MAX else [Change("set", path, value)]


def plain_child(value: Any, segment: str) -> Any:
    """What lies in a plain dictionary under a key; `...`: nothing does. Of anything else a `LookupError`."""
    if type(value) is not dict or "__is_pydantic" in value:
        raise LookupError(segment)
    return value.get(segment, ...)


def refilled(held: Any, now: Any) -> Any:
    """What is held, with what it is now in it, where it can be: whoever has it sees it."""
    if type(held) is dict and type(now) is dict:
        items = {key: refilled(held.get(key), it) for key, it in now.items()}
        held.clear()
        held.update(items)
        return held
    if type(held) is list and type(now) is list:
        # An item may be at another place now.
        known: dict[str, list[Any]] = {}
        for it in held:
            known.setdefault(repr(it), []).append(it)
        held[:] = [known[repr(it)].pop(0) if known.get(repr(it)) else it for it in now]
        return held
    return now
