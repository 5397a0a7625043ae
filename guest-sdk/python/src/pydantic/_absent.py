"""What pydantic can be told and this package does not know: an error where it is written, and not another result."""

import inspect
from typing import Any

from ._errors import PydanticUserError

#: What can be said of a model, each with the value that says nothing.
_OF_MODELS: dict[str, Any] = {
    "alias_generator": None,
    "allow_inf_nan": True,
    "coerce_numbers_to_str": False,
    "field_title_generator": None,
    "json_encoders": None,
    "json_schema_mode_override": None,
    "json_schema_serialization_defaults_required": False,
    "loc_by_alias": True,
    "model_title_generator": None,
    "revalidate_instances": "never",
    "ser_json_bytes": "utf8",
    "ser_json_inf_nan": "null",
    "ser_json_temporal": "iso8601",
    "ser_json_timedelta": "iso8601",
    "serialize_by_alias": False,
    "str_max_length": None,
    "str_min_length": 0,
    "str_strip_whitespace": False,
    "str_to_lower": False,
    "str_to_upper": False,
    "strict": False,
    "use_attribute_docstrings": False,
    "val_json_bytes": "utf8",
    "val_temporal_unit": "infer",
    "validate_by_alias": True,
    "validate_default": False,
    "validate_return": False,
}
#: The same of a field.
OF_FIELDS: dict[str, Any] = {
    "alias_priority": None,
    "allow_inf_nan": True,
    "coerce_numbers_to_str": False,
    "decimal_places": None,
    "discriminator": None,
    "exclude_if": None,
    "fail_fast": False,
    "field_title_generator": None,
    "max_digits": None,
    "strict": False,
    "union_mode": "smart",
    "validate_default": False,
}


def refuse_of_model(config: dict[str, Any]) -> None:
    """What is said of a model, and would be passed over."""
    for key, value in config.items():
        if key in _OF_MODELS and value is not None and value != _OF_MODELS[key]:
            raise _absent(f"`{key}` in the configuration of a model")


def refuse_of_field(said: dict[str, Any]) -> None:
    """What is said of a field, and would be passed over."""
    for key, value in said.items():
        if key in OF_FIELDS and value is not None and value != OF_FIELDS[key]:
            raise _absent(f"`{key}` in `Field`")
        if key in ("alias", "validation_alias", "serialization_alias") and value is not None and not isinstance(value, str):
            raise _absent(f"`{key}` in `Field` that is no text")


def refuse_factory(factory: Any) -> None:
    """A factory that is to be given the other fields."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except (TypeError, ValueError):
        return
    if any(it.default is it.empty and it.kind in (it.POSITIONAL_ONLY, it.POSITIONAL_OR_KEYWORD) for it in parameters):
        raise _absent("a `default_factory` that takes the other fields")


def refuse_annotation(said: Any) -> None:
    """Limits of another package."""
    if type(said).__module__.partition(".")[0] == "annotated_types":
        raise _absent(f"`annotated_types.{type(said).__name__}`")


def refuse_computed(marked: Any) -> None:
    """A property that keeps its value."""
    if not (inspect.isfunction(marked) or isinstance(marked, property)):
        raise _absent(f"`computed_field` of a `{type(marked).__name__}`")


def _absent(what: str) -> PydanticUserError:
    return PydanticUserError(f"{what} is not there in a workflow")
