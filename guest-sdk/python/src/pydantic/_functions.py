"""Functions of a model that check or show: validators and serializers, in their plain forms."""

import inspect
from typing import Any

from ._absent import refuse_computed
from ._errors import Misfit, ValidationError


class Again:
    """Whether what is read was a model before, whose functions have had their say of it.

    What they made of it is taken as it is, and a default that is none of its field's kind.
    """

    def __enter__(self) -> None:
        reading_again[0] = True

    def __exit__(self, *_: Any) -> None:
        reading_again[0] = False


#: No attribute of a class: whoever knows a class that is written to looks at it anew.
reading_again = [False]


class Hook:
    """A function that a decorator has marked."""

    def __init__(self, what: str, mode: str, fields: tuple[str, ...], function: Any, check_fields: bool | None = None) -> None:
        self.what, self.mode, self.fields, self.check_fields = what, mode, fields, check_fields
        # As with the real one, whoever calls its first argument so means it so.
        plain = inspect.isfunction(function) and what in ("field_validator", "model_validator")
        self.function = classmethod(function) if plain and next(iter(inspect.signature(function).parameters), "") == "cls" else function
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
            kind = Through(kind, hook.mode, _narrow(function, hook.mode, name))
    return kind


class Info:
    """What a validator may ask of where it is."""

    context = None
    mode = "python"

    def __init__(self, field_name: str, data: dict[str, Any]) -> None:
        self.field_name, self.data = field_name, data


#: The fields of the models that are being checked, as far as they are.
checking: list[dict[str, Any]] = []


def _narrow(function: Any, mode: str, name: str) -> Any:
    wants = len(inspect.signature(function).parameters)
    given = 2 if mode == "wrap" else 1
    return (lambda *values: function(*values, Info(name, dict(checking[-1]) if checking else {}))) if wants > given else function


def rechecked(model: Any) -> None:
    if model.model_config.get("validate_assignment") and model.__pydantic_hooks__:
        model.__pydantic_hooks__.after(model)


def shown_by(model: Any, cls: Any, json: bool, shown: dict[str, Any]) -> dict[str, Any]:
    """What is shown of a model, after its functions have said how."""
    hooks = cls.__pydantic_hooks__
    if not hooks:
        return shown
    for hook in hooks.of("computed"):
        shown[hook.fields[0]] = getattr(model, hook.fields[0])
    for hook in hooks.of("field_serializer"):
        for name in hook.fields:
            if name in shown:
                shown[name] = hook.bound(cls)(model, getattr(model, name))
    for hook in hooks.of("model_serializer"):
        shown = hook.bound(cls)(model, lambda _: shown) if hook.mode == "wrap" else hook.bound(cls)(model)
    return shown


def field_validator(*fields: str, mode: str = "after", check_fields: bool | None = None) -> Any:
    """Marks a function that checks fields."""
    return lambda function: Hook("field_validator", mode, fields, function, check_fields)


def model_validator(*, mode: str) -> Any:
    """Marks a function that checks a model as a whole."""
    if mode == "wrap":
        raise NotImplementedError("a model_validator of mode 'wrap' is not known here: use 'before' or 'after'")
    return lambda function: Hook("model_validator", mode, (), function)


def field_serializer(*fields: str, mode: str = "plain", check_fields: bool | None = None, **_: Any) -> Any:
    """Marks a function that shows fields."""
    if mode != "plain":
        raise NotImplementedError("a field_serializer of mode 'wrap' is not known here: use 'plain'")
    return lambda function: Hook("field_serializer", mode, fields, function, check_fields)


def model_serializer(function: Any = None, *, mode: str = "plain", **_: Any) -> Any:
    """Marks a function that shows a model as a whole."""
    mark = lambda it: Hook("model_serializer", mode, (), it)  # noqa: E731
    return mark(function) if function is not None else mark


def computed_field(function: Any = None, *, repr: bool = True, **_: Any) -> Any:
    """Marks a property that is shown as a field is."""

    def mark(it: Any) -> Any:
        refuse_computed(it)
        function = it.fget if isinstance(it, property) else it
        return Computed(function, repr)

    return mark(function) if function is not None else mark


class Computed(property, Hook):
    """A property that is shown."""

    def __init__(self, function: Any, repr: bool) -> None:
        property.__init__(self, function)
        self.repr = repr
        self.what, self.mode, self.fields, self.function, self.replaces = "computed", "plain", (function.__name__,), function, False
