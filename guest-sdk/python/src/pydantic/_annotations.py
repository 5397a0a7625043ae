"""The annotations of a class, also where they are texts or name what comes later."""

import sys
from typing import Any, ClassVar, get_origin


def own(cls: type, namespace: dict[str, Any]) -> dict[str, Any]:
    """The annotations that stand in the class itself; those that cannot be read yet as texts."""
    if sys.version_info >= (3, 14):
        import annotationlib

        found = annotationlib.get_annotations(cls, format=annotationlib.Format.FORWARDREF)
        return {name: it.__forward_arg__ if isinstance(it, annotationlib.ForwardRef) else it for name, it in found.items()}
    return dict(namespace.get("__annotations__", {}))


def is_class_variable(annotation: Any) -> bool:
    if isinstance(annotation, str):
        return annotation.startswith(("ClassVar", "typing.ClassVar", "t.ClassVar"))
    return annotation is ClassVar or get_origin(annotation) is ClassVar


def resolve(annotation: Any, cls: type, local: dict[str, Any]) -> Any:
    """An annotation with the names in it looked up; a `NameError` where one is not there."""
    module = sys.modules.get(cls.__module__)
    names = dict(vars(module)) if module else {}
    names.setdefault(cls.__name__, cls)

    def holder() -> None: ...

    # The standard library's own way, which also reads texts within texts.
    from typing import get_type_hints

    holder.__annotations__ = {"it": annotation}
    return get_type_hints(holder, globalns=names, localns={cls.__name__: cls, **local}, include_extras=True)["it"]


def needs_resolving(annotation: Any) -> bool:
    """Whether there is a text in it."""
    if isinstance(annotation, str) or type(annotation).__name__ == "ForwardRef":
        return True
    return any(needs_resolving(it) for it in getattr(annotation, "__args__", ()) or ()) if not isinstance(annotation, type) or hasattr(annotation, "__args__") else False
