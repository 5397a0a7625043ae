"""Which errors are tried again."""

from __future__ import annotations

import re
from typing import Any, Callable


class _Condition:
    def __call__(self, error: BaseException) -> bool:
        raise NotImplementedError

    def __and__(self, other: Any) -> retry_all:
        return retry_all(self, other)

    def __or__(self, other: Any) -> retry_any:
        return retry_any(self, other)

    __rand__, __ror__ = __and__, __or__


class retry_if_exception(_Condition):
    """Those that a function says yes to."""

    def __init__(self, predicate: Callable[[BaseException], bool]) -> None:
        self.predicate = predicate

    def __call__(self, error: BaseException) -> bool:
        return self.predicate(error)


class retry_if_exception_type(retry_if_exception):
    """Those of some types."""

    def __init__(self, exception_types: Any = Exception) -> None:
        self.exception_types = exception_types
        super().__init__(lambda error: isinstance(error, exception_types))


class retry_if_not_exception_type(retry_if_exception):
    """Those of no such type."""

    def __init__(self, exception_types: Any = Exception) -> None:
        self.exception_types = exception_types
        super().__init__(lambda error: not isinstance(error, exception_types))


class retry_unless_exception_type(retry_if_not_exception_type):
    """Another name of `retry_if_not_exception_type`."""


class retry_if_exception_message(_Condition):
    """Those of a message, or of one in which a pattern is found."""

    def __init__(self, message: str | None = None, match: str | re.Pattern[str] | None = None) -> None:
        if message is None and match is None:
            raise TypeError(f"{type(self).__name__}() missing 1 required argument 'message' or 'match'")
        if message is not None and match is not None:
            raise TypeError(f"{type(self).__name__}() takes either 'message' or 'match', not both")
        self.message, self.match = message, match
        self._pattern = re.compile(match) if match is not None else None

    def __call__(self, error: BaseException) -> bool:
        if self._pattern is None:
            return str(error) == self.message
        return bool(self._pattern.search(str(error)))


class retry_if_not_exception_message(retry_if_exception_message):
    """Those of no such message."""

    def __call__(self, error: BaseException) -> bool:
        return not super().__call__(error)


class retry_if_exception_cause_type(_Condition):
    """Those that were raised from one of some types."""

    def __init__(self, exception_types: Any = Exception) -> None:
        self.exception_types = exception_types

    def __call__(self, error: BaseException) -> bool:
        cause = error.__cause__
        while cause is not None:
            if isinstance(cause, self.exception_types):
                return True
            cause = cause.__cause__
        return False


class retry_any(_Condition):
    """Those that one condition says yes to."""

    def __init__(self, *retries: Any) -> None:
        self.retries = retries

    def __call__(self, error: BaseException) -> bool:
        return any(it(error) for it in self.retries)


class retry_all(retry_any):
    """Those that all conditions say yes to."""

    def __call__(self, error: BaseException) -> bool:
        return all(it(error) for it in self.retries)


class retry_always(_Condition):
    """All."""

    def __call__(self, error: BaseException) -> bool:
        return True


class retry_never(_Condition):
    """None."""

    def __call__(self, error: BaseException) -> bool:
        return False
