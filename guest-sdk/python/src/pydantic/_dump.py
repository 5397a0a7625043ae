"""Values as plain data, by what they are."""

import enum
import math
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any
from uuid import UUID

from ._errors import PydanticSerializationError


def _iso_duration(value: timedelta) -> str:
    sign = "-" if value < timedelta() else ""
    value = abs(value)
    text = f"{sign}P" + (f"{value.days}D" if value.days else "")
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    if seconds or value.microseconds:
        clock += f"{seconds}" + (f".{value.microseconds:06d}".rstrip("0") if value.microseconds else "") + "S"
    if clock or not value.days:
        text += f"T{clock or '0S'}"
    return text


def _iso(value: Any) -> str:
    text = value.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def dump(value: Any, json: bool) -> Any:
    """A value as plain data, by what it is."""
    kind = type(value)
    if kind in (str, int, float, bool, type(None)):
        return value
    if kind is dict:
        return {_key(key, json): dump(it, json) for key, it in value.items()}
    if kind is list:
        return [dump(it, json) for it in value]
    shown = getattr(value, "__pydantic_dump__", None)
    if shown is not None and not isinstance(value, type):
        return shown(json)
    if isinstance(value, (tuple, set, frozenset)):
        listed = [dump(it, json) for it in value]
        if json:
            return listed
        return type(value)(*listed) if hasattr(value, "_fields") else type(value)(listed)
    if hasattr(value, "__dataclass_fields__") and not isinstance(value, type):
        return {name: dump(getattr(value, name), json) for name in value.__dataclass_fields__}
    if not json:
        return value
    return _plain(value)


def finite(value: Any) -> Any:
    """Plain data, where a number that JSON does not have is null."""
    if isinstance(value, dict):
        return {key: finite(it) for key, it in value.items()}
    if isinstance(value, list):
        return [finite(it) for it in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, enum.Enum):
        return dump(value.value, True)
    if isinstance(value, (str, int, float)):
        return next(base(value) for base in (str, bool, int, float) if isinstance(value, base))
    if isinstance(value, (datetime, time)):
        return _iso(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return _iso_duration(value)
    if isinstance(value, (UUID, Decimal, PurePath)):
        return str(value)
    if isinstance(value, (bytes, bytearray)):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError as error:
            raise PydanticSerializationError(f"Error serializing to JSON: invalid utf-8 sequence: {error}") from None
    if isinstance(value, dict):
        return {_key(key, True): dump(it, True) for key, it in value.items()}
    if isinstance(value, list) or hasattr(value, "__next__"):
        return [dump(it, True) for it in value]
    if isinstance(value, Exception):
        raise PydanticSerializationError(f"Unable to serialize unknown type: {type(value)}")
    try:
        return [dump(it, True) for it in iter(value)] if type(value).__name__ == "deque" else _unknown(value)
    except TypeError:
        return _unknown(value)


def _unknown(value: Any) -> Any:
    raise PydanticSerializationError(f"Unable to serialize unknown type: {type(value)}")


def _key(key: Any, json: bool) -> Any:
    if not json or type(key) is str:
        return key
    if key is None:
        return "None"
    if isinstance(key, bool):
        return "true" if key else "false"
    return str(dump(key, True))
