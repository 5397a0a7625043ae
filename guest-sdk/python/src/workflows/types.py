"""Names that files import for their annotations."""

from typing import Any, TypeVar

StopEventT = TypeVar("StopEventT", bound=Any)
RunResultT = Any
