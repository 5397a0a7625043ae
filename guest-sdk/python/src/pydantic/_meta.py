"""How a class becomes a model."""

import inspect
import sys
from types import FunctionType
from typing import Any

from . import _annotations
from ._absent import refuse_of_model
from ._errors import PydanticUserError
from ._fields import FieldInfo, ModelPrivateAttr, PydanticUndefined
from ._functions import Hook, hooks_of

_NO_ATTRIBUTES = (FunctionType, property, classmethod, staticmethod, type, Hook)


class ModelMetaclass(type):
    """Makes a model of a class: its fields, its private attributes, what is said of it."""

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **said: Any) -> type:
        if not bases:
            return super().__new__(mcs, name, bases, namespace)
        if "Config" in namespace:
            _refuse_old_config(namespace)
        config: dict[str, Any] = {}
        for base in reversed(bases):
            config |= getattr(base, "model_config", {})
        config |= namespace.get("model_config", {}) | {key: value for key, value in said.items() if key not in ("metaclass",)}
        refuse_of_model(config)
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
        _check_names(cls, hooks)
        return cls

    def __getattr__(cls, name: str) -> Any:
        fields = cls.__dict__.get("__pydantic_fields__", {})
        raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'" if name not in fields else name)

    @property
    def model_fields(cls) -> dict[str, FieldInfo]:
        from ._resolved import resolved

        try:
            return resolved(cls)
        except PydanticUserError:
            return cls.__pydantic_fields__

    @property
    def __pydantic_core_schema__(cls) -> dict[str, Any]:
        from ._schema import core

        return core(cls)

    @property
    def __signature__(cls) -> inspect.Signature:
        parameters = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=inspect.Parameter.empty if info.is_required() else info.default, annotation=info.annotation)
            for name, info in cls.__pydantic_fields__.items()
        ]
        return inspect.Signature(parameters)


def _check_names(cls: type, hooks: dict[str, Hook]) -> None:
    """Functions that check fields that are not there."""
    known = {"*", *cls.__pydantic_fields__, *(it.fields[0] for it in cls.__pydantic_hooks__.of("computed"))}
    for key, hook in hooks.items():
        lacking = [it for it in hook.fields if it not in known]
        if lacking and hook.what in ("field_validator", "field_serializer") and hook.check_fields is not False:
            message = f"Decorators defined with incorrect fields: {cls.__module__}.{cls.__qualname__}.{key} (use check_fields=False if you're inheriting from the model and intended this)"
            raise PydanticUserError(message, code="decorator-missing-field")


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
        fields[name] = with_annotated(info, annotation)
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
    cls.__pydantic_own__ = dict(fields)
    cls.__pydantic_kinds__, cls.__pydantic_resolved__ = None, False
    cls.__pydantic_origin__, cls.__pydantic_made__ = None, {}


def with_annotated(info: FieldInfo, annotation: Any) -> FieldInfo:
    """What `Annotated` says of a field, where nothing else does."""
    for said in getattr(annotation, "__metadata__", ()):
        if isinstance(said, FieldInfo):
            for key, value in vars(said).items():
                if key == "constraints" or value is PydanticUndefined or value is None and key != "default":
                    continue
                if key == "default" and info.default is not PydanticUndefined:
                    continue
                if getattr(info, key, None) in (None, PydanticUndefined) and not (key == "default" and info.default_factory):
                    setattr(info, key, value)
    return info
