"""Requests to the outside: what `httpx`, `http.client` and `urllib` stand on here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from . import border, variables

#: What the host says of the connection by itself, so that nothing of one request becomes a second one.
_HOSTS_OWN = frozenset({"connection", "content-length", "host", "keep-alive", "te", "transfer-encoding"})
#: Of no use to try again: nothing changes by itself.
_FINAL = ("denied", "secret")


class Answer:
    """An answer: its head, and a body that is read as it comes."""

    def __init__(self, number: int, head: dict[str, Any]) -> None:
        self._number = number
        self.status: int = head["status"]
        #: Where it came from, after redirects.
        self.url: str = head["url"]
        self.headers: list[tuple[str, str]] = [(name, value) for name, value in head["headers"]]
        self.is_open = True

    def read(self) -> bytes:
        """Waits for more of the body; empty where there is no more."""
        part = border.http_read(self._number) if self.is_open else b""
        self.is_open = self.is_open and bool(part)
        return part

    def close(self) -> None:
        """Lets go of what was not read."""
        if self.is_open:
            self.is_open = False
            border.http_close(self._number)

    def __del__(self) -> None:
        self.close()


def ask(method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes, redirects: bool = False, **options: Any) -> Answer:
    """Makes a request. `options`: those of the contract, such as `idle_timeout`; None stands for the host's own."""
    given = {name: value for name, value in options.items() if value is not None}
    own = [[name, value] for name, value in headers if name.lower() not in _HOSTS_OWN]
    return Answer(*border.http_request({"method": method, "url": url, "headers": own, "redirects": redirects, **given}, body))


def times(timeout: dict[str, float | None]) -> dict[str, float | None]:
    """The limits of the contract, of those that the clients of `httpx` know."""
    connect, read = timeout.get("connect"), timeout.get("read")
    # Without a limit of its own, a part may take as long as the whole.
    whole = None if read is not None else 3600.0
    first = whole if read is None else read + (connect or 0.0)
    return {"timeout": whole, "first_byte_timeout": first, "idle_timeout": whole if read is None else read}


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, and those that led to it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def is_final(error: BaseException) -> bool:
    """Whether another attempt would be refused as this one was."""
    return any(isinstance(it, variables.Missing) or isinstance(it, border.Refused) and it.kind in _FINAL for it in _chain(error))


def retry_after(error: BaseException) -> float | None:
    """How long the answer that an error tells of asks to be left alone, in seconds."""
    for it in _chain(error):
        headers = getattr(getattr(it, "response", None), "headers", None) or getattr(it, "headers", None)
        said = headers.get("retry-after") if hasattr(headers, "get") else None
        if isinstance(said, str):
            return _seconds(said.strip(), headers.get("date"))
    return None


def _seconds(said: str, now: Any) -> float | None:
    if said.isascii() and said.isdigit():
        return float(said)
    from email.utils import parsedate_to_datetime

    try:
        since = parsedate_to_datetime(now).timestamp() if now else border.now() / 1e6
        return max(parsedate_to_datetime(said).timestamp() - since, 0.0)
    except (TypeError, ValueError):
        return None
