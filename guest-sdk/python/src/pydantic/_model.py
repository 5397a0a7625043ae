"""Models: classes whose fields are checked."""

import inspect
import json as json_text
import sys
from copy import copy, deepcopy
from types import FunctionType
from typing import Any, TypeVar

from . import _annotations, _schema
from ._errors import Misfit, PydanticUndefinedAnnotation, PydanticUserError, ValidationError, misfit, placed
from ._fields import FieldInfo, ModelPrivateAttr, PydanticUndefined
from ._functions import Hook, checked_by, hooks_of, rechecked
from ._kinds import kind_of, limited
from ._scalars import Instance, Kind, dump
from ._serialize import fields_of, plain

Self = TypeVar("Self", bound="BaseModel")
_NO_ATTRIBUTES = (FunctionType, property, classmethod, staticmethod, type, Hook)


class ModelMetaclass(type):
    """Makes a model of a class: its fields, its private attributes, what is said of it."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **said: Any) -> type:
        if namespace.get("__module__") == __name__ and name == "BaseModel":
            return super().__new__(mcs, name, bases, namespace)
        if "Config" in namespace:
            _refuse_old_config(namespace)
        config: dict[str, Any] = {}
        for base in reversed(bases):
            config |= getattr(base, "model_config", {})
        config |= namespace.get("model_config", {}) | {key: value for key, value in said.items() if key not in ("metaclass",)}
        namespace["model_config"] = config
        private = {}
        for base in reversed(bases):
            private |= getattr(base, "__private_attributes__", {})
        hooks = {key: value for key, value in namespace.items() if isinstance(value, Hook)}
        namespace |= {key: hook.function for key, hook in hooks.items() if hook.replaces}
        for key in [key for key in namespace if key.startswith("_") and not key.startswith("__")]:
            value = namespace[key]
            if isinstance(value, ModelPrivateAttr) or not isinstance(value, _NO_ATTRIBUTES):
                del namespace[key]
                private[key] = value if isinstance(value, ModelPrivateAttr) else ModelPrivateAttr(value)
        namespace["__private_attributes__"] = private
        namespace.setdefault("__slots__", ())
        if namespace["__slots__"] == ():
            del namespace["__slots__"]
        cls = super().__new__(mcs, name, bases, namespace)
        cls.__pydantic_hooks__ = hooks_of(cls, hooks)
        frame = sys._getframe(1)
        cls.__pydantic_local__ = dict(frame.f_locals) if "<locals>" in cls.__qualname__ else {}
        _collect(cls, namespace, private)
        return cls

    def __getattr__(cls, name: str) -> Any:
        fields = cls.__dict__.get("__pydantic_fields__", {})
        raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'" if name not in fields else name)

    @property
    def model_fields(cls) -> dict[str, FieldInfo]:
        return cls.__pydantic_fields__

    @property
    def __signature__(cls) -> inspect.Signature:
        parameters = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=inspect.Parameter.empty if info.is_required() else info.default, annotation=info.annotation)
            for name, info in cls.__pydantic_fields__.items()
        ]
        return inspect.Signature(parameters)


def _refuse_old_config(namespace: dict[str, Any]) -> None:
    config = {key: value for key, value in vars(namespace.pop("Config")).items() if not key.startswith("__")}
    namespace["model_config"] = config | namespace.get("model_config", {})


def _collect(cls: type, namespace: dict[str, Any], private: dict[str, ModelPrivateAttr]) -> None:
    """Finds the fields of a class: those of its bases, then its own."""
    fields: dict[str, FieldInfo] = {}
    for base in reversed(cls.__mro__[1:]):
        fields |= base.__dict__.get("__pydantic_fields__", {})
    annotations = _annotations.own(cls, namespace)
    for name, annotation in annotations.items():
        if name == "model_config" or _annotations.is_class_variable(annotation):
            continue
        if name.startswith("_"):
            private.setdefault(name, ModelPrivateAttr())
            continue
        default = namespace.get(name, PydanticUndefined)
        if name in namespace:
            type.__delattr__(cls, name)
        info = default.of(annotation) if isinstance(default, FieldInfo) else FieldInfo(default, annotation=annotation)
        fields[name] = _with_annotated(info, annotation)
    for name, value in namespace.items():
        if name in fields and name not in annotations and not isinstance(value, _NO_ATTRIBUTES):
            raise PydanticUserError(f"Field {name!r} defined on a base class was overridden by a non-annotated attribute. All field definitions, including overrides, require a type annotation.", code="model-field-overridden")
        if isinstance(value, FieldInfo) and name not in annotations:
            raise PydanticUserError(f"A non-annotated attribute was detected: `{name} = {value!r}`. All model fields require a type annotation", code="model-field-missing-annotation")
        public = not name.startswith("_") and name not in annotations and name != "model_config"
        if public and not isinstance(value, _NO_ATTRIBUTES) and not hasattr(value, "__get__"):
            raise PydanticUserError(
                f"A non-annotated attribute was detected: `{name} = {value!r}`. All model fields require a type annotation; "
                f"if `{name}` is not meant to be a field, you may be able to resolve this error by annotating it as a `ClassVar` "
                "or updating `model_config['ignored_types']`.",
                code="model-field-missing-annotation",
            )
    cls.__pydantic_fields__ = fields
    cls.__pydantic_kinds__ = None


def _with_annotated(info: FieldInfo, annotation: Any) -> FieldInfo:
    """What `Annotated` says of a field, where nothing else does."""
    for said in getattr(annotation, "__metadata__", ()):
        if isinstance(said, FieldInfo):
            for key, value in vars(said).items():
                if key == "constraints" or value is None or value is PydanticUndefined:
                    continue
                if getattr(info, key, None) in (None, PydanticUndefined) and not (key == "default" and info.default_factory):
                    setattr(info, key, value)
    return info


class BaseModel(metaclass=ModelMetaclass):
    """A class whose fields are checked when it is made."""

    __slots__ = ("__dict__", "__pydantic_fields_set__", "__pydantic_private__", "__pydantic_extra__")
    model_config: Any = {}
    __pydantic_fields__: Any = {}
    __private_attributes__: Any = {}
    __pydantic_hooks__: Any = ()
    __pydantic_kinds__: Any = None

    def __init__(self, /, **data: Any) -> None:
        cls = type(self)
        try:
            _fill(self, data, False)
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
            for name, info in cls.__pydantic_fields__.items():
                if _annotations.needs_resolving(info.annotation):
                    owner = next(base for base in cls.__mro__ if base.__dict__.get("__pydantic_fields__", {}).get(name) is info)
                    owner = [base for base in cls.__mro__ if base.__dict__.get("__pydantic_fields__", {}).get(name) is info][-1] or owner
                    try:
                        info.annotation = _annotations.resolve(info.annotation, owner, owner.__pydantic_local__)
                    except NameError as error:
                        raise PydanticUndefinedAnnotation(
                            f"`{cls.__name__}` is not fully defined; you should define {error.name!r}, then call `{cls.__name__}.model_rebuild()`.",
                            code="class-not-fully-defined",
                        ) from None
                    _with_annotated(info, info.annotation)
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
        _set(made, known, set(_fields_set if _fields_set is not None else values))
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
        return json_text.dumps(shown, indent=indent, separators=separators, ensure_ascii=ensure_ascii)

    def model_copy(self: Self, *, update: dict[str, Any] | None = None, deep: bool = False) -> Self:
        copied = deepcopy(self) if deep else copy(self)
        if update:
            self.__dict__  # noqa: B018
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
            self.__pydantic_private__[name] = value
        elif name in cls.__pydantic_fields__:
            if cls.model_config.get("frozen") or cls.__pydantic_fields__[name].frozen:
                raise ValidationError(cls.__name__, placed(misfit("frozen_instance", "Instance is frozen", value).issues, name))
            if cls.model_config.get("validate_assignment"):
                value = _assigned(cls, name, value)
            self.__dict__[name] = value
            self.__pydantic_fields_set__.add(name)
            rechecked(self)
        elif isinstance(getattr(cls, name, None), property) or name in BaseModel.__slots__:
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
        if type(self) is not type(other) or self.__dict__ != other.__dict__:
            return False
        return self.__pydantic_private__ == other.__pydantic_private__ and self.__pydantic_extra__ == other.__pydantic_extra__

    def __hash__(self) -> int:
        if not type(self).model_config.get("frozen"):
            raise TypeError(f"unhashable type: {type(self).__name__!r}")
        return hash((type(self), *self.__dict__.values()))

    def __copy__(self: Self) -> Self:
        made = type(self).__new__(type(self))
        _set(made, dict(self.__dict__), set(self.__pydantic_fields_set__), copy(self.__pydantic_private__), copy(self.__pydantic_extra__))
        return made

    def __deepcopy__(self: Self, memo: dict[int, Any] | None = None) -> Self:
        made = type(self).__new__(type(self))
        _set(made, deepcopy(self.__dict__, memo), set(self.__pydantic_fields_set__), deepcopy(self.__pydantic_private__, memo), deepcopy(self.__pydantic_extra__, memo))
        return made

    def __getstate__(self) -> dict[str, Any]:
        return {"fields": self.__dict__, "set": self.__pydantic_fields_set__, "private": self.__pydantic_private__, "extra": self.__pydantic_extra__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        _set(self, state["fields"], state["set"], state["private"], state["extra"])

    def __iter__(self) -> Any:
        yield from self.__dict__.items()
        yield from (self.__pydantic_extra__ or {}).items()

    def __repr_args__(self) -> list[tuple[str, Any]]:
        shown = [(name, value) for name, value in self.__dict__.items() if name not in type(self).__pydantic_fields__ or type(self).__pydantic_fields__[name].repr]
        return shown + list((self.__pydantic_extra__ or {}).items())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self.__repr_args__())})"

    def __str__(self) -> str:
        return " ".join(f"{name}={value!r}" for name, value in self.__repr_args__())

    def __class_getitem__(cls, _: Any) -> type:
        return cls

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
    def schema(cls) -> "dict[str, Any]":
        return cls.model_json_schema()


def _set(model: BaseModel, fields: dict[str, Any], named: set[str], private: Any = PydanticUndefined, extra: Any = PydanticUndefined) -> None:
    cls = type(model)
    if private is PydanticUndefined:
        private = {name: it.get_default() for name, it in cls.__private_attributes__.items() if it.default is not PydanticUndefined or it.default_factory}
    if extra is PydanticUndefined:
        extra = {} if cls.model_config.get("extra") == "allow" else None
    object.__setattr__(model, "__dict__", fields)
    object.__setattr__(model, "__pydantic_fields_set__", named)
    object.__setattr__(model, "__pydantic_private__", private)
    object.__setattr__(model, "__pydantic_extra__", extra)


def _fill(model: BaseModel, data: dict[str, Any], json: bool) -> None:
    """Checks what is given, and sets it."""
    cls = type(model)
    hooks = cls.__pydantic_hooks__
    if hooks:
        data = hooks.before(cls, data)
    kinds = cls.__pydantic_ready__()
    fields: dict[str, Any] = {}
    named: set[str] = set()
    issues: list[dict[str, Any]] = []
    used = 0
    for name, info in cls.__pydantic_fields__.items():
        key = info.names_in or name
        if key not in data and key != name and (cls.model_config.get("populate_by_name") or cls.model_config.get("validate_by_name")):
            key = name
        if key in data:
            used += 1
            try:
                fields[name] = kinds[name].check(data[key], json)
                named.add(name)
            except Misfit as error:
                issues += placed(error.issues, key)
        elif info.is_required():
            issues += placed(misfit("missing", "Field required", data).issues, key)
        else:
            fields[name] = info.get_default(call_default_factory=True)
    extra: Any = None
    policy = cls.model_config.get("extra")
    if policy == "allow":
        extra = {key: value for key, value in data.items() if not _is_known(cls, key)}
    elif policy == "forbid" and used < len(data):
        for key in [key for key in data if not _is_known(cls, key)]:
            issues += placed(misfit("extra_forbidden", "Extra inputs are not permitted", data[key]).issues, key)
    if issues:
        raise Misfit(issues)
    _set(model, fields, named | set(extra or ()), extra=extra)
    if cls.model_post_init is not BaseModel.model_post_init:
        model.model_post_init(None)
    if hooks:
        hooks.after(model)


def _is_known(cls: type[BaseModel], key: str) -> bool:
    return any(key == name or key == info.names_in for name, info in cls.__pydantic_fields__.items())


def _assigned(cls: type[BaseModel], name: str, value: Any) -> Any:
    try:
        return cls.__pydantic_ready__()[name].check(value, False)
    except Misfit as error:
        raise ValidationError(cls.__name__, placed(error.issues, name)) from None


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
        _fill(made, value, json)
        return made

    def exact(self, value: Any) -> bool:
        return type(value) is self.cls

    def dump(self, value: Any, json: bool) -> Any:
        # Only what the declared class knows is shown of a subclass, unless that shows itself in its own way.
        if isinstance(value, self.cls) and type(value) is not self.cls and type(value).__pydantic_plain__ is BaseModel.__pydantic_plain__:
            return fields_of(value, self.cls, json, {})
        return dump(value, json)

    def schema(self, definitions: dict[str, Any]) -> dict[str, Any]:
        return _schema.reference(self.cls, definitions)
