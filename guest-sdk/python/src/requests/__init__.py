"""The package of that name, as far as workflows use it, on what `httpx` stands on here."""

from __future__ import annotations

import json as as_json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx

from . import auth as auth
from . import exceptions as exceptions
from .exceptions import (
    ConnectionError,
    ConnectTimeout,
    HTTPError,
    JSONDecodeError,
    ReadTimeout,
    RequestException,
    Timeout,
    TooManyRedirects,
    URLRequired,
)

__version__ = "2.32.0"
codes = httpx.codes

#: How the errors of `httpx` are called here: the first that fits.
_ERRORS = (
    (httpx.ConnectTimeout, ConnectTimeout),
    (httpx.TimeoutException, ReadTimeout),
    (httpx.ConnectError, ConnectionError),
    (httpx.UnsupportedProtocol, exceptions.MissingSchema),
    (httpx.InvalidURL, exceptions.InvalidURL),
    (httpx.LocalProtocolError, exceptions.InvalidHeader),
    (httpx.DecodingError, exceptions.ContentDecodingError),
    (httpx.TransportError, exceptions.ChunkedEncodingError),
    (httpx.StreamError, exceptions.StreamConsumedError),
)


def _told(function: Any, *given: Any, **options: Any) -> Any:
    try:
        return function(*given, **options)
    except tuple(theirs for theirs, _ in _ERRORS) as error:
        kind = next(own for theirs, own in _ERRORS if isinstance(error, theirs))
        raise kind(str(error), request=getattr(error, "_request", None)) from error


