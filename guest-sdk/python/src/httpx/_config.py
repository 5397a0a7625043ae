"""How long, and how many."""

from __future__ import annotations

from typing import Any


class UseClientDefault:
    """Whatever the client says."""


USE_CLIENT_DEFAULT = UseClientDefault()
_UNSET = UseClientDefault()


class Timeout:
    """Seconds: one number for all, or one each. None is no limit but the host's."""

    def __init__(self, timeout: Any = _UNSET, *, connect: Any = _UNSET, read: Any = _UNSET, write: Any = _UNSET, pool: Any = _UNSET) -> None:
        parts = {"connect": connect, "read": read, "write": write, "pool": pool}
        if isinstance(timeout, Timeout):
            usual = timeout.as_dict()
        elif isinstance(timeout, (tuple, list)):
            usual = dict.fromkeys(parts) | dict(zip(parts, timeout))
        elif timeout is _UNSET and any(it is _UNSET for it in parts.values()):
            raise ValueError("httpx.Timeout must either include a default, or set all four parameters explicitly.")
        else:
            usual = dict.fromkeys(parts, timeout)
        given = {name: usual[name] if value is _UNSET else value for name, value in parts.items()}
        self.connect, self.read, self.write, self.pool = given.values()

    def as_dict(self) -> dict[str, float | None]:
        return {"connect": self.connect, "read": self.read, "write": self.write, "pool": self.pool}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timeout) and self.as_dict() == other.as_dict()

    def __repr__(self) -> str:
        return "Timeout(" + ", ".join(f"{name}={value}" for name, value in self.as_dict().items()) + ")"


class Limits:
    """Connections are the host's: this says nothing."""

    def __init__(self, *, max_connections: int | None = None, max_keepalive_connections: int | None = None, keepalive_expiry: float | None = 5.0) -> None:
        self.max_connections, self.max_keepalive_connections, self.keepalive_expiry = max_connections, max_keepalive_connections, keepalive_expiry


class Proxy:
    """Proxies are the host's: this says nothing."""

    def __init__(self, url: Any, *, ssl_context: Any = None, auth: Any = None, headers: Any = None) -> None:
        self.url, self.ssl_context, self.auth, self.headers = url, ssl_context, auth, headers


DEFAULT_TIMEOUT = DEFAULT_TIMEOUT_CONFIG = Timeout(5.0)
