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

#: What the standard library has by now, and a Python that only looks at a file may not have yet.
if not hasattr(typing, "TypeIs"):
    TypeIs = typing.TypeGuard
if not hasattr(typing, "TypeAliasType"):

    class TypeAliasType:
        """A type under a name."""

        def __init__(self, name: str, value: Any, *, type_params: tuple[Any, ...] = ()) -> None:
            self.__name__, self.__value__, self.__type_params__ = name, value, type_params


if not hasattr(typing, "NoDefault"):

    def TypeVar(name: str, *bounds: Any, default: Any = None, infer_variance: bool = False, **said: Any) -> Any:  # noqa: F811
        return typing.TypeVar(name, *bounds, **said)


class Sentinel:
    """A value that is only itself."""

    def __init__(self, name: str, repr: str | None = None, **_: Any) -> None:
        self._name, self._repr = name, repr or name

    def __repr__(self) -> str:
        return self._repr

    def __or__(self, other: Any) -> Any:
        return typing.Union[self, other]

    def __ror__(self, other: Any) -> Any:
        return typing.Union[other, self]

    def __call__(self, *_: Any) -> Any:
        raise TypeError(f"{self!r} is no class")

    def __reduce__(self) -> str:
        return self._name


sentinel = Sentinel


def __getattr__(name: str) -> Any:
    try:
        return getattr(typing, name)
    except AttributeError:
        raise AttributeError(f"module 'typing_extensions' has no attribute {name!r} here") from None
