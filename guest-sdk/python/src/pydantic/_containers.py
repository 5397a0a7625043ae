"""What values of several parts are made of."""

from collections import deque
from collections.abc import Mapping
from typing import Any

from ._dump import dump
from ._errors import Misfit, misfit, placed
from ._scalars import NOTHING, Kind


class Many(Kind):
    """A list, a set, or a tuple of any length."""

    _WORDS = {list: ("list_type", "list", "array"), set: ("set_type", "set", "array"), frozenset: ("frozen_set_type", "frozenset", "array"), tuple: ("tuple_type", "tuple", "array")}

    def __init__(self, cls: type, item: Kind, min_length: int | None = None, max_length: int | None = None) -> None:
        self.cls, self.item, self.min_length, self.max_length = cls, item, min_length, max_length
        self.label = f"{cls.__name__}[{item.label}{', ...' if cls is tuple else ''}]"

    def check(self, value: Any, json: bool) -> Any:
        iterates = isinstance(value, (list, tuple, set, frozenset, deque)) or (
            not isinstance(value, (str, bytes, bytearray, dict, Mapping)) and (hasattr(value, "__next__") or type(value).__name__.startswith("dict_") or isinstance(value, range))
        )
        if not iterates or json and not isinstance(value, list):
            kind, name, wire = self._WORDS[self.cls]
            raise misfit(kind, f"Input should be a valid {wire if json else name}", value)
        checked, issues = [], []
        for place, item in enumerate(value):
            try:
                checked.append(self.item.check(item, json))
            except Misfit as error:
                issues += placed(error.issues, place)
        if issues:
            raise Misfit(issues)
        try:
            return checked if self.cls is list else self.cls(checked)
        except TypeError:
            raise misfit("set_item_not_hashable", "Set items should be hashable", value) from None

    def exact(self, value: Any) -> bool:
        return type(value) is self.cls and all(self.item.exact(it) for it in value)

    def dump(self, value: Any, json: bool) -> Any:
        if type(value) is not self.cls:
            return dump(value, json)
        listed = [self.item.dump(it, json) for it in value]
        return listed if json or self.cls is list else self.cls(listed)

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
        said = {"items": self.item.schema(definitions), "type": "array"}
        if self.cls in (set, frozenset):
            said["uniqueItems"] = True
        return said


class Fixed(Kind):
    """A tuple whose parts have a kind each."""

    def __init__(self, items: list[Kind]) -> None:
        self.items = items
        self.label = f"tuple[{', '.join(it.label for it in items)}]"

    def check(self, value: Any, json: bool) -> Any:
        if not isinstance(value, (list, tuple, set, frozenset, deque)) or json and not isinstance(value, list):
            raise misfit("tuple_type", "Input should be a valid " + ("array" if json else "tuple"), value)
        values, issues, checked = list(value), [], []
        if len(values) > len(self.items):
            raise misfit(
                "too_long",
                f"Tuple should have at most {len(self.items)} item{'s' if len(self.items) != 1 else ''} after validation, not {len(values)}",
                value,
            )
        for place, item in enumerate(self.items):
            if place >= len(values):
                issues += placed(misfit("missing", "Field required", value).issues, place)
                continue
            try:
                checked.append(item.check(values[place], json))
            except Misfit as error:
                issues += placed(error.issues, place)
        if issues:
            raise Misfit(issues)
        return tuple(checked)

    def exact(self, value: Any) -> bool:
        return type(value) is tuple and len(value) == len(self.items) and all(a.exact(b) for a, b in zip(self.items, value))

    def dump(self, value: Any, json: bool) -> Any:
        if type(value) is not tuple or len(value) != len(self.items):
            return dump(value, json)
        listed = [kind.dump(it, json) for kind, it in zip(self.items, value)]
        return listed if json else tuple(listed)

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
        count = len(self.items)
        said: dict[str, Any] = {"maxItems": count, "minItems": count, "type": "array"}
        if count:
            said["prefixItems"] = [it.schema(definitions) for it in self.items]
        return said


class Keyed(Kind):
    """A dictionary."""

    def __init__(self, key: Kind, item: Kind, bare: bool = False) -> None:
        self.key, self.item, self.bare = key, item, bare
        self.label = f"dict[{key.label},{item.label}]"

    def check(self, value: Any, json: bool) -> Any:
        if not isinstance(value, (dict, Mapping)):
            raise misfit("dict_type", "Input should be " + ("an object" if json else "a valid dictionary"), value)
        checked, issues = {}, []
        for key, item in value.items():
            try:
                key = self.key.check(key, json)
            except Misfit as error:
                issues += placed(error.issues, key, "[key]")
            try:
                checked[key] = self.item.check(item, json)
            except Misfit as error:
                issues += placed(error.issues, key)
        if issues:
            raise Misfit(issues)
        return checked

    def exact(self, value: Any) -> bool:
        return type(value) is dict and all(self.key.exact(key) and self.item.exact(it) for key, it in value.items())

    def dump(self, value: Any, json: bool) -> Any:
        if type(value) is not dict:
            return dump(value, json)
        plain = dump(dict.fromkeys(value), json) if json else value
        return {key: self.item.dump(it, json) for key, it in zip(plain, value.values())}

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
        said: dict[str, Any] = {"type": "object", "additionalProperties": self.item.schema(definitions) or True}
        if self.key.label in ("int", "float", "bool"):
            pass
        return said


class Either(Kind):
    """A value of one of several kinds: of the one that it is exactly, else of the first that takes it."""

    def __init__(self, kinds: list[Kind]) -> None:
        self.kinds = kinds
        self.label = f"union[{','.join(it.label for it in kinds)}]"
        self.nullable = [it for it in kinds if it is not NOTHING]
        self.single = self.nullable[0] if len(self.nullable) == 1 and len(kinds) == 2 else None

    def check(self, value: Any, json: bool) -> Any:
        if self.single is not None:
            return None if value is None else self.single.check(value, json)
        if value is None and NOTHING in self.kinds:
            return None
        # JSON has no bytes: a text is exactly what they are in it.
        exact = [kind for kind in self.kinds if kind.exact(value) or json and kind.label == "bytes" and isinstance(value, str)]
        if not exact and type(value) is int:
            # An integer is a number sooner than it is made into anything else.
            exact = [kind for kind in self.kinds if kind.label == "float"]
        taken, issues = [], []
        for kind in exact or self.nullable:
            try:
                checked = kind.check(value, json)
            except Misfit as error:
                issues += placed(error.issues, kind.label)
                continue
            taken.append((len(getattr(checked, "__pydantic_fields_set__", ())), checked))
        if not taken and exact:
            for kind in self.nullable:
                try:
                    return kind.check(value, json)
                except Misfit:
                    continue
        if not taken:
            raise Misfit(issues)
        if isinstance(value, dict):
            return max(taken, key=lambda it: it[0])[1]
        return taken[0][1]

    def exact(self, value: Any) -> bool:
        return any(kind.exact(value) for kind in self.kinds)

    def dump(self, value: Any, json: bool) -> Any:
        if value is None:
            return None
        for kind in self.nullable:
            if kind.exact(value):
                return kind.dump(value, json)
        return dump(value, json)

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
        schemas: list[Any] = []
        for kind in [*self.nullable, *(it for it in self.kinds if it is NOTHING)]:
            schema = kind.schema(definitions)
            if schema not in schemas:
                schemas.append(schema)
        return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
