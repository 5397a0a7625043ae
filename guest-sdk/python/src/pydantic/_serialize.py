"""Models as plain data."""

from typing import Any

from ._fields import PydanticUndefined
from ._functions import shown_by
from ._dump import dump

_KNOWN = ("include", "exclude", "by_alias", "exclude_unset", "exclude_defaults", "exclude_none")


def plain(options: dict[str, Any]) -> dict[str, Any]:
    """The options that say something."""
    return {key: value for key, value in options.items() if key in _KNOWN and value} if options else options


def fields_of(model: Any, cls: type, json: bool, options: dict[str, Any]) -> dict[str, Any]:
    """The fields of a model, as a class of it declares them."""
    kinds = cls.__pydantic_ready__()
    infos = cls.__pydantic_fields__
    values = model.__dict__
    include, exclude = options.get("include"), options.get("exclude")
    shown: dict[str, Any] = {}
    for name, kind in kinds.items():
        if name not in values:
            continue
        value, info = values[name], infos[name]
        if options or info.exclude:
            if info.exclude or include is not None and name not in include:
                continue
            if exclude is not None and name in exclude and (not isinstance(exclude, dict) or exclude[name] is True or exclude[name] is Ellipsis):
                continue
            if options.get("exclude_none") and value is None:
                continue
            if options.get("exclude_unset") and name not in model.__pydantic_fields_set__:
                continue
            if options.get("exclude_defaults") and _is_default(info, value):
                continue
        key = info.name_out if options.get("by_alias") and info.name_out else name
        inner = {key: options[key] for key in options if key not in ("include", "exclude")}
        part = _part(exclude, name)
        shown[key] = _nested(value, kind, json, {**inner, "exclude": part} if part else inner) if options else kind.dump(value, json)
    for name, value in (model.__pydantic_extra__ or {}).items():
        if not (options.get("exclude_none") and value is None):
            shown[name] = dump(value, json)
    return shown_by(model, cls, json, shown)


def _part(exclude: Any, name: str) -> Any:
    part = exclude.get(name) if isinstance(exclude, dict) else None
    return part if isinstance(part, (set, dict)) else None


def _nested(value: Any, kind: Any, json: bool, options: dict[str, Any]) -> Any:
    """With the options that hold for models in it, too."""
    if not options:
        return kind.dump(value, json)
    if hasattr(value, "__pydantic_plain__"):
        return value.__pydantic_plain__(json, options)
    if isinstance(value, (list, tuple)) and any(hasattr(it, "__pydantic_plain__") for it in value):
        return type(value)(_nested(it, kind, json, options) if hasattr(it, "__pydantic_plain__") else dump(it, json) for it in value)
    if isinstance(value, dict) and any(hasattr(it, "__pydantic_plain__") for it in value.values()):
        return {key: _nested(it, kind, json, options) if hasattr(it, "__pydantic_plain__") else dump(it, json) for key, it in value.items()}
    return kind.dump(value, json)


def _is_default(info: Any, value: Any) -> bool:
    default = info.get_default(call_default_factory=True)
    return default is not PydanticUndefined and default == value
