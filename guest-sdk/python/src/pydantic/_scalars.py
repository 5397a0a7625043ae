"""What single values are made of: how they are checked, shown and described."""

import enum
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal, InvalidOperation
from pathlib import Path, PurePath
from typing import Any
from uuid import UUID

from ._errors import Misfit, PydanticInvalidForJsonSchema, PydanticSerializationError, misfit


class Kind:
    """A kind of value. `schema` is of JSON Schema; `dump` gives plain data, as JSON has it where `json`."""

    #: What a union calls it in the place of an error.
    label = "any"

    def check(self, value: Any, json: bool) -> Any:
        """The value as this kind, or a `Misfit`."""
        return value

    def exact(self, value: Any) -> bool:
        """Whether it is of this kind without any change."""
        return True

    def dump(self, value: Any, json: bool) -> Any:
        return dump(value, json)

    def schema(self, definitions: dict[str, Any]) -> dict[str, Any]:
        return {}


class Scalar(Kind):
    """A value of one class."""

    def __init__(self, label: str, cls: type, check: Callable[[Any, bool], Any], **schema: Any) -> None:
        self.label, self.cls, self._check, self._schema = label, cls, check, schema

    def check(self, value: Any, json: bool) -> Any:
        return value if type(value) is self.cls else self._check(value, json)

    def exact(self, value: Any) -> bool:
        return type(value) is self.cls

    def schema(self, definitions: dict[str, Any]) -> dict[str, Any]:
        return dict(self._schema)


class Instance(Kind):
    """A value of a class that nothing else is known of."""

    def __init__(self, cls: Any, label: str | None = None) -> None:
        self.cls, self.label = cls, label or f"is-instance[{getattr(cls, '__name__', cls)}]"

    def check(self, value: Any, json: bool) -> Any:
        if isinstance(value, self.cls):
            return value
        name = getattr(self.cls, "__qualname__", str(self.cls))
        raise misfit("is_instance_of", f"Input should be an instance of {name}", value, {"class": name})

    def exact(self, value: Any) -> bool:
        return isinstance(value, self.cls)

    def schema(self, definitions: dict[str, Any]) -> dict[str, Any]:
        raise PydanticInvalidForJsonSchema(
            f"Cannot generate a JsonSchema for core_schema.IsInstanceSchema ({self.cls})"
        )


class Called(Kind):
    """Something that can be called."""

    label = "callable"

    def check(self, value: Any, json: bool) -> Any:
        if callable(value):
            return value
        raise misfit("callable_type", "Input should be callable", value)

    def schema(self, definitions: dict[str, Any]) -> dict[str, Any]:
        raise PydanticInvalidForJsonSchema("Cannot generate a JsonSchema for core_schema.CallableSchema")


class Choice(Kind):
    """One of some values."""

    def __init__(self, values: tuple[Any, ...]) -> None:
        self.values = values
        self.label = f"literal[{','.join(repr(it) for it in values)}]"

    def check(self, value: Any, json: bool) -> Any:
        for one in self.values:
            if one == value and isinstance(one, (str, int, bytes)) and (isinstance(value, type(one)) or isinstance(one, int) and isinstance(value, float)) or one is value:
                return one
            if json and isinstance(one, enum.Enum) and one.value == value:
                return one
        said = _listed([repr(it.value) if isinstance(it, enum.Enum) else repr(it) for it in self.values])
        raise misfit("literal_error", f"Input should be {said}", value, {"expected": said})

    def exact(self, value: Any) -> bool:
        return any(one == value and type(one) is type(value) for one in self.values)

    def schema(self, definitions: dict[str, Any]) -> dict[str, Any]:
        values = [dump(it, True) for it in self.values]
        names = {type_name(it) for it in values}
        said: dict[str, Any] = {"const": values[0]} if len(values) == 1 else {"enum": values}
        if len(names) == 1 and None not in names:
            said["type"] = names.pop()
        return said


class Member(Kind):
    """A member of an enumeration."""

    def __init__(self, cls: type[enum.Enum], values: bool) -> None:
        self.cls, self.values, self.label = cls, values, cls.__name__

    def check(self, value: Any, json: bool) -> Any:
        if not isinstance(value, self.cls):
            try:
                value = self.cls(_plainer(self.cls, value))
            except (ValueError, TypeError):
                said = _listed([repr(it.value) for it in self.cls])
                raise misfit("enum", f"Input should be {said}", value, {"expected": said}) from None
        return value.value if self.values else value

    def exact(self, value: Any) -> bool:
        return isinstance(value, self.cls)

    def schema(self, definitions: dict[str, Any]) -> dict[str, Any]:
        values = [dump(it.value, True) for it in self.cls]
        said: dict[str, Any] = {"title": self.cls.__name__}
        said |= {"const": values[0]} if len(values) == 1 else {"enum": values}
        names = {type_name(it) for it in values}
        if len(names) == 1 and None not in names:
            said["type"] = names.pop()
        own = self.cls.__doc__
        if own and own != "An enumeration." and own != enum.Enum.__doc__ and not own.startswith("int("):
            said["description"] = _clean(own)
        definitions.setdefault(self.cls.__name__, said)
        return {"$ref": f"#/$defs/{self.cls.__name__}"}


def _plainer(cls: type, value: Any) -> Any:
    """What a value is to an enumeration of numbers or texts."""
    for base in (int, float, str):
        if issubclass(cls, base):
            try:
                return SCALARS[base].check(value, False)
            except Misfit:
                return value
    return value


def _clean(text: str) -> str:
    import inspect

    return inspect.cleandoc(text)


