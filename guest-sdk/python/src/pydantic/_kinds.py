"""From a type annotation to the kind of values that it means."""

import collections
import collections.abc as abc
import dataclasses
import enum
import types
import typing
from typing import Annotated, Any, ClassVar, Literal, TypeVar, Union, get_args, get_origin

from ._absent import refuse_annotation
from ._containers import Either, Fixed, Keyed, Many
from ._dump import dump
from ._errors import Misfit, PydanticSchemaGenerationError, misfit, placed
from ._fields import FieldInfo
from ._functions import reading_again
from ._limits import limited
from ._scalars import SCALARS, Called, Choice, Instance, Kind, Member

ANY = Kind()
_LISTS = {list: list, abc.Sequence: list, abc.MutableSequence: list, abc.Iterable: list, abc.Collection: list}
_SETS = {set: set, abc.Set: set, abc.MutableSet: set, frozenset: frozenset}
_DICTS = (dict, abc.Mapping, abc.MutableMapping, collections.defaultdict, collections.OrderedDict)


def kind_of(annotation: Any, config: dict[str, Any]) -> Kind:
    """The kind of values of a type; a `PydanticSchemaGenerationError` where there is none."""
    if annotation is Any or annotation is object or isinstance(annotation, TypeVar):
        return _bound(annotation, config)
    if isinstance(annotation, typing.TypeAliasType) if hasattr(typing, "TypeAliasType") else False:
        return kind_of(annotation.__value__, config)
    origin = get_origin(annotation)
    if origin is not None:
        return _generic(annotation, origin, get_args(annotation), config)
    if getattr(annotation, "__supertype__", None) is not None:
        return kind_of(annotation.__supertype__, config)
    try:
        if annotation in SCALARS:
            return SCALARS[annotation]
    except TypeError:
        pass
    if not isinstance(annotation, type):
        if annotation in (typing.Callable, abc.Callable):
            return Called()
        raise _unknown(annotation)
    return _class(annotation, config)


def _bound(annotation: Any, config: dict[str, Any]) -> Kind:
    bound = getattr(annotation, "__bound__", None)
    return ANY if bound is None else kind_of(bound, config)


def _generic(annotation: Any, origin: Any, given: tuple[Any, ...], config: dict[str, Any]) -> Kind:
    if origin is Annotated:
        for other in given[1:]:
            refuse_annotation(other)
        said = [it for it in given[1:] if isinstance(it, FieldInfo)]
        kind = kind_of(given[0], config)
        for info in said:
            kind = limited(kind, info.constraints)
        for other in given[1:]:
            if hasattr(other, "func") and getattr(other, "mode", None) in ("before", "after", "plain", "wrap"):
                kind = Through(kind, other.mode, other.func)
        return kind
    if origin in (Union, types.UnionType):
        return Either([kind_of(it, config) for it in given])
    if origin is Literal:
        return Choice(tuple(_flat(given)))
    if origin in (ClassVar, typing.Final, getattr(typing, "Required", None), getattr(typing, "NotRequired", None)):
        return kind_of(given[0], config)
    if origin is tuple:
        if len(given) == 2 and given[1] is Ellipsis:
            return Many(tuple, kind_of(given[0], config))
        return Fixed([kind_of(it, config) for it in given if it != ()])
    if origin in _LISTS:
        return Many(list, kind_of(given[0], config))
    if origin in _SETS:
        return Many(_SETS[origin], kind_of(given[0], config))
    if origin in _DICTS:
        return Keyed(kind_of(given[0], config), kind_of(given[1], config))
    if origin is collections.Counter:
        return Keyed(kind_of(given[0], config), SCALARS[int])
    if origin is type:
        return OfType(given[0])
    if origin is abc.Callable:
        return Called()
    if isinstance(origin, type):
        return _class(origin, config)
    raise _unknown(annotation)


def _flat(values: tuple[Any, ...]) -> list[Any]:
    found = []
    for value in values:
        found += _flat(get_args(value)) if get_origin(value) is Literal else [value]
    return found


def _class(cls: type, config: dict[str, Any]) -> Kind:
    own = getattr(cls, "__pydantic_kind__", None)
    if own is not None:
        return own()
    if issubclass(cls, enum.Enum):
        return Member(cls, bool(config.get("use_enum_values")))
    if cls in _LISTS or cls is tuple:
        return Many(_LISTS.get(cls, tuple), ANY)
    if cls in _SETS:
        return Many(_SETS[cls], ANY)
    if cls in _DICTS:
        return Keyed(ANY, ANY, bare=True)
    if cls is type:
        return OfType(object)
    if cls is abc.Callable:
        return Called()
    if typing.is_typeddict(cls):
        return Named(cls, _hints(cls), config)
    if dataclasses.is_dataclass(cls):
        return Named(cls, _hints(cls), config)
    if issubclass(cls, tuple) and hasattr(cls, "_fields"):
        return Named(cls, {name: _hints(cls).get(name, Any) for name in cls._fields}, config)
    if config.get("arbitrary_types_allowed"):
        return Instance(cls)
    raise _unknown(cls)


