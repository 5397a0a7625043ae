"""Who asks."""

from __future__ import annotations

from typing import Any

import httpx


class AuthBase:
    """Changes a request: it is called with it."""

    def __call__(self, request: Any) -> Any:
        raise NotImplementedError


class HTTPBasicAuth(AuthBase):
    """By name and password."""

    def __init__(self, username: str, password: str) -> None:
        self.username, self.password = username, password

    def __call__(self, request: Any) -> Any:
        return next(httpx.BasicAuth(self.username, self.password).auth_flow(request))
