"""What others use of pydantic's native core, as far as the `pydantic` here has it."""

from pydantic._errors import PydanticSerializationError, ValidationError  # noqa: F401
from pydantic._fields import PydanticUndefined  # noqa: F401
