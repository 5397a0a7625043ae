"""The names of typing_extensions, as the standard library has them by now."""

import typing
from typing import *  # noqa: F403
from typing import Any


def _plain(it: Any) -> Any:
    return it


try:
    from typing import override
except ImportError:
    override = _plain

try:
    from warnings import deprecated
except ImportError:

    def deprecated(*_: Any, **__: Any) -> Any:
        return _plain


def __getattr__(name: str) -> Any:
    try:
        return getattr(typing, name)
    except AttributeError:
        raise AttributeError(f"module 'typing_extensions' has no attribute {name!r} here") from None