class Response:
    """An answer. Its body is read at once, unless it was asked for with `stream=True`."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer
        self.status_code, self.headers, self.reason = answer.status_code, answer.headers, answer.reason_phrase
        self.url, self.request, self.elapsed, self.cookies = str(answer.url), answer.request, answer.elapsed, answer.cookies
        self.history: list[Response] = []
        self.encoding = answer.charset_encoding or ("utf-8" if "json" in answer.headers.get("content-type", "") else None)
        self.apparent_encoding = "utf-8"

    ok = property(lambda self: self.status_code < 400)
    is_redirect = property(lambda self: self._answer.has_redirect_location)

    @property
    def content(self) -> bytes:
        return _told(self._answer.read)

    @property
    def text(self) -> str:
        return self.content.decode(self.encoding or self.apparent_encoding, "replace")

    def json(self, **options: Any) -> Any:
        try:
            return as_json.loads(self.content, **options)
        except as_json.JSONDecodeError as error:
            raise JSONDecodeError(error.msg, error.doc, error.pos) from error

    def raise_for_status(self) -> None:
        if self.status_code >= 400:
            whose = "Client" if self.status_code < 500 else "Server"
            raise HTTPError(f"{self.status_code} {whose} Error: {self.reason} for url: {self.url}", response=self)

    def iter_content(self, chunk_size: int | None = 1, decode_unicode: bool = False) -> Iterator[Any]:
        parts = self._answer.iter_text(chunk_size) if decode_unicode else self._answer.iter_bytes(chunk_size)
        while (part := _told(next, parts, None)) is not None:
            yield part

    def iter_lines(self, chunk_size: int = 512, decode_unicode: bool = False, delimiter: Any = None) -> Iterator[Any]:
        if delimiter is not None:
            raise NotImplementedError("lines end with a line feed here: `delimiter` cannot be another")
        lines = self._answer.iter_lines()
        while (line := _told(next, lines, None)) is not None:
            yield line if decode_unicode else line.encode(self._answer.encoding)

    def close(self) -> None:
        self._answer.close()

    def __bool__(self) -> bool:
        return self.ok

    def __iter__(self) -> Iterator[bytes]:
        return self.iter_content(128)

    def __enter__(self) -> Response:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Response [{self.status_code}]>"


class Session:
    """What several requests have in common. `verify`, `cert`, `proxies` and adapters say nothing: the host makes the connection."""

    def __init__(self) -> None:
        self.headers = httpx.Headers({"User-Agent": "python-requests", "Accept": "*/*"})
        self.params: Any = {}
        self.cookies: Any = {}
        self.auth: Any = None
        self.verify, self.cert, self.proxies, self.hooks = True, None, {}, {}

    def request(
        self,
        method: str,
        url: str,
        params: Any = None,
        data: Any = None,
        headers: Any = None,
        cookies: Any = None,
        files: Any = None,
        auth: Any = None,
        timeout: Any = None,
        allow_redirects: bool = True,
        proxies: Any = None,
        hooks: Any = None,
        stream: bool = False,
        verify: Any = None,
        cert: Any = None,
        json: Any = None,
    ) -> Response:
        own = self.headers.copy()
        own.update({name: value for name, value in (headers or {}).items() if value is not None})
        given = {"headers": own, "cookies": {**self.cookies, **(cookies or {})}, "timeout": timeout, **_body(data, files, json)}
        with httpx.Client() as client:
            asked = _told(client.build_request, method, _told(_url, url, self.params, params), **given)
            answer = _told(client.send, asked, stream=stream, auth=auth or self.auth or httpx.USE_CLIENT_DEFAULT, follow_redirects=allow_redirects)
        return Response(answer)

    def get(self, url: str, **given: Any) -> Response:
        return self.request("GET", url, **given)

    def options(self, url: str, **given: Any) -> Response:
        return self.request("OPTIONS", url, **given)

    def head(self, url: str, **given: Any) -> Response:
        return self.request("HEAD", url, **{"allow_redirects": False, **given})

    def post(self, url: str, data: Any = None, json: Any = None, **given: Any) -> Response:
        return self.request("POST", url, data=data, json=json, **given)

    def put(self, url: str, data: Any = None, **given: Any) -> Response:
        return self.request("PUT", url, data=data, **given)

    def patch(self, url: str, data: Any = None, **given: Any) -> Response:
        return self.request("PATCH", url, data=data, **given)

    def delete(self, url: str, **given: Any) -> Response:
        return self.request("DELETE", url, **given)

    def mount(self, prefix: str, adapter: Any) -> None: ...

    def close(self) -> None: ...

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()


def _url(url: Any, *more: Any) -> httpx.URL:
    """The URL with further parameters behind its own."""
    made = httpx.URL(url.decode() if isinstance(url, bytes) else url)
    added: list[Any] = []
    for params in more:
        kept = {name: value for name, value in params.items() if value is not None} if isinstance(params, Mapping) else params
        added += httpx.QueryParams(kept or ()).multi_items()
    return made.copy_with(params=[*made.params.multi_items(), *added]) if added else made


def _body(data: Any, files: Any, json: Any) -> dict[str, Any]:
    if files:
        return {"data": dict(data or {}), "files": files}
    if hasattr(data, "read"):
        return {"content": data.read()}
    if isinstance(data, (list, tuple)):
        joined: dict[str, list[Any]] = {}
        for name, value in data:
            joined.setdefault(name, []).append(value)
        return {"data": joined}
    if data:
        return {"data": data} if isinstance(data, Mapping) else {"content": data}
    return {"json": json}


def session() -> Session:
    return Session()


def request(method: str, url: str, **given: Any) -> Response:
    """Makes one request."""
    return Session().request(method, url, **given)


def get(url: str, params: Any = None, **given: Any) -> Response:
    return Session().get(url, params=params, **given)


def options(url: str, **given: Any) -> Response:
    return Session().options(url, **given)


def head(url: str, **given: Any) -> Response:
    return Session().head(url, **given)


def post(url: str, data: Any = None, json: Any = None, **given: Any) -> Response:
    return Session().post(url, data=data, json=json, **given)


def put(url: str, data: Any = None, **given: Any) -> Response:
    return Session().put(url, data=data, **given)


def patch(url: str, data: Any = None, **given: Any) -> Response:
    return Session().patch(url, data=data, **given)


def delete(url: str, **given: Any) -> Response:
    return Session().delete(url, **given)
