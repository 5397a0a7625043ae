"""Clients: what all requests of one have in common."""

from __future__ import annotations

import datetime
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from ._auth import Auth, BasicAuth, auth_of
from ._config import DEFAULT_TIMEOUT, USE_CLIENT_DEFAULT, Timeout
from ._cookies import Cookies
from ._headers import Headers
from ._request import Request
from ._response import Response
from ._transport import AsyncHTTPTransport, HTTPTransport
from ._url import URL, QueryParams


class _Client:
    """What both kinds have. Of connections, certificates and proxies the host decides: what is given of them says nothing."""

    def __init__(
        self,
        *,
        auth: Any = None,
        params: Any = None,
        headers: Any = None,
        cookies: Any = None,
        timeout: Any = DEFAULT_TIMEOUT,
        follow_redirects: bool = False,
        event_hooks: Mapping[str, list[Any]] | None = None,
        base_url: Any = "",
        transport: Any = None,
        default_encoding: Any = "utf-8",
        verify: Any = True,
        cert: Any = None,
        http1: bool = True,
        http2: bool = False,
        proxy: Any = None,
        mounts: Any = None,
        limits: Any = None,
        max_redirects: int = 20,
        trust_env: bool = True,
    ) -> None:
        self.auth, self.params, self.cookies = auth_of(auth) if auth is not None else None, QueryParams(params), Cookies(cookies)
        self.headers = Headers({"Accept": "*/*", "User-Agent": "python-httpx"})
        self.headers.update(headers)
        self.timeout, self.follow_redirects, self.base_url = Timeout(timeout), follow_redirects, URL(base_url)
        self.event_hooks = {"request": [], "response": [], **(event_hooks or {})}
        self._transport, self._default_encoding, self.is_closed = transport, default_encoding, False

    def build_request(self, method: str, url: Any, *, params: Any = None, headers: Any = None, cookies: Any = None, timeout: Any = USE_CLIENT_DEFAULT, extensions: Any = None, **body: Any) -> Request:
        own = self.headers.copy()
        own.update(headers)
        merged = self.params.merge(params) if params or self.params else params
        asked = Request(method, self._url(url), params=merged, headers=own, cookies={**self.cookies, **Cookies(cookies)}, extensions=extensions, **body)
        asked.extensions.setdefault("timeout", (self.timeout if timeout is USE_CLIENT_DEFAULT else Timeout(timeout)).as_dict())
        return asked

    def _url(self, url: Any) -> URL:
        url = URL(url)
        if url.is_absolute_url or not self.base_url.host:
            return url
        base = str(self.base_url).partition("?")[0].rstrip("/")
        return URL(f"{base}/{str(url).lstrip('/')}")

    def _ready(self, request: Request, auth: Any, follow_redirects: Any) -> Any:
        """What makes of it the requests that are to be made."""
        if self.is_closed:
            raise RuntimeError("Cannot send a request, as the client has been closed.")
        request.check()
        follows = self.follow_redirects if follow_redirects is USE_CLIENT_DEFAULT else follow_redirects
        request.extensions.setdefault("follow_redirects", follows)
        by = self.auth if auth is USE_CLIENT_DEFAULT else auth_of(auth)
        if by is None and request.url.userinfo:
            by = BasicAuth(request.url.username, request.url.password)
        if request.url.userinfo:
            request.url = request.url.copy_with(userinfo=b"")
        return (by or Auth()).auth_flow(request)

    def _told(self, response: Response, request: Request, begun: float) -> Response:
        response.request, response.default_encoding = request, self._default_encoding
        response.elapsed = datetime.timedelta(seconds=time.time() - begun)
        return response


class Client(_Client):
    def send(self, request: Request, *, stream: bool = False, auth: Any = USE_CLIENT_DEFAULT, follow_redirects: Any = USE_CLIENT_DEFAULT) -> Response:
        request.read()
        flow = self._ready(request, auth, follow_redirects)
        asked = next(flow)
        while True:
            response = self._sent(asked)
            try:
                asked = flow.send(response)
            except StopIteration:
                break
            response.read()
        if not stream:
            response.read()
        return response

    def _sent(self, request: Request) -> Response:
        for hook in self.event_hooks["request"]:
            hook(request)
        begun = time.time()
        response = self._told((self._transport or HTTPTransport()).handle_request(request), request, begun)
        for hook in self.event_hooks["response"]:
            hook(response)
        return response

    def request(self, method: str, url: Any, *, auth: Any = USE_CLIENT_DEFAULT, follow_redirects: Any = USE_CLIENT_DEFAULT, **given: Any) -> Response:
        return self.send(self.build_request(method, url, **given), auth=auth, follow_redirects=follow_redirects)

    @contextmanager
    def stream(self, method: str, url: Any, *, auth: Any = USE_CLIENT_DEFAULT, follow_redirects: Any = USE_CLIENT_DEFAULT, **given: Any) -> Iterator[Response]:
        response = self.send(self.build_request(method, url, **given), stream=True, auth=auth, follow_redirects=follow_redirects)
        try:
            yield response
        finally:
            response.close()

    def get(self, url: Any, **given: Any) -> Response:
        return self.request("GET", url, **given)

    def options(self, url: Any, **given: Any) -> Response:
        return self.request("OPTIONS", url, **given)

    def head(self, url: Any, **given: Any) -> Response:
        return self.request("HEAD", url, **given)

    def post(self, url: Any, **given: Any) -> Response:
        return self.request("POST", url, **given)

    def put(self, url: Any, **given: Any) -> Response:
        return self.request("PUT", url, **given)

    def patch(self, url: Any, **given: Any) -> Response:
        return self.request("PATCH", url, **given)

    def delete(self, url: Any, **given: Any) -> Response:
        return self.request("DELETE", url, **given)

    def close(self) -> None:
        self.is_closed = True

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