def type_name(value: Any) -> str | None:
    """The type of a plain value, as JSON Schema calls it."""
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", type(None): "null"}
    return names.get(type(value))


def _listed(said: list[str]) -> str:
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"


def _text(value: Any, json: bool) -> Any:
    if isinstance(value, str):
        return value.value if isinstance(value, enum.Enum) else str(value)
    if isinstance(value, (bytes, bytearray)) and not json:
        try:
            return bytes(value).decode()
        except UnicodeDecodeError:
            raise misfit("string_unicode", "Input should be a valid string, unable to parse raw data as a unicode string", value) from None
    raise misfit("string_type", "Input should be a valid string", value)


_INTEGER = re.compile(r"\s*[-+]?\d+(_\d+)*(\.0*)?\s*\Z")


def _integer(value: Any, json: bool) -> Any:
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
    raise misfit("int_type", "Input should be a valid integer", value)


def _number(value: Any, json: bool) -> Any:
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


def _boolean(value: Any, json: bool) -> Any:
    if isinstance(value, (int, float)) and value in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.lower() in _WORDS:
        return _WORDS[value.lower()]
    if isinstance(value, (str, int, float)):
        raise misfit("bool_parsing", "Input should be a valid boolean, unable to interpret input", value)
    raise misfit("bool_type", "Input should be a valid boolean", value)


def _bytes(value: Any, json: bool) -> Any:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytes, bytearray)):
        return bytes(value)
    raise misfit("bytes_type", "Input should be a valid bytes", value)


def _nothing(value: Any, json: bool) -> Any:
    raise misfit("none_required", "Input should be None", value)


_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?\Z")


def _datetime(value: Any, json: bool) -> Any:
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
            raise misfit("datetime_parsing", f"Input should be a valid datetime, {error}", value, {"error": str(error)}) from None
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError as error:
            raise misfit("datetime_from_date_parsing", f"Input should be a valid datetime or date, {error}", value, {"error": str(error)}) from None
    raise misfit("datetime_type", "Input should be a valid datetime", value)


def _date(value: Any, json: bool) -> Any:
    if isinstance(value, datetime):
        if value.time() == time():
            return value.date()
        raise misfit("date_from_datetime_inexact", "Datetimes provided to dates should have zero time - e.g. be exact dates", value)
    if isinstance(value, (int, float)) and not isinstance(value, bool) or isinstance(value, str) and (_NUMBER.match(value) or "T" in value):
        return _date(_datetime(value, json), json)
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError as error:
            raise misfit("date_from_datetime_parsing", f"Input should be a valid date or datetime, {error}", value, {"error": str(error)}) from None
    raise misfit("date_type", "Input should be a valid date", value)


def _time(value: Any, json: bool) -> Any:
    if isinstance(value, str):
        try:
            return time.fromisoformat(value)
        except ValueError as error:
            raise misfit("time_parsing", f"Input should be in a valid time format, {error}", value, {"error": str(error)}) from None
    raise misfit("time_type", "Input should be a valid time", value)


_DURATION = re.compile(r"([-+])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?\Z")
_CLOCK = re.compile(r"([-+])?(?:(\d+) days?,? )?(\d+):(\d\d)(?::(\d\d(?:\.\d+)?))?\Z")


def _duration(value: Any, json: bool) -> Any:
    if isinstance(value, timedelta):
        return value
    if isinstance(value, (int, float)) and not (json and isinstance(value, bool)):
        try:
            return timedelta(seconds=value)
        except OverflowError:
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


def _uuid(value: Any, json: bool) -> Any:
    if isinstance(value, UUID):
        return value
    if isinstance(value, str):
        try:
            return UUID(value)
        except ValueError as error:
            raise misfit("uuid_parsing", f"Input should be a valid UUID, {error}", value, {"error": str(error)}) from None
    raise misfit("uuid_type", "UUID input should be a string, bytes or UUID object", value)


def _decimal(value: Any, json: bool) -> Any:
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            return Decimal(str(value))
        except InvalidOperation:
            raise misfit("decimal_parsing", "Input should be a valid decimal", value) from None
    raise misfit("decimal_type", "Decimal input should be an integer, float, string or Decimal object", value)


def _path(value: Any, json: bool) -> Any:
    if isinstance(value, (str, PurePath)):
        return Path(value)
    raise misfit("path_type", "Input is not a valid path", value)


NOTHING = Scalar("none", type(None), _nothing, type="null")
_MAYBE_NUMBER = [{"type": "number"}, {"pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$", "type": "string"}]
SCALARS: dict[Any, Scalar] = {
    str: Scalar("str", str, _text, type="string"),
    int: Scalar("int", int, _integer, type="integer"),
    float: Scalar("float", float, _number, type="number"),
    bool: Scalar("bool", bool, _boolean, type="boolean"),
    bytes: Scalar("bytes", bytes, _bytes, type="string", format="binary"),
    type(None): NOTHING,
    None: NOTHING,
    datetime: Scalar("datetime", datetime, _datetime, type="string", format="date-time"),
    date: Scalar("date", date, _date, type="string", format="date"),
    time: Scalar("time", time, _time, type="string", format="time"),
    timedelta: Scalar("timedelta", timedelta, _duration, type="string", format="duration"),
    UUID: Scalar("uuid", UUID, _uuid, type="string", format="uuid"),
    Decimal: Scalar("decimal", Decimal, _decimal, anyOf=_MAYBE_NUMBER),
    Path: Scalar("path", type(Path()), _path, type="string", format="path"),
}


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


__all__ = ["Called", "Choice", "Instance", "Kind", "Member", "Misfit", "SCALARS", "Scalar", "dump", "type_name"]
