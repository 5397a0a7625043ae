"""Models: classes whose fields are checked."""

import json as json_text
from copy import copy, deepcopy
from typing import Any, TypeVar

from . import _annotations, _schema
from ._dump import dump, finite
from ._errors import Misfit, ValidationError, misfit, placed
from ._fill import assigned, fill, set_fields
from ._functions import checked_by, rechecked
from ._kinds import kind_of
from ._limits import limited
from ._meta import ModelMetaclass
from ._resolved import of_types, resolved
from ._scalars import Instance, Kind
from ._serialize import fields_of, plain

Self = TypeVar("Self", bound="BaseModel")


class BaseModel(metaclass=ModelMetaclass):
    """A class whose fields are checked when it is made."""

    __slots__ = ("__dict__", "__pydantic_fields_set__", "__pydantic_private__", "__pydantic_extra__")
    model_config: Any = {}
    __pydantic_fields__: Any = {}
    __private_attributes__: Any = {}
    __pydantic_hooks__: Any = ()
    __pydantic_kinds__: Any = None
    #: Which generic model it is of, and what that was told, by parameter.
    __pydantic_origin__: Any = None
    __pydantic_types__: Any = {}

    def __init__(self, /, **data: Any) -> None:
        cls = type(self)
        try:
            fill(self, data, False)
        except Misfit as error:
            raise ValidationError(cls.model_config.get("title") or cls.__name__, error.issues) from None

    @classmethod
    def __pydantic_kind__(cls) -> Kind:
        return OfModel(cls)

    @classmethod
    def __pydantic_ready__(cls) -> dict[str, Kind]:
        """The kinds of the fields; they are found when they are first needed."""
        kinds = cls.__dict__.get("__pydantic_kinds__")
        if kinds is None:
            kinds = {}
            for name, info in resolved(cls).items():
                kinds[name] = checked_by(cls, name, limited(kind_of(info.annotation, cls.model_config), info.constraints))
            cls.__pydantic_kinds__ = kinds
        return kinds

    def model_post_init(self, context: Any, /) -> None:
        """Called when all fields are set."""

    @classmethod
    def model_rebuild(cls, **_: Any) -> None:
        cls.__pydantic_kinds__ = None
        cls.__pydantic_ready__()

    @classmethod
    def model_validate(cls: type[Self], obj: Any, *, strict: bool | None = None, from_attributes: bool | None = None, context: Any = None, **_: Any) -> Self:
        if isinstance(obj, cls):
            return obj
        if from_attributes and not isinstance(obj, dict):
            obj = {name: getattr(obj, name) for name in cls.__pydantic_fields__ if hasattr(obj, name)}
        return cls.__pydantic_from__(obj, False)

    @classmethod
    def model_validate_json(cls: type[Self], json_data: str | bytes | bytearray, **_: Any) -> Self:
        try:
            data = json_text.loads(json_data)
        except ValueError as error:
            raise ValidationError(cls.__name__, misfit("json_invalid", f"Invalid JSON: {error}", json_data).issues) from None
        return cls.__pydantic_from__(data, True)

    @classmethod
    def __pydantic_from__(cls: type[Self], data: Any, json: bool) -> Self:
        try:
            return OfModel(cls).check(data, json)
        except Misfit as error:
            raise ValidationError(cls.model_config.get("title") or cls.__name__, error.issues) from None

    @classmethod
    def model_construct(cls: type[Self], _fields_set: set[str] | None = None, **values: Any) -> Self:
        made = cls.__new__(cls)
        known = {name: values[name] if name in values else info.get_default(call_default_factory=True) for name, info in cls.__pydantic_fields__.items() if name in values or not info.is_required()}
        set_fields(made, known, set(_fields_set if _fields_set is not None else values))
        return made

    def model_dump(self, *, mode: str = "python", **options: Any) -> dict[str, Any]:
        return self.__pydantic_plain__(mode == "json", plain(options))

    def __pydantic_plain__(self, json: bool, options: dict[str, Any]) -> dict[str, Any]:
        return fields_of(self, type(self), json, options)

    def __pydantic_dump__(self, json: bool) -> Any:
        return self.__pydantic_plain__(json, {})

    def model_dump_json(self, *, indent: int | None = None, ensure_ascii: bool = False, **options: Any) -> str:
        separators = (",", ":") if indent is None else (",", ": ")
        shown = self.__pydantic_plain__(True, plain(options))
        try:
            return json_text.dumps(shown, indent=indent, separators=separators, ensure_ascii=ensure_ascii, allow_nan=False)
        except ValueError:
            return json_text.dumps(finite(shown), indent=indent, separators=separators, ensure_ascii=ensure_ascii)

    def model_copy(self: Self, *, update: dict[str, Any] | None = None, deep: bool = False) -> Self:
        copied = deepcopy(self) if deep else copy(self)
        if update:
            copied.__dict__.update(update)
            copied.__pydantic_fields_set__.update(update)
        return copied

    @classmethod
    def model_json_schema(cls, by_alias: bool = True, mode: str = "validation", **_: Any) -> dict[str, Any]:
        return _schema.of(cls)

    @property
    def model_fields_set(self) -> set[str]:
        return self.__pydantic_fields_set__

    @property
    def model_extra(self) -> dict[str, Any] | None:
        return self.__pydantic_extra__

    def __getattr__(self, name: str) -> Any:
        cls = type(self)
        if name in cls.__private_attributes__:
            private = object.__getattribute__(self, "__pydantic_private__") or {}
            if name in private:
                return private[name]
        elif not name.startswith("__"):
            extra = object.__getattribute__(self, "__pydantic_extra__")
            if extra and name in extra:
                return extra[name]
        raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        cls = type(self)
        if name in cls.__private_attributes__:
            if self.__pydantic_private__ is None:
                object.__setattr__(self, "__pydantic_private__", {})
            self.__pydantic_private__[name] = value
        elif name in cls.__pydantic_fields__:
            if cls.model_config.get("frozen") or cls.__pydantic_fields__[name].frozen:
                raise ValidationError(cls.__name__, placed(misfit("frozen_instance", "Instance is frozen", value).issues, name))
            if cls.model_config.get("validate_assignment"):
                value = assigned(self, name, value)
            self.__dict__[name] = value
            self.__pydantic_fields_set__.add(name)
            rechecked(self)
        elif name.startswith("_") or isinstance(getattr(cls, name, None), property):
            object.__setattr__(self, name, value)
        elif cls.model_config.get("extra") == "allow":
            self.__pydantic_extra__[name] = value
        else:
            raise ValueError(f'"{cls.__name__}" object has no field "{name}"')

    def __delattr__(self, name: str) -> None:
        if name in type(self).__private_attributes__:
            del self.__pydantic_private__[name]
        else:
            object.__delattr__(self, name)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, BaseModel):
            return NotImplemented
        if type(self) is not type(other) or not _same(self, other):
            return False
        return self.__pydantic_private__ == other.__pydantic_private__ and self.__pydantic_extra__ == other.__pydantic_extra__

    def __hash__(self) -> int:
        if not type(self).model_config.get("frozen"):
            raise TypeError(f"unhashable type: {type(self).__name__!r}")
        return hash((type(self), *self.__dict__.values()))

    def __copy__(self: Self) -> Self:
        made = type(self).__new__(type(self))
        set_fields(made, dict(self.__dict__), set(self.__pydantic_fields_set__), copy(self.__pydantic_private__), copy(self.__pydantic_extra__))
        return made

    def __deepcopy__(self: Self, memo: dict[int, Any] | None = None) -> Self:
        made = type(self).__new__(type(self))
        set_fields(made, deepcopy(self.__dict__, memo), set(self.__pydantic_fields_set__), deepcopy(self.__pydantic_private__, memo), deepcopy(self.__pydantic_extra__, memo))
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {"fields": self.__dict__, "set": self.__pydantic_fields_set__, "private": self.__pydantic_private__, "extra": self.__pydantic_extra__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        set_fields(self, state["fields"], state["set"], state["private"], state["extra"])

    def __iter__(self) -> Any:
        # An instance may be given what is no field, under such a name.
        yield from ((name, value) for name, value in self.__dict__.items() if not name.startswith("_"))
        yield from (self.__pydantic_extra__ or {}).items()

    def __repr_args__(self) -> list[tuple[str, Any]]:
        fields = type(self).__pydantic_fields__
        shown = [(name, value) for name, value in self.__dict__.items() if (fields[name].repr if name in fields else not name.startswith("_"))]
        computed = [(it.fields[0], getattr(self, it.fields[0])) for it in type(self).__pydantic_hooks__.of("computed") if it.repr] if type(self).__pydantic_hooks__ else []
        return [*shown, *(self.__pydantic_extra__ or {}).items(), *computed]

    def __repr_name__(self) -> str:
        return type(self).__name__

    def __repr_str__(self, join: str) -> str:
        return join.join(f"{name}={value!r}" for name, value in self.__repr_args__())

    def __repr__(self) -> str:
        return f"{self.__repr_name__()}({self.__repr_str__(', ')})"

    def __str__(self) -> str:
        return self.__repr_str__(" ")

    def __class_getitem__(cls, given: Any) -> type:
        return of_types(cls, given)

    # The names of version 1, which version 2 still knows.
    def dict(self, **options: Any) -> "dict[str, Any]":
        return self.model_dump(**options)

    def json(self, **options: Any) -> str:
        return self.model_dump_json(**options)

    def copy(self: Self, *, update: "dict[str, Any] | None" = None, deep: bool = False) -> Self:
        return self.model_copy(update=update, deep=deep)

    @classmethod
    def parse_obj(cls: type[Self], obj: Any) -> Self:
        return cls.model_validate(obj)

    @classmethod
    def parse_raw(cls: type[Self], text: str | bytes) -> Self:
        return cls.model_validate_json(text)

    @classmethod
    def construct(cls: type[Self], _fields_set: set[str] | None = None, **values: Any) -> Self:
        return cls.model_construct(_fields_set, **values)

    @classmethod
    def schema(cls) -> "dict[str, Any]":
        return cls.model_json_schema()


def _same(one: BaseModel, other: BaseModel) -> bool:
    """Whether the fields are; what else an instance has been given does not count."""
    if one.__dict__ == other.__dict__:
        return True
    return all(one.__dict__.get(name) == other.__dict__.get(name) for name in type(one).__pydantic_fields__)


class OfModel(Instance):
    """A value that is a model, or is made one."""

    def __init__(self, cls: type[BaseModel]) -> None:
        super().__init__(cls, cls.__name__)

    def check(self, value: Any, json: bool) -> Any:
        if isinstance(value, self.cls):
            return value
        if type(self.cls).__call__ is not type.__call__:
            raise misfit("model_type", f"Input should be an instance of {self.label}", value)
        if not isinstance(value, dict):
            if self.cls.model_config.get("from_attributes") and not isinstance(value, (str, int, float, list, type(None))):
                value = {name: getattr(value, name) for name in self.cls.__pydantic_fields__ if hasattr(value, name)}
            else:
                name = "object" if json else f"valid dictionary or instance of {self.label}"
                raise misfit("model_type", f"Input should be a{'n' if json else ''} {name}", value, {"class_name": self.label})
        made = self.cls.__new__(self.cls)
        if self.cls.__init__ is not BaseModel.__init__:
            try:
                made.__init__(**value)
            except ValidationError as error:
                raise Misfit(error._issues) from None
            return made
        fill(made, value, json)
        return made

    def exact(self, value: Any) -> bool:
        return type(value) is self.cls

    def dump(self, value: Any, json: bool) -> Any:
        # Only what the declared class knows is shown of a subclass, unless that shows itself in its own way.
        if isinstance(value, self.cls) and type(value) is not self.cls and type(value).__pydantic_plain__ is BaseModel.__pydantic_plain__:
            return fields_of(value, self.cls, json, {})
        return dump(value, json)

    def schema(self, definitions: dict[type, Any]) -> dict[str, Any]:
        return _schema.reference(self.cls, definitions)
