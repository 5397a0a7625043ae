"""Functions of a model that check or show: validators and serializers, in their plain forms."""

import inspect
from typing import Any

from ._absent import refuse_computed
from ._errors import Misfit, ValidationError


class Hook:
    """A function that a decorator has marked."""

    def __init__(self, what: str, mode: str, fields: tuple[str, ...], function: Any) -> None:
        self.what, self.mode, self.fields = what, mode, fields
        self.function = function
        self.replaces = what != "computed"

    def bound(self, cls: type) -> Any:
        function = self.function
        if isinstance(function, (classmethod, staticmethod)):
            return function.__get__(None, cls)
        return function


class Hooks:
    """All of a class, those of its bases first."""

    def __init__(self, hooks: dict[str, Hook]) -> None:
        self.hooks = hooks

    def __bool__(self) -> bool:
        return bool(self.hooks)

    def of(self, what: str, mode: str | None = None) -> list[Hook]:
        return [it for it in self.hooks.values() if it.what == what and (mode is None or it.mode == mode)]

    def before(self, cls: type, data: Any) -> Any:
        for hook in self.of("model_validator", "before"):
            data = _call(lambda: hook.bound(cls)(data) if isinstance(hook.function, (classmethod, staticmethod)) else hook.function(cls, data), data)
        return data

    def after(self, model: Any) -> None:
        for hook in self.of("model_validator", "after"):
            _call(lambda: hook.bound(type(model))(model), model)


def hooks_of(cls: type, own: dict[str, Hook]) -> Hooks:
    inherited: dict[str, Hook] = {}
    for base in reversed(cls.__mro__[1:]):
        inherited |= getattr(base.__dict__.get("__pydantic_hooks__"), "hooks", {})
    return Hooks(inherited | own)


def _call(function: Any, value: Any) -> Any:
    from ._kinds import said

    try:
        return function()
    except ValidationError:
        raise
    except Misfit:
        raise
    except (ValueError, AssertionError) as error:
        raise said(error, value) from error


def checked_by(cls: Any, name: str, kind: Any) -> Any:
    """A field's kind with the functions that check it."""
    from ._kinds import Through

    for hook in cls.__pydantic_hooks__.of("field_validator") if cls.__pydantic_hooks__ else ():
        if name in hook.fields or "*" in hook.fields:
            function = hook.bound(cls)
            kind = Through(kind, hook.mode, _narrow(function, hook.mode))
    return kind


class Info:
    """What a validator may ask of where it is."""

    data: dict[str, Any] = {}
    context = None
    field_name = None
    mode = "python"


def _narrow(function: Any, mode: str) -> Any:
    wants = len(inspect.signature(function).parameters)
    given = 2 if mode == "wrap" else 1
    return (lambda *values: function(*values, Info())) if wants > given else function


def rechecked(model: Any) -> None:
    if model.model_config.get("validate_assignment") and model.__pydantic_hooks__:
        model.__pydantic_hooks__.after(model)


def shown_by(model: Any, cls: Any, json: bool, shown: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a model, after its functions have said how."""
    hooks = cls.__pydantic_hooks__
    if not hooks:
        return shown
    for hook in hooks.of("field_serializer"):
        for name in hook.fields:
            if name in shown:
                shown[name] = hook.bound(cls)(model, getattr(model, name))
    for hook in hooks.of("model_serializer"):
        shown = hook.bound(cls)(model, lambda _: shown) if hook.mode == "wrap" else hook.bound(cls)(model)
    for hook in hooks.of("computed"):
        shown[hook.fields[0]] = getattr(model, hook.fields[0])
    return shown


def field_validator(*fields: str, mode: str = "after", check_fields: bool | None = None) -> Any:
    """Marks a function that checks fields."""
    return lambda function: Hook("field_validator", mode, fields, function)


def model_validator(*, mode: str) -> Any:
    """Marks a function that checks a model as a whole."""
    if mode == "wrap":
        raise NotImplementedError("a model_validator of mode 'wrap' is not known here: use 'before' or 'after'")
    return lambda function: Hook("model_validator", mode, (), function)


def field_serializer(*fields: str, mode: str = "plain", **_: Any) -> Any:
    """Marks a function that shows fields."""
    if mode != "plain":
        raise NotImplementedError("a field_serializer of mode 'wrap' is not known here: use 'plain'")
    return lambda function: Hook("field_serializer", mode, fields, function)


def model_serializer(function: Any = None, *, mode: str = "plain", **_: Any) -> Any:
    """Marks a function that shows a model as a whole."""
    mark = lambda it: Hook("model_serializer", mode, (), it)  # noqa: E731
    return mark(function) if function is not None else mark


def computed_field(function: Any = None, **_: Any) -> Any:
    """Marks a property that is shown as a field is."""

    def mark(it: Any) -> Any:
        refuse_computed(it)
        function = it.fget if isinstance(it, property) else it
        return Computed(function)

    return mark(function) if function is not None else mark


class Computed(property, Hook):
    """A property that is shown."""

    def __init__(self, function: Any) -> None:
        property.__init__(self, function)
        self.what, self.mode, self.fields, self.function, self.replaces = "computed", "plain", (function.__name__,), function, False
