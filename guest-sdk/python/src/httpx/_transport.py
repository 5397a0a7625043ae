"""What makes requests: the host, or a function of a test."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

from wf_guest import border, outside

from . import _errors
from ._response import Response
from ._url import URL

#: How the kinds of the host's failures are called here: of a request, and of a body that is read.
_ASKING = {"denied": _errors.NotGranted, "secret": _errors.NotGranted, "timeout": _errors.ReadTimeout, "network": _errors.ConnectError}
_READING = {"timeout": _errors.ReadTimeout, "limit": _errors.RemoteProtocolError}


def _error(refused: border.Refused, kinds: dict[str, Any], usual: Any, request: Any) -> Exception:
    return kinds.get(refused.kind, usual)(refused.message, request=request)


class _Source:
    """The body of an answer."""

    def __init__(self, answer: outside.Answer, request: Any) -> None:
        self._answer, self._request = answer, request

    def read(self) -> bytes:
        try:
            return self._answer.read()
        except border.Refused as refused:
            raise _error(refused, _READING, _errors.ReadError, self._request) from refused

    def close(self) -> None:
        self._answer.close()


def _asked(request: Any) -> Response:
    """Asks the host."""
    request.check()
    times = outside.times(request.extensions.get("timeout") or {})
    label, follows = request.extensions.get("idempotency_key"), bool(request.extensions.get("follow_redirects"))
    try:
        answer = outside.ask(request.method, str(request.url), request.headers.multi_items(), request.content, follows, idempotency_key=label, **times)
    except border.Refused as refused:
        raise _error(refused, _ASKING, _errors.LocalProtocolError, request) from refused
    response = Response(answer.status, headers=answer.headers, request=request, source=_Source(answer, request))
    response._url = URL(answer.url)
    return response


class BaseTransport:
    def handle_request(self, request: Any) -> Response:
        raise NotImplementedError

    def close(self) -> None: ...

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class AsyncBaseTransport:
    async def handle_async_request(self, request: Any) -> Response:
        raise NotImplementedError

    async def aclose(self) -> None: ...

    async def __aenter__(self) -> Any:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()


class HTTPTransport(BaseTransport):
    """The host: what is said of it is the host's own, and says nothing."""

    # `retries` is of connections that were never made. The host's failure is of one kind for these and for those that
    # broke once the request was sent, which may have been done: so nothing is asked again here.
    def __init__(self, *_: Any, **__: Any) -> None: ...

    def handle_request(self, request: Any) -> Response:
        return _asked(request)


class AsyncHTTPTransport(AsyncBaseTransport):
    """The host, for asynchronous clients: requests are made one after the other."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    async def handle_async_request(self, request: Any) -> Response:
        await asyncio.sleep(0)
        return _asked(request)


class MockTransport(BaseTransport, AsyncBaseTransport):
    """A function that answers requests."""

    def __init__(self, handler: Any) -> None:
        self.handler = handler

    def handle_request(self, request: Any) -> Response:
        request.read()
        return self.handler(request)

    async def handle_async_request(self, request: Any) -> Response:
        await request.aread()
        answer = self.handler(request)
        return await answer if inspect.isawaitable(answer) else answer
