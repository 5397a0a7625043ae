"""The names of fields, as `pydantic.fields` has them."""

from ._fields import Field, FieldInfo, ModelPrivateAttr, PrivateAttr, PydanticUndefined  # noqa: F401
