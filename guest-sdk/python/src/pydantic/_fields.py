"""Fields, private attributes and what can be said of a model."""

from copy import copy, deepcopy
from typing import Any, TypedDict

from ._absent import OF_FIELDS, refuse_factory, refuse_of_field


class _Undefined:
    def __repr__(self) -> str:
        return "PydanticUndefined"

    def __copy__(self) -> "_Undefined":
        return self

    def __deepcopy__(self, _: Any) -> "_Undefined":
        return self


PydanticUndefined = _Undefined()

#: What a field can be told of its values, and what JSON Schema calls it.
CONSTRAINTS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
}

_IMMUTABLE = (str, int, float, bool, bytes, type(None), tuple, frozenset)


class ConfigDict(TypedDict, total=False):
    """What can be said of a model as a whole."""

    arbitrary_types_allowed: bool
    extra: str
    frozen: bool
    populate_by_name: bool
    validate_assignment: bool
    validate_default: bool
    use_enum_values: bool
    str_strip_whitespace: bool
    from_attributes: bool
    strict: bool
    title: str
    json_schema_extra: Any
    protected_namespaces: Any
    ser_json_bytes: str
    use_attribute_docstrings: bool
    revalidate_instances: str
    extra_fields: Any
    defer_build: bool
    validate_by_name: bool
    validate_by_alias: bool


class FieldInfo:
    """What a model knows of one of its fields."""

    def __init__(self, default: Any = PydanticUndefined, *, default_factory: Any = None, annotation: Any = None, **said: Any) -> None:
        self.default = PydanticUndefined if default is Ellipsis else default
        self.default_factory = default_factory
        self.annotation = annotation
        self.alias = said.pop("alias", None)
        self.validation_alias = said.pop("validation_alias", None)
        self.serialization_alias = said.pop("serialization_alias", None)
        self.title = said.pop("title", None)
        self.description = said.pop("description", None)
        self.examples = said.pop("examples", None)
        self.exclude = said.pop("exclude", None)
        self.frozen = said.pop("frozen", None)
        self.repr = said.pop("repr", True)
        self.init = said.pop("init", None)
        self.strict = said.pop("strict", None)
        self.deprecated = said.pop("deprecated", None)
        self.discriminator = said.pop("discriminator", None)
        self.json_schema_extra = said.pop("json_schema_extra", None)
        self.validate_default = said.pop("validate_default", None)
        self.kw_only = said.pop("kw_only", None)
        regex = said.pop("regex", None)
        if regex is not None:
            raise TypeError("`regex` is removed. use `pattern` instead")
        self.constraints = {key: said.pop(key) for key in CONSTRAINTS if said.get(key) is not None}
        said = {key: value for key, value in said.items() if value is not None and key not in CONSTRAINTS}
        unknown = [key for key in said if key not in OF_FIELDS]
        if unknown:
            raise TypeError(f"Field() got an unexpected keyword argument '{unknown[0]}'")

    def is_required(self) -> bool:
        return self.default is PydanticUndefined and self.default_factory is None

    def get_default(self, *, call_default_factory: bool = False, validated_data: Any = None) -> Any:
        if self.default_factory is not None:
            return self.default_factory() if call_default_factory else None
        return self.default if isinstance(self.default, _IMMUTABLE) else deepcopy(self.default)

    @property
    def names_in(self) -> str | None:
        """The name under which it comes in, where that is another."""
        return self.validation_alias if isinstance(self.validation_alias, str) else self.alias

    @property
    def name_out(self) -> str | None:
        """The name under which it goes out by alias."""
        return self.serialization_alias or self.alias

    def of(self, annotation: Any) -> "FieldInfo":
        """The same, of a type."""
        other = copy(self)
        other.constraints = dict(self.constraints)
        other.annotation = annotation
        return other

    def __repr__(self) -> str:
        shown = [f"annotation={getattr(self.annotation, '__name__', self.annotation)}", f"required={self.is_required()}"]
        if self.default is not PydanticUndefined:
            shown.append(f"default={self.default!r}")
        if self.default_factory is not None:
            shown.append(f"default_factory={getattr(self.default_factory, '__name__', self.default_factory)}")
        if self.description:
            shown.append(f"description={self.description!r}")
        return f"FieldInfo({', '.join(shown)})"


def Field(default: Any = PydanticUndefined, *, default_factory: Any = None, **said: Any) -> Any:
    """Says of a field what its type does not: a default, a description, limits."""
    if default is not PydanticUndefined and default is not Ellipsis and default_factory is not None:
        raise TypeError("cannot specify both default and default_factory")
    if default_factory is not None:
        refuse_factory(default_factory)
    refuse_of_field(said)
    return FieldInfo(default, default_factory=default_factory, **said)


class ModelPrivateAttr:
    """An attribute that is no field: neither checked nor shown."""

    def __init__(self, default: Any = PydanticUndefined, *, default_factory: Any = None) -> None:
        self.default, self.default_factory = default, default_factory

    def get_default(self) -> Any:
        if self.default_factory is not None:
            return self.default_factory()
        return self.default if isinstance(self.default, _IMMUTABLE) else deepcopy(self.default)


def PrivateAttr(default: Any = PydanticUndefined, *, default_factory: Any = None, init: bool = False) -> Any:
    """Declares an attribute that is no field."""
    return ModelPrivateAttr(default, default_factory=default_factory)
