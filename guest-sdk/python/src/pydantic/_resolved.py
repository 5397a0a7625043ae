"""What the fields of a model are of: annotations that were texts, and the types that a generic model is told."""

from collections import abc
from types import UnionType
from typing import Annotated, Any, Callable, Literal, Union, get_args, get_origin

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
    if not parameters:
        raise TypeError(f"`{cls.__name__}` takes no types: a model does whose class derives from `Generic[…]` and is not told them yet")
    # The last ones may have defaults.
    defaults = tuple(it.__default__ for it in parameters[len(given) :] if hasattr(it, "has_default") and it.has_default())
    if len(given) + len(defaults) != len(parameters):
        raise TypeError(f"`{cls.__name__}` takes {len(parameters)} type(s), and is told {len(given)}")
    given += defaults
    origin = cls.__pydantic_origin__ or cls
    now = dict(zip(parameters, given))
    types = {it: _told(told, now) for it, told in cls.__pydantic_types__.items()}
    if cls is origin:
        types |= now
    key = tuple(types[it] for it in origin.__parameters__)
    if key == origin.__parameters__:
        return origin
    try:
        if key in origin.__pydantic_made__:
            return origin.__pydantic_made__[key]
    except TypeError:
        return origin
    name = f"{origin.__name__}[{', '.join(it.__name__ if isinstance(it, type) else repr(it) for it in key)}]"
    made = type(cls)(name, (origin,), {"__module__": origin.__module__, "__qualname__": name, "__doc__": origin.__doc__})
    made.__pydantic_origin__, made.__pydantic_types__ = origin, types
    made.__parameters__ = tuple(dict.fromkeys(it for one in key for it in _parameters(one)))
    origin.__pydantic_made__[key] = made
    return made


def _parameters(annotation: Any) -> tuple[Any, ...]:
    return (annotation,) if hasattr(annotation, "__bound__") else tuple(getattr(annotation, "__parameters__", ()) or ())


def _told(annotation: Any, types: dict[Any, Any]) -> Any:
    """An annotation with types in the place of its parameters; itself where it has none of them."""
    if hasattr(annotation, "__bound__"):
        return types.get(annotation, annotation)
    if isinstance(annotation, type) and hasattr(annotation, "__pydantic_fields__"):
        parameters = getattr(annotation, "__parameters__", ())
        return of_types(annotation, tuple(types.get(it, it) for it in parameters)) if any(it in types for it in parameters) else annotation
    if isinstance(annotation, list):
        # What a function takes.
        now = [_told(it, types) for it in annotation]
        return annotation if all(it is part for it, part in zip(now, annotation)) else now
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        parts = parts[:1]
    now = tuple(_told(it, types) for it in parts)
    if origin in (None, Literal) or all(it is part for it, part in zip(now, parts)):
        return annotation
    if origin is Annotated:
        return Annotated[(*now, *annotation.__metadata__)]
    if origin in (Union, UnionType):
        return Union[now]
    if origin is abc.Callable:
        return Callable[now]
    return annotation.copy_with(now) if hasattr(annotation, "copy_with") else origin[now]