def _hints(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls, include_extras=True)


def _unknown(annotation: Any) -> PydanticSchemaGenerationError:
    return PydanticSchemaGenerationError(
        f"Unable to generate pydantic-core schema for {annotation!r}. Set `arbitrary_types_allowed=True` in the model_config "
        "to ignore this error or implement `__get_pydantic_core_schema__` on your type to fully support it."
    )


class OfType(Kind):
    """A class."""

    def __init__(self, base: Any) -> None:
        self.base, self.label = base, "type"

    def check(self, value: Any, json: bool) -> Any:
        if not isinstance(value, type):
            raise misfit("is_type", "Input should be a type", value)
        if isinstance(self.base, type) and not issubclass(value, self.base):
            name = self.base.__name__
            raise misfit("is_subclass_of", f"Input should be a subclass of {name}", value, {"class": name})
        return value


class Named(Kind):
    """A dataclass, a typed dictionary or a named tuple."""

    def __init__(self, cls: type, hints: dict[str, Any], config: dict[str, Any]) -> None:
        self.cls, self.label, self.hints, self.config = cls, cls.__name__, hints, config
        self._kinds: dict[str, Kind] | None = None

    @property
    def kinds(self) -> dict[str, Kind]:
        if self._kinds is None:
            self._kinds = {name: kind_of(hint, self.config) for name, hint in self.hints.items()}
        return self._kinds

    def _required(self, name: str) -> bool:
        if typing.is_typeddict(self.cls):
            return name in self.cls.__required_keys__
        if dataclasses.is_dataclass(self.cls):
            field = self.cls.__dataclass_fields__[name]
            return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        return name not in self.cls._field_defaults

    def check(self, value: Any, json: bool) -> Any:
        if dataclasses.is_dataclass(self.cls) and isinstance(value, self.cls):
            return value
        if hasattr(self.cls, "_fields") and isinstance(value, (list, tuple)):
            value = dict(zip(self.cls._fields, value))
        if not isinstance(value, dict):
            raise misfit("dataclass_type", f"Input should be a dictionary or an instance of {self.label}", value)
        checked, issues = {}, []
        for name, kind in self.kinds.items():
            if name not in value:
                if self._required(name):
                    issues += placed(misfit("missing", "Field required", value).issues, name)
                continue
            try:
                checked[name] = kind.check(value[name], json)
            except Misfit as error:
                issues += placed(error.issues, name)
        if issues:
            raise Misfit(issues)
        return checked if typing.is_typeddict(self.cls) else self.cls(**checked)

    def exact(self, value: Any) -> bool:
        return type(value) is self.cls

    def dump(self, value: Any, json: bool) -> Any:
        if isinstance(value, dict):
            return {name: self.kinds[name].dump(it, json) if name in self.kinds else dump(it, json) for name, it in value.items()}
        return dump(value, json)

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
        if self.cls not in definitions:
            definitions[self.cls] = {}
            fields = {name: {**kind.schema(definitions)} for name, kind in self.kinds.items()}
            for name, field in fields.items():
                if "$ref" not in field:
                    field["title"] = title(name)
            said: dict[str, Any] = {"properties": fields, "title": self.label, "type": "object"}
            required = [name for name in self.kinds if self._required(name)]
            if required:
                said["required"] = required
            definitions[self.cls] = said
        return {"$ref": self.cls}


class Through(Kind):
    """A kind with a function before it, after it or around it."""

    def __init__(self, inner: Kind, mode: str, function: Any) -> None:
        self.inner, self.mode, self.function, self.label = inner, mode, function, inner.label

    def check(self, value: Any, json: bool) -> Any:
        if reading_again[0] and self.mode != "plain":
            return self.inner.check(value, json)
        try:
            if self.mode == "before":
                return self.inner.check(self.function(value), json)
            if self.mode == "after":
                return self.function(self.inner.check(value, json))
            if self.mode == "plain":
                return self.function(value)
            return self.function(value, lambda it: self.inner.check(it, json))
        except (ValueError, AssertionError) as error:
            if isinstance(error, Misfit):
                raise
            raise said(error, value) from error

    def exact(self, value: Any) -> bool:
        return False

    def dump(self, value: Any, json: bool) -> Any:
        return self.inner.dump(value, json)

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
        return self.inner.schema(definitions)


def said(error: Exception, value: Any) -> Misfit:
    """The misfit that a validator's own error means."""
    if isinstance(error, AssertionError):
        return misfit("assertion_error", f"Assertion failed, {error}", value, {"error": error})
    return misfit("value_error", f"Value error, {error}", value, {"error": error})


def title(name: str) -> str:
    """A field's name as a title."""
    return name.title().replace("_", " ").strip()
