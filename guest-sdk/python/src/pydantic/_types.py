"""Types with limits, functions at types, and adapters for types that are no models."""

import json as json_text
from typing import Annotated, Any

from ._definitions import finished
from ._errors import Misfit, ValidationError
from ._fields import ConfigDict, Field, PydanticUndefined  # noqa: F401
from ._functions import Info as ValidationInfo  # noqa: F401
from ._kinds import kind_of
from ._meta import ModelMetaclass
from ._model import BaseModel

PositiveInt = Annotated[int, Field(gt=0)]
NonNegativeInt = Annotated[int, Field(ge=0)]
NegativeInt = Annotated[int, Field(lt=0)]
PositiveFloat = Annotated[float, Field(gt=0)]
NonNegativeFloat = Annotated[float, Field(ge=0)]
NegativeFloat = Annotated[float, Field(lt=0)]


class _AtType:
    mode = ""

    def __init__(self, func: Any, **_: Any) -> None:
        self.func = func


class BeforeValidator(_AtType):
    """A function before the type's own check."""

    mode = "before"


class AfterValidator(_AtType):
    """A function after the type's own check."""

    mode = "after"


class PlainValidator(_AtType):
    """A function in the place of the type's own check."""

    mode = "plain"


class PlainSerializer:
    """A function that shows a value: not known here."""

    def __init__(self, func: Any, **_: Any) -> None:
        raise NotImplementedError("`pydantic.PlainSerializer` is not there in a workflow: show the value in a field_serializer")


class WithJsonSchema:
    """A schema in the place of the type's own: not known here."""

    def __init__(self, schema: Any, **_: Any) -> None:
        raise NotImplementedError("`pydantic.WithJsonSchema` is not there in a workflow: use Field(json_schema_extra=…)")


def _strict(cls: type) -> Any:
    def check(value: Any) -> Any:
        if type(value) is not cls:
            raise ValueError(f"Input should be a valid {cls.__name__}")
        return value

    return Annotated[cls, BeforeValidator(check)]


StrictStr, StrictInt, StrictFloat, StrictBool = _strict(str), _strict(int), _strict(float), _strict(bool)
FilePath = str


class SkipValidation:
    """`SkipValidation[T]`: anything."""

    def __class_getitem__(cls, _: Any) -> Any:
        return Any


class SecretStr:
    """A text that does not show itself."""

    def __init__(self, value: str) -> None:
        self._value = value

    def get_secret_value(self) -> str:
        return self._value

    def __str__(self) -> str:
        return "**********" if self._value else ""

    def __repr__(self) -> str:
        return f"SecretStr({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SecretStr) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __pydantic_dump__(self, json: bool) -> Any:
        return str(self) if json else self

    @classmethod
    def __pydantic_kind__(cls) -> Any:
        from ._kinds import Through
        from ._scalars import SCALARS

        text = SCALARS[str]
        return Through(text, "wrap", lambda value, inner: value if isinstance(value, cls) else cls(inner(value)))


def conint(**limits: Any) -> Any:
    return Annotated[int, Field(**limits)]


def constr(**limits: Any) -> Any:
    return Annotated[str, Field(**limits)]


class TypeAdapter:
    """Checks and shows values of any type."""

    def __init__(self, type: Any, *, config: Any = None) -> None:
        self._type, self._kind = type, kind_of(type, dict(config or {}))

    def validate_python(self, value: Any, **_: Any) -> Any:
        return self._check(value, False)

    def validate_json(self, text: str | bytes, **_: Any) -> Any:
        return self._check(json_text.loads(text), True)

    def _check(self, value: Any, json: bool) -> Any:
        try:
            return self._kind.check(value, json)
        except Misfit as error:
            raise ValidationError(getattr(self._type, "__name__", str(self._type)), error.issues) from None

    def dump_python(self, value: Any, *, mode: str = "python", **_: Any) -> Any:
        return self._kind.dump(value, mode == "json")

    def dump_json(self, value: Any, **_: Any) -> bytes:
        return json_text.dumps(self._kind.dump(value, True), separators=(",", ":"), ensure_ascii=False).encode()

    def json_schema(self, **_: Any) -> dict[str, Any]:
        definitions: dict[type, Any] = {}
        return finished(self._kind.schema(definitions), definitions)


def create_model(name: str, *, __base__: Any = None, __module__: str = "", __doc__: str | None = None, **fields: Any) -> Any:
    """A model with fields that are found at run time: each a type and a default, or a type."""
    base = __base__ or BaseModel
    annotations, namespace = {}, {"__module__": __module__ or __name__, "__doc__": __doc__}
    for field, said in fields.items():
        kind, default = said if isinstance(said, tuple) else (said, PydanticUndefined)
        annotations[field] = kind
        if default is not Ellipsis and default is not PydanticUndefined:
            namespace[field] = default
    namespace["__annotations__"] = annotations
    return ModelMetaclass(name, base if isinstance(base, tuple) else (base,), namespace)
