"""What the fields of a model are of: annotations that were texts, and the types that a generic model is told."""

from typing import Any, get_args, get_origin

from . import _annotations
from ._errors import PydanticUndefinedAnnotation
from ._fields import FieldInfo
from ._meta import with_annotated


def resolved(cls: Any) -> dict[str, FieldInfo]:
    """The fields of a model, whose annotations are looked up when they are first needed."""
    fields = cls.__pydantic_fields__
    if cls.__dict__.get("__pydantic_resolved__"):
        return fields
    types = cls.__pydantic_types__
    for name, info in list(fields.items()):
        annotation = info.annotation
        if _annotations.needs_resolving(annotation):
            owner = [base for base in cls.__mro__ if base.__dict__.get("__pydantic_own__", {}).get(name) is info][-1]
            try:
                info.annotation = annotation = _annotations.resolve(annotation, owner, owner.__pydantic_local__)
            except NameError as error:
                raise PydanticUndefinedAnnotation(
                    f"`{cls.__name__}` is not fully defined; you should define {error.name!r}, then call `{cls.__name__}.model_rebuild()`.",
                    code="class-not-fully-defined",
                ) from None
            with_annotated(info, annotation)
        if types and (told := _told(annotation, types)) is not annotation:
            fields[name] = info.of(told)
    cls.__pydantic_resolved__ = True
    return fields


def of_types(cls: Any, given: Any) -> Any:
    """A generic model, of these types."""
    given = given if isinstance(given, tuple) else (given,)
    parameters = getattr(cls, "__parameters__", ())
    if not parameters or len(given) != len(parameters):
        return cls
    known = cls.__dict__.get("__pydantic_made__")
    if known is None:
        known = {}
        cls.__pydantic_made__ = known
    try:
        if given in known:
            return known[given]
    except TypeError:
        return cls
    name = f"{cls.__name__}[{', '.join(getattr(it, '__name__', repr(it)) for it in given)}]"
    made = type(cls)(name, (cls,), {"__module__": cls.__module__, "__qualname__": name, "__doc__": cls.__doc__})
    made.__pydantic_types__ = {**cls.__pydantic_types__, **dict(zip(parameters, given))}
    made.__parameters__ = tuple(dict.fromkeys(it for one in given for it in _parameters(one)))
    known[given] = made
    return made


def _parameters(annotation: Any) -> tuple[Any, ...]:
    return (annotation,) if hasattr(annotation, "__bound__") else tuple(getattr(annotation, "__parameters__", ()) or ())


def _told(annotation: Any, types: dict[Any, Any]) -> Any:
    """An annotation with types in the place of its parameters."""
    if hasattr(annotation, "__bound__"):
        return types.get(annotation, annotation)
    parameters = _parameters(annotation)
    if not any(it in types for it in parameters):
        return annotation
    if get_origin(annotation) is None and not get_args(annotation) and not isinstance(annotation, type):
        return annotation
    return annotation[tuple(types.get(it, it) for it in parameters)]
