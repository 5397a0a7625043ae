"""Who asks."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Generator
from typing import Any


class Auth:
    """Changes requests, and may look at their answers: `auth_flow` yields each request that is to be made."""

    requires_request_body = False
    requires_response_body = False

    def auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        yield request


class BasicAuth(Auth):
    """By name and password."""

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        parts = [it.encode() if isinstance(it, str) else it for it in (username, password)]
        self._said = "Basic " + b64encode(b":".join(parts)).decode()

    def auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        request.headers["Authorization"] = self._said
        yield request


class _Function(Auth):
    def __init__(self, function: Any) -> None:
        self._function = function

    def auth_flow(self, request: Any) -> Generator[Any, Any, None]:
        yield self._function(request)


def auth_of(given: Any) -> Auth:
    """From what `auth=` takes."""
    if given is None:
        return Auth()
    if isinstance(given, tuple):
        return BasicAuth(*given)
    if isinstance(given, Auth):
        return given
    if callable(given):
        return _Function(given)
    raise TypeError(f"Invalid 'auth' argument: {given!r}")
