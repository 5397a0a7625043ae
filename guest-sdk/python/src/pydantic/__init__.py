"""Pydantic 2 for a guest: what workflows use of it, in pure Python.

The native core of pydantic is not to be had inside a component. This package has its names, its
forms and its words for models of plain fields; what it does not have is an error that says so.
"""

from typing import Any

from ._errors import (
    VERSION,
    Misfit,
    PydanticInvalidForJsonSchema,
    PydanticSchemaGenerationError,
    PydanticSerializationError,
    PydanticUndefinedAnnotation,
    PydanticUserError,
    ValidationError,
)
from ._fields import ConfigDict, Field, ModelPrivateAttr, PrivateAttr, PydanticUndefined
from ._functions import computed_field, field_serializer, field_validator, model_serializer, model_validator
from ._kinds import kind_of
from ._model import BaseModel
from ._types import (
    AfterValidator,
    BeforeValidator,
    ConfigDict as _ConfigDict,  # noqa: F401
    FilePath,
    NegativeFloat,
    NegativeInt,
    NonNegativeFloat,
    NonNegativeInt,
    PlainSerializer,
    PlainValidator,
    PositiveFloat,
    PositiveInt,
    SecretStr,
    SkipValidation,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationInfo,
    WithJsonSchema,
    conint,
    constr,
    create_model,
)

__version__ = VERSION

#: What there is of pydantic, and not here: each with what to do instead.
_ABSENT = {
    "RootModel": "use a model with one field",
    "EmailStr": "use str and check it yourself",
    "HttpUrl": "use str",
    "AnyUrl": "use str",
    "AnyHttpUrl": "use str",
    "ImportString": "import it yourself",
    "GetCoreSchemaHandler": "annotate with a class and `arbitrary_types_allowed`",
    "GetJsonSchemaHandler": "annotate with a class and `arbitrary_types_allowed`",
    "validate_call": "check the arguments in a model",
    "Json": "call json.loads",
    "Discriminator": "use a plain union: it takes the member that fits",
    "Tag": "use a plain union: it takes the member that fits",
}


def __getattr__(name: str) -> Any:
    if name in _ABSENT:
        raise ImportError(f"`pydantic.{name}` is not there in a workflow: {_ABSENT[name]}")
    raise AttributeError(f"module 'pydantic' has no attribute {name!r}")