class AsyncClient(_Client):
    """Requests are made one after the other, also where tasks wait for several."""

    async def send(self, request: Request, *, stream: bool = False, auth: Any = USE_CLIENT_DEFAULT, follow_redirects: Any = USE_CLIENT_DEFAULT) -> Response:
        await request.aread()
        flow = self._ready(request, auth, follow_redirects)
        asked = next(flow)
        while True:
            response = await self._sent(asked)
            try:
                asked = flow.send(response)
            except StopIteration:
                break
            await response.aread()
        if not stream:
            await response.aread()
        return response

    async def _sent(self, request: Request) -> Response:
        for hook in self.event_hooks["request"]:
            await hook(request)
        begun = time.time()
        response = self._told(await (self._transport or AsyncHTTPTransport()).handle_async_request(request), request, begun)
        for hook in self.event_hooks["response"]:
            await hook(response)
        return response

    async def request(self, method: str, url: Any, *, auth: Any = USE_CLIENT_DEFAULT, follow_redirects: Any = USE_CLIENT_DEFAULT, **given: Any) -> Response:
        return await self.send(self.build_request(method, url, **given), auth=auth, follow_redirects=follow_redirects)

    @asynccontextmanager
    async def stream(self, method: str, url: Any, *, auth: Any = USE_CLIENT_DEFAULT, follow_redirects: Any = USE_CLIENT_DEFAULT, **given: Any) -> AsyncIterator[Response]:
        response = await self.send(self.build_request(method, url, **given), stream=True, auth=auth, follow_redirects=follow_redirects)
        try:
            yield response
        finally:
            await response.aclose()

    async def get(self, url: Any, **given: Any) -> Response:
        return await self.request("GET", url, **given)

    async def options(self, url: Any, **given: Any) -> Response:
        return await self.request("OPTIONS", url, **given)

    async def head(self, url: Any, **given: Any) -> Response:
        return await self.request("HEAD", url, **given)

    async def post(self, url: Any, **given: Any) -> Response:
        return await self.request("POST", url, **given)

    async def put(self, url: Any, **given: Any) -> Response:
        return await self.request("PUT", url, **given)

    async def patch(self, url: Any, **given: Any) -> Response:
        return await self.request("PATCH", url, **given)

    async def delete(self, url: Any, **given: Any) -> Response:
        return await self.request("DELETE", url, **given)

    async def aclose(self) -> None:
        self.is_closed = True

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.aclose()


#: What a client is told, of the arguments of the functions below.
_CLIENTS = ("verify", "cert", "proxy", "trust_env", "cookies")


def request(method: str, url: Any, **given: Any) -> Response:
    """Makes one request."""
    own = {name: given.pop(name) for name in _CLIENTS if name in given}
    with Client(**own) as client:
        return client.request(method, url, **given)


@contextmanager
def stream(method: str, url: Any, **given: Any) -> Iterator[Response]:
    """Makes one request, whose answer is read as it comes."""
    own = {name: given.pop(name) for name in _CLIENTS if name in given}
    with Client(**own) as client, client.stream(method, url, **given) as response:
        yield response


def get(url: Any, **given: Any) -> Response:
    return request("GET", url, **given)


def options(url: Any, **given: Any) -> Response:
    return request("OPTIONS", url, **given)


def head(url: Any, **given: Any) -> Response:
    return request("HEAD", url, **given)


def post(url: Any, **given: Any) -> Response:
    return request("POST", url, **given)


def put(url: Any, **given: Any) -> Response:
    return request("PUT", url, **given)


def patch(url: Any, **given: Any) -> Response:
    return request("PATCH", url, **given)


def delete(url: Any, **given: Any) -> Response:
    return request("DELETE", url, **given)
