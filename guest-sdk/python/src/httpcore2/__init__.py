"""What `httpx2` stands on, over what the workflow is granted: its own files are as they are.

Connections, certificates and proxies are the host's: a pool has none, and what is said of them says nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

from wf_guest import border, outside

__version__ = "2.16.2"


class TimeoutException(Exception): ...


class PoolTimeout(TimeoutException): ...


class ConnectTimeout(TimeoutException): ...


class ReadTimeout(TimeoutException): ...


class WriteTimeout(TimeoutException): ...


class NetworkError(Exception): ...


class ConnectError(NetworkError): ...


class ReadError(NetworkError): ...


class WriteError(NetworkError): ...


class ProxyError(Exception): ...


class UnsupportedProtocol(Exception): ...


class ProtocolError(Exception): ...


class LocalProtocolError(ProtocolError): ...


class RemoteProtocolError(ProtocolError): ...


class ConnectionNotAvailable(Exception): ...


class NotGranted(PermissionError):
    """The workflow may not make this request: another time it would be refused as this one was."""


#: How the kinds of the host's failures are called here: of a request, and of a body that is read.
_ASKING = {"denied": NotGranted, "secret": NotGranted, "timeout": ReadTimeout, "network": ConnectError}
_READING = {"timeout": ReadTimeout, "limit": RemoteProtocolError}


class URL:
    """A URL, in its parts."""

    def __init__(self, *, scheme: bytes, host: bytes, port: int | None, target: bytes) -> None:
        self.scheme, self.host, self.port, self.target = scheme, host, port, target

    def __str__(self) -> str:
        host = self.host.decode("ascii")
        host = f"[{host}]" if ":" in host else host
        port = "" if self.port is None else f":{self.port}"
        return f"{self.scheme.decode('ascii')}://{host}{port}{self.target.decode('ascii')}"


class Request:
    def __init__(self, method: Any, url: Any, *, headers: Any = None, content: Any = None, extensions: Any = None) -> None:
        self.method = method.decode("ascii") if isinstance(method, bytes) else method
        self.url, self.headers, self.stream, self.extensions = url, list(headers or ()), content, extensions or {}


class Response:
    def __init__(self, status: int, *, headers: Any, content: Any, extensions: Any = None) -> None:
        self.status, self.headers, self.stream, self.extensions = status, headers, content, extensions or {}


class _Body:
    """The body of an answer, in the parts in which it comes."""

    def __init__(self, answer: outside.Answer) -> None:
        self._answer = answer

    def _read(self) -> bytes:
        try:
            return self._answer.read()
        except border.Refused as refused:
            raise _READING.get(refused.kind, ReadError)(refused.message) from refused

    def __iter__(self) -> Iterator[bytes]:
        while part := self._read():
            yield part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            # Other tasks have their turn before each.
            await asyncio.sleep(0)
            if not (part := self._read()):
                return
            yield part

    def close(self) -> None:
        self._answer.close()

    async def aclose(self) -> None:
        self._answer.close()


def _asked(request: Request, body: bytes) -> Response:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
    times = outside.times(request.extensions.get("timeout") or {})
    label = request.extensions.get("idempotency_key")
    try:
        answer = outside.ask(request.method, str(request.url), headers, body, idempotency_key=label, **times)
    except border.Refused as refused:
        raise _ASKING.get(refused.kind, LocalProtocolError)(refused.message) from refused
    told = [(name.encode("latin-1", "replace"), value.encode("latin-1", "replace")) for name, value in answer.headers]
    return Response(answer.status, headers=told, content=_Body(answer), extensions={"http_version": b"HTTP/1.1"})


class ConnectionPool:
    """The host."""

    # `retries` is of connections that were never made. The host's failure is of one kind for these and for those that
    # broke once the request was sent, which may have been done: so nothing is asked again here.
    def __init__(self, *_: Any, **__: Any) -> None: ...

    def handle_request(self, request: Request) -> Response:
        return _asked(request, b"".join(request.stream))

    def close(self) -> None: ...

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None: ...


class AsyncConnectionPool(ConnectionPool):
    """The host, for asynchronous clients: requests are made one after the other."""

    async def handle_async_request(self, request: Request) -> Response:
        body = b"".join([part async for part in request.stream])
        await asyncio.sleep(0)
        return _asked(request, body)

    async def aclose(self) -> None: ...

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: Any) -> None: ...


HTTPProxy = SOCKSProxy = ConnectionPool
AsyncHTTPProxy = AsyncSOCKSProxy = AsyncConnectionPool


def default_ssl_context(**_: Any) -> None:
    """The host sees to the certificates."""
