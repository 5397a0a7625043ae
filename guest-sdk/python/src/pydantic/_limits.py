"""Limits of values: how large, how long, of what form."""

import re
from typing import Any

from ._containers import Either
from ._dump import dump
from ._errors import misfit
from ._fields import CONSTRAINTS
from ._scalars import Kind


class Limited(Kind):
    """A kind of which not all values are allowed."""

    def __init__(self, inner: Kind, constraints: dict[str, Any]) -> None:
        self.inner, self.constraints, self.label = inner, constraints, inner.label

    def check(self, value: Any, json: bool) -> Any:
        value = self.inner.check(value, json)
        for name, limit in self.constraints.items():
            refused = _LIMITS[name](value, limit)
            if refused:
                kind, message = refused
                raise misfit(kind, message, value, {name: limit})
        return value

    def exact(self, value: Any) -> bool:
        return self.inner.exact(value) and not any(_LIMITS[name](value, limit) for name, limit in self.constraints.items())

    def dump(self, value: Any, json: bool) -> Any:
        return self.inner.dump(value, json)

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
        schema = self.inner.schema(definitions)
        for name, limit in self.constraints.items():
            key = CONSTRAINTS[name]
            if name in ("min_length", "max_length"):
                suffix = {"array": "Items", "object": "Properties"}.get(schema.get("type", ""), "Length")
                key = name[:3] + suffix
            schema[key] = dump(limit, True)
        return schema


def limited(kind: Kind, constraints: dict[str, Any]) -> Kind:
    """A kind with limits; those of an optional value are of what it may be beside None."""
    if not constraints:
        return kind
    if isinstance(kind, Either) and kind.single is not None:
        return Either([it if it.label == "none" else Limited(it, constraints) for it in kind.kinds])
    return Limited(kind, constraints)


def _than(test: Any, kind: str, words: str) -> Any:
    return lambda value, limit: None if test(value, limit) else (kind, f"Input should be {words} {limit}")


def _length(test: Any, longest: bool) -> Any:
    def refuse(value: Any, limit: int) -> tuple[str, str] | None:
        if test(len(value), limit):
            return None
        ends = "s" if limit != 1 else ""
        bound = "at most" if longest else "at least"
        if isinstance(value, (str, bytes)):
            return f"string_too_{'long' if longest else 'short'}", f"String should have {bound} {limit} character{ends}"
        name = {dict: "Dictionary", list: "List", set: "Set", tuple: "Tuple", frozenset: "Frozenset"}.get(type(value), "Value")
        return f"too_{'long' if longest else 'short'}", f"{name} should have {bound} {limit} item{ends} after validation, not {len(value)}"

    return refuse


def _pattern(value: Any, limit: str) -> tuple[str, str] | None:
    # There, the end is that of the text, and not also before a last line feed.
    ends = limit.endswith("$") and (len(limit) - len(limit[:-1].rstrip("\\"))) % 2 == 1
    return None if re.search(limit[:-1] + r"\Z" if ends else limit, value) else ("string_pattern_mismatch", f"String should match pattern '{limit}'")


def _multiple(value: Any, of: Any) -> bool:
    """Whether it is one, as exactly as a double can be."""
    rest = abs(value % of)
    if not isinstance(value, float) and not isinstance(of, float):
        return rest == 0
    off = abs(value) / 1e9
    return rest <= off or abs(rest - of) <= off


_LIMITS = {
    "gt": _than(lambda value, limit: value > limit, "greater_than", "greater than"),
    "ge": _than(lambda value, limit: value >= limit, "greater_than_equal", "greater than or equal to"),
    "lt": _than(lambda value, limit: value < limit, "less_than", "less than"),
    "le": _than(lambda value, limit: value <= limit, "less_than_equal", "less than or equal to"),
    "multiple_of": _than(_multiple, "multiple_of", "a multiple of"),
    "min_length": _length(lambda length, limit: length >= limit, False),
    "max_length": _length(lambda length, limit: length <= limit, True),
    "pattern": _pattern,
}
