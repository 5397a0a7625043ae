"""What single values are made of: how they are checked, shown and described."""

import enum
import inspect
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

from . import _convert as convert
from ._dump import dump
from ._errors import Misfit, PydanticInvalidForJsonSchema, misfit


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

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
        return {}


class Scalar(Kind):
    """A value of one class."""

    def __init__(self, label: str, cls: type, check: Callable[[Any, bool], Any], **schema: Any) -> None:
        self.label, self.cls, self._check, self._schema = label, cls, check, schema

    def check(self, value: Any, json: bool) -> Any:
        return value if type(value) is self.cls else self._check(value, json)

    def exact(self, value: Any) -> bool:
        return type(value) is self.cls

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
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

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
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

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
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
        _too_long(value, self.values)
        said = _listed([repr(it.value) if isinstance(it, enum.Enum) else repr(it) for it in self.values])
        raise misfit("literal_error", f"Input should be {said}", value, {"expected": said})

    def exact(self, value: Any) -> bool:
        return any(one == value and type(one) is type(value) for one in self.values)

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
        values = [dump(it, True) for it in self.values]
        names = {type_name(it) for it in values}
        said: dict[str, Any] = {"const": values[0]} if len(values) == 1 else {"enum": values}
        if len(names) == 1 and None not in names:
            said["type"] = names.pop()
        return said


class Member(Kind):
    """A member of an enumeration."""

    def __init__(self, cls: type[enum.Enum], values: bool) -> None:
        base = next((f"{base.__name__}-" for base in (int, float, str) if issubclass(cls, base)), "")
        self.cls, self.values, self.label = cls, values, f"{base}enum[{cls.__name__}]"

    def check(self, value: Any, json: bool) -> Any:
        if not isinstance(value, self.cls):
            try:
                value = self.cls(_plainer(self.cls, value))
            except (ValueError, TypeError):
                _too_long(value, [it.value for it in self.cls])
                said = _listed([repr(it.value) for it in self.cls])
                raise misfit("enum", f"Input should be {said}", value, {"expected": said}) from None
        return value.value if self.values else value

    def exact(self, value: Any) -> bool:
        return isinstance(value, self.cls)

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
        values = [dump(it.value, True) for it in self.cls]
        said: dict[str, Any] = {"title": self.cls.__name__}
        said |= {"const": values[0]} if len(values) == 1 else {"enum": values}
        names = {type_name(it) for it in values}
        if len(names) == 1 and None not in names:
            said["type"] = names.pop()
        own = self.cls.__doc__
        if own and own != "An enumeration." and own != enum.Enum.__doc__ and not own.startswith("int("):
            said["description"] = inspect.cleandoc(own)
        definitions.setdefault(self.cls, said)
        return {"$ref": self.cls}


def _plainer(cls: type, value: Any) -> Any:
    """What a value is to an enumeration of numbers or texts."""
    for base in (int, float, str):
        if issubclass(cls, base):
            try:
                return SCALARS[base].check(value, False)
            except Misfit:
                return value
    return value


def type_name(value: Any) -> str | None:
    """The type of a plain value, as JSON Schema calls it."""
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object", type(None): "null"}
    return names.get(type(value))


def _too_long(value: Any, values: Any) -> None:
    """Refuses an integer that could be none of those that it is compared with."""
    if convert.is_long(value) and any(type(it) is int for it in values):
        raise misfit("int_parsing_size", "Unable to parse input string as an integer, exceeded maximum size", value)


def _listed(said: list[str]) -> str:
    return said[0] if len(said) == 1 else f"{', '.join(said[:-1])} or {said[-1]}"


NOTHING = Scalar("none", type(None), convert.to_nothing, type="null")
_MAYBE_NUMBER = [{"type": "number"}, {"pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$", "type": "string"}]
SCALARS: dict[Any, Scalar] = {
    str: Scalar("str", str, convert.to_text, type="string"),
    int: Scalar("int", int, convert.to_integer, type="integer"),
    float: Scalar("float", float, convert.to_number, type="number"),
    bool: Scalar("bool", bool, convert.to_boolean, type="boolean"),
    bytes: Scalar("bytes", bytes, convert.to_bytes, type="string", format="binary"),
    type(None): NOTHING,
    None: NOTHING,
    datetime: Scalar("datetime", datetime, convert.to_datetime, type="string", format="date-time"),
    date: Scalar("date", date, convert.to_date, type="string", format="date"),
    time: Scalar("time", time, convert.to_time, type="string", format="time"),
    timedelta: Scalar("timedelta", timedelta, convert.to_duration, type="string", format="duration"),
    UUID: Scalar("uuid", UUID, convert.to_uuid, type="string", format="uuid"),
    Decimal: Scalar("decimal", Decimal, convert.to_decimal, anyOf=_MAYBE_NUMBER),
    Path: Scalar("path", type(Path()), convert.to_path, type="string", format="path"),
}
