"""How an instance of a model gets its values: each is checked, what is missing is its default."""

from typing import Any

from ._errors import Misfit, ValidationError, misfit, placed
from ._fields import PydanticUndefined
from ._functions import checking, reading_again


def set_fields(model: Any, fields: dict[str, Any], named: set[str], private: Any = PydanticUndefined, extra: Any = PydanticUndefined) -> None:
    cls = type(model)
    if private is PydanticUndefined:
        private = {name: it.get_default() for name, it in cls.__private_attributes__.items() if it.default is not PydanticUndefined or it.default_factory}
    if extra is PydanticUndefined:
        extra = {} if cls.model_config.get("extra") == "allow" else None
    object.__setattr__(model, "__dict__", fields)
    object.__setattr__(model, "__pydantic_fields_set__", named)
    object.__setattr__(model, "__pydantic_private__", private)
    object.__setattr__(model, "__pydantic_extra__", extra)


def fill(model: Any, data: dict[str, Any], json: bool) -> None:
    """Checks what is given, and sets it."""
    cls = type(model)
    hooks = cls.__pydantic_hooks__
    if hooks and not reading_again[0]:
        data = hooks.before(cls, data)
    elif hooks:
        shown = [it.fields[0] for it in hooks.of("computed")]
        data = {key: it for key, it in data.items() if key not in shown}
    fields: dict[str, Any] = {}
    # A field's function may ask for those before it.
    checking.append(fields)
    try:
        named, extra = _checked(cls, data, json, fields)
    finally:
        checking.pop()
    set_fields(model, fields, named | set(extra or ()), extra=extra)
    model.model_post_init(None)
    if hooks and not reading_again[0]:
        hooks.after(model)


def _checked(cls: Any, data: dict[str, Any], json: bool, fields: dict[str, Any]) -> tuple[set[str], Any]:
    """Fills the fields: those that were named, and what else was given."""
    kinds = cls.__pydantic_ready__()
    named: set[str] = set()
    issues: list[dict[str, Any]] = []
    used = 0
    for name, info in cls.__pydantic_fields__.items():
        key = info.names_in or name
        if key not in data and key != name and (reading_again[0] or cls.model_config.get("populate_by_name") or cls.model_config.get("validate_by_name")):
            key = name
        if key in data:
            used += 1
            if reading_again[0] and data[key] is None and info.default is None:
                fields[name] = None
                continue
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
    return named, extra


def _is_known(cls: Any, key: str) -> bool:
    return any(key == name or key == info.names_in for name, info in cls.__pydantic_fields__.items())


def assigned(model: Any, name: str, value: Any) -> Any:
    """What a field is given, checked beside the others."""
    cls = type(model)
    checking.append({key: it for key, it in model.__dict__.items() if key != name})
    try:
        return cls.__pydantic_ready__()[name].check(value, False)
    except Misfit as error:
        raise ValidationError(cls.__name__, placed(error.issues, name)) from None
    finally:
        checking.pop()
