"""From values of other classes to what a field is of: what pydantic 2 takes for a text, a number, a time."""

import enum
import re
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from ._errors import Misfit, misfit


def to_text(value: Any, json: bool) -> Any:
    if isinstance(value, str):
        return value.value if isinstance(value, enum.Enum) else str(value)
    if isinstance(value, enum.Enum) and isinstance(value.value, str):
        return value.value
    if isinstance(value, (bytes, bytearray)) and not json:
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            raise misfit("string_unicode", "Input should be a valid string, unable to parse raw data as a unicode string", value) from None
    raise misfit("string_type", "Input should be a valid string", value)


_INTEGER = re.compile(r"\s*[-+]?\d+(_\d+)*(\.0*)?\s*\Z")


def is_long(value: Any) -> bool:
    """Whether it is an integer of more than 64 bits."""
    return isinstance(value, int) and not -(2**63) <= value < 2**63


def to_integer(value: Any, json: bool) -> Any:
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (float, Decimal)):
        if value != value or value in (float("inf"), float("-inf")):
            raise misfit("finite_number", "Input should be a finite number", value)
        if value == int(value):
            return int(value)
        raise misfit("int_from_float", "Input should be a valid integer, got a number with a fractional part", value)
    if isinstance(value, (str, bytes)):
        text = value if isinstance(value, str) else value.decode("latin-1")
        if _INTEGER.match(text):
            return int(text.partition(".")[0])
        raise misfit("int_parsing", "Input should be a valid integer, unable to parse string as an integer", value)
    if isinstance(value, enum.Enum) and isinstance(value.value, int):
        return int(value.value)
    raise misfit("int_type", "Input should be a valid integer", value)


def to_number(value: Any, json: bool) -> Any:
    if isinstance(value, (int, float, Decimal)):
        return float(value)
    if isinstance(value, (str, bytes)):
        try:
            return float(value)
        except ValueError:
            raise misfit("float_parsing", "Input should be a valid number, unable to parse string as a number", value) from None
    raise misfit("float_type", "Input should be a valid number", value)


_WORDS = {"1": True, "true": True, "t": True, "yes": True, "y": True, "on": True}
_WORDS |= {"0": False, "false": False, "f": False, "no": False, "n": False, "off": False}


def to_boolean(value: Any, json: bool) -> Any:
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in _WORDS:
        return _WORDS[value.lower()]
    if isinstance(value, (str, int)) and not is_long(value):
        raise misfit("bool_parsing", "Input should be a valid boolean, unable to interpret input", value)
    raise misfit("bool_type", "Input should be a valid boolean", value)


def to_bytes(value: Any, json: bool) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise misfit("bytes_type", "Input should be a valid bytes", value)


def to_nothing(value: Any, json: bool) -> Any:
    raise misfit("none_required", "Input should be None", value)


_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?\Z")


def to_datetime(value: Any, json: bool) -> Any:
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if isinstance(value, str) and _NUMBER.match(value):
        value = float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value if abs(value) <= 2e10 else value / 1000, timezone.utc)
        except (ValueError, OverflowError, OSError) as error:
            if json and is_long(value):
                raise misfit("datetime_type", "Input should be a valid datetime", value) from None
            raise misfit("datetime_parsing", f"Input should be a valid datetime, {error}", value, {"error": str(error)}) from None
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError as error:
            raise misfit("datetime_from_date_parsing", f"Input should be a valid datetime or date, {error}", value, {"error": str(error)}) from None
    raise misfit("datetime_type", "Input should be a valid datetime", value)


def to_date(value: Any, json: bool) -> Any:
    if isinstance(value, datetime):
        if value.time() == time():
            return value.date()
        raise misfit("date_from_datetime_inexact", "Datetimes provided to dates should have zero time - e.g. be exact dates", value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) or isinstance(value, str) and (_NUMBER.match(value) or "T" in value):
        try:
            return to_date(to_datetime(value, json), json)
        except Misfit as error:
            [issue] = error.issues
            if issue["type"] == "datetime_type":
                raise misfit("date_type", "Input should be a valid date", value) from None
            if issue["type"] in ("datetime_parsing", "datetime_from_date_parsing"):
                message = issue["msg"].replace("a valid datetime or date,", "a valid date or datetime,").replace("a valid datetime,", "a valid date or datetime,")
                raise misfit("date_from_datetime_parsing", message, value, issue["ctx"]) from None
            raise
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise misfit("date_from_datetime_parsing", f"Input should be a valid date or datetime, {error}", value, {"error": str(error)}) from None
    raise misfit("date_type", "Input should be a valid date", value)


def to_time(value: Any, json: bool) -> Any:
    if isinstance(value, str):
        try:
            return time.fromisoformat(value)
        except ValueError as error:
            raise misfit("time_parsing", f"Input should be in a valid time format, {error}", value, {"error": str(error)}) from None
    raise misfit("time_type", "Input should be a valid time", value)


_DURATION = re.compile(r"([-+])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?\Z")
_CLOCK = re.compile(r"([-+])?(?:(\d+) days?,? )?(\d+):(\d\d)(?::(\d\d(?:\.\d+)?))?\Z")


def to_duration(value: Any, json: bool) -> Any:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, (int, float)) and not (json and isinstance(value, bool)):
        try:
            return timedelta(seconds=value)
        except OverflowError:
            if json and is_long(value):
                raise misfit("time_delta_type", "Input should be a valid timedelta", value) from None
            raise misfit("time_delta_parsing", "Input should be a valid timedelta, durations may not exceed 999,999,999 days", value) from None
    if isinstance(value, str):
        found = _DURATION.match(value)
        if found and len(value) > 2:
            sign, weeks, days, hours, minutes, seconds = found.groups()
        elif found := _CLOCK.match(value):
            weeks = None
            sign, days, hours, minutes, seconds = found.groups()
        else:
            raise misfit("time_delta_parsing", "Input should be a valid timedelta, invalid digit in duration", value)
        whole = timedelta(weeks=int(weeks or 0), days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), seconds=float(seconds or 0))
        return -whole if sign == "-" else whole
    raise misfit("time_delta_type", "Input should be a valid timedelta", value)


def to_uuid(value: Any, json: bool) -> Any:
    if isinstance(value, UUID):
        return value
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError as error:
            raise misfit("uuid_parsing", f"Input should be a valid UUID, {error}", value, {"error": str(error)}) from None
    raise misfit("uuid_type", "UUID input should be a string, bytes or UUID object", value)


def to_decimal(value: Any, json: bool) -> Any:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise misfit("decimal_parsing", "Input should be a valid decimal", value) from None
    raise misfit("decimal_type", "Decimal input should be an integer, float, string or Decimal object", value)


def to_path(value: Any, json: bool) -> Any:
    if isinstance(value, (str, PurePath)):
        return Path(value)
    raise misfit("path_type", "Input is not a valid path", value)
