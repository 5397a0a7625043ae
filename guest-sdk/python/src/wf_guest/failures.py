"""Exceptions as failures of an attempt, and back."""

from __future__ import annotations

import builtins
import traceback
from pathlib import PurePath
from typing import Any

#: Folders whose frames are of no interest to whoever wrote the step.
_OWN = ("/wf_guest/", "/workflows/", "/pydantic/", "/asyncio/")


def kind(error: BaseException) -> str:
    """The type of an exception, as the original names it."""
    cls = type(error)
    return f"{cls.__module__}.{cls.__qualname__}"


def rebuilt(name: str, message: str) -> Exception:
    """The exception of that type and message; a stand-in, where it cannot be made."""
    from workflows.events import UnreconstructedException

    try:
        if "." not in name:
            cls = getattr(builtins, name, None)
        elif name.startswith("builtins."):
            cls = getattr(builtins, name.removeprefix("builtins."), None)
        else:
            cls = _found(name)
        if isinstance(cls, type) and issubclass(cls, Exception):
            return cls(message)
    except Exception:
        pass
    return UnreconstructedException(message, original_type=name)


def _found(name: str) -> Any:
    from workflows.context.serializers import found

    try:
        return found(name)
    except ValueError:
        from .models import subclasses

        return next((it for it in subclasses(Exception) if f"{it.__module__}.{it.__qualname__}" == name), None)


def trace(error: BaseException) -> str:
    """The traceback, from the first frame that is the user's own."""
    said = traceback.TracebackException.from_exception(error, capture_locals=False)
    _trim(said)
    return "".join(said.format())


def _trim(said: Any) -> None:
    frames = list(said.stack)
    own = [frame for frame in frames if not any(part in frame.filename.replace("\\", "/") for part in _OWN)]
    if own:
        said.stack[:] = [_short(frame) for frame in frames[frames.index(own[0]) :]]
    for other in (said.__cause__, said.__context__):
        if other is not None:
            _trim(other)


def _short(frame: traceback.FrameSummary) -> traceback.FrameSummary:
    """A frame whose file is named as its author knows it, and not by where it was when it was built."""
    return traceback.FrameSummary(PurePath(frame.filename).name, frame.lineno, frame.name, lookup_line=False, line=frame.line)
