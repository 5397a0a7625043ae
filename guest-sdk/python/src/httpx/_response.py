"""An answer: its head, and a body that is read as it comes."""

from __future__ import annotations

import asyncio
import codecs
import datetime
import json as as_json
from collections.abc import AsyncIterator, Iterator
from email.message import Message
from enum import IntEnum
from http import HTTPStatus
from typing import Any

from . import _cookies
from ._decoding import Lines, Pieces, Unpacked
from ._errors import HTTPStatusError, ResponseNotRead, StreamClosed, StreamConsumed
from ._headers import Headers
from ._request import _body

codes = IntEnum("codes", {it.name: it.value for it in HTTPStatus} | {it.name.lower(): it.value for it in HTTPStatus})
_KINDS = {1: "Informational response", 3: "Redirect response", 4: "Client error", 5: "Server error"}


class Response:
    """`source` gives the parts of a body; what a test makes has it whole."""

    def __init__(
        self,
        status_code: int,
        *,
        headers: Any = None,
        content: Any = None,
        text: str | None = None,
        html: str | None = None,
        json: Any = None,
        stream: Any = None,
        request: Any = None,
        extensions: dict[str, Any] | None = None,
        history: list[Response] | None = None,
        default_encoding: Any = "utf-8",
        source: Any = None,
    ) -> None:
        self.status_code, self.headers, self._request = int(status_code), Headers(headers), request
        self.extensions, self.history, self.default_encoding = dict(extensions or {}), list(history or ()), default_encoding
        self.next_request, self.is_closed, self.is_stream_consumed, self.num_bytes_downloaded = None, False, False, 0
        self.elapsed = datetime.timedelta(0)
        self._source, self._encoding, self._url = source, None, None
        if source is None:
            kind = None
            if text is not None or html is not None:
                kind, content = f"text/{'plain' if html is None else 'html'}; charset=utf-8", (text if html is None else html).encode()
            elif content is None and stream is None:
                kind, content = _body(None, None, None, json)
            whole = content if content is not None else stream
            self._content = whole.encode() if isinstance(whole, str) else whole if isinstance(whole, bytes) else b"".join(whole)
            self.is_closed = self.is_stream_consumed = True
            if kind and "content-type" not in self.headers:
                self.headers["Content-Type"] = kind

    @property
    def request(self) -> Any:
        if self._request is None:
            raise RuntimeError("The request instance has not been set on this response.")
        return self._request

    @request.setter
    def request(self, request: Any) -> None:
        self._request = request

    @property
    def url(self) -> Any:
        return self._url or self.request.url

    @property
    def reason_phrase(self) -> str:
        return next((it.phrase for it in HTTPStatus if it == self.status_code), "")

    @property
    def http_version(self) -> str:
        return "HTTP/1.1"

    @property
    def content(self) -> bytes:
        if not hasattr(self, "_content"):
            raise ResponseNotRead
        return self._content

    @property
    def charset_encoding(self) -> str | None:
        message = Message()
        message["content-type"] = self.headers.get("content-type", "")
        return message.get_content_charset(failobj=None)

    @property
    def encoding(self) -> str:
        if self._encoding is None:
            said = self.charset_encoding
            try:
                codecs.lookup(said or "")
            except LookupError:
                said = self.default_encoding if isinstance(self.default_encoding, str) else self.default_encoding(getattr(self, "_content", b""))
            self._encoding = said or "utf-8"
        return self._encoding

    @encoding.setter
    def encoding(self, encoding: str) -> None:
        self._encoding = encoding

    @property
    def text(self) -> str:
        return self.content.decode(self.encoding, "replace")

    def json(self, **options: Any) -> Any:
        return as_json.loads(self.content, **options)

    @property
    def cookies(self) -> Any:
        return _cookies.set_by(self.headers.get_list("set-cookie"))

    is_informational = property(lambda self: 100 <= self.status_code < 200)
    is_success = property(lambda self: 200 <= self.status_code < 300)
    is_redirect = property(lambda self: 300 <= self.status_code < 400)
    is_client_error = property(lambda self: 400 <= self.status_code < 500)
    is_server_error = property(lambda self: 500 <= self.status_code < 600)
    is_error = property(lambda self: 400 <= self.status_code < 600)
    has_redirect_location = property(lambda self: self.status_code in (301, 302, 303, 307, 308) and "location" in self.headers)

    def raise_for_status(self) -> Response:
        """Itself, where it is no error."""
        request = self.request
        if self.is_success:
            return self
        message = f"{_KINDS.get(self.status_code // 100, 'Invalid status code')} '{self.status_code} {self.reason_phrase}' for url '{self.url}'"
        if self.has_redirect_location:
            message += f"\nRedirect location: '{self.headers['location']}'"
        raise HTTPStatusError(message, request=request, response=self)

    def _parts(self) -> Iterator[bytes]:
        """The body as it comes over the line."""
        if self.is_stream_consumed:
            raise StreamConsumed
        if self.is_closed:
            raise StreamClosed
        self.is_stream_consumed = True
        while part := self._source.read():
            self.num_bytes_downloaded += len(part)
            yield part
        self.close()

    def iter_raw(self, chunk_size: int | None = None) -> Iterator[bytes]:
        pieces = Pieces(chunk_size)
        for part in self._parts():
            yield from pieces.add(part)
        yield from pieces.end()

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        pieces = Pieces(chunk_size)
        if hasattr(self, "_content"):
            yield from [*pieces.add(self._content), *pieces.end()]
            return
        unpacked = Unpacked(self.headers.get_list("content-encoding", split_commas=True))
        for part in self._parts():
            yield from pieces.add(unpacked.add(part))
        yield from [*pieces.add(unpacked.end()), *pieces.end()]

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        decoder, pieces = codecs.getincrementaldecoder(self.encoding)("replace"), Pieces(chunk_size)
        for part in self.iter_bytes():
            yield from pieces.add(decoder.decode(part))
        yield from [*pieces.add(decoder.decode(b"", True)), *pieces.end()]

    def iter_lines(self) -> Iterator[str]:
        lines = Lines()
        for text in self.iter_text():
            yield from lines.add(text)
        yield from lines.end()

    def read(self) -> bytes:
        if not hasattr(self, "_content"):
            self._content = b"".join(self.iter_bytes())
        return self._content

    def close(self) -> None:
        self.is_closed = True
        if self._source is not None:
            self._source.close()

    async def aiter_raw(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        async for it in _beside(self.iter_raw(chunk_size)):
            yield it

    async def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        async for it in _beside(self.iter_bytes(chunk_size)):
            yield it

    async def aiter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        async for it in _beside(self.iter_text(chunk_size)):
            yield it

    async def aiter_lines(self) -> AsyncIterator[str]:
        async for it in _beside(self.iter_lines()):
            yield it

    async def aread(self) -> bytes:
        if not hasattr(self, "_content"):
            self._content = b"".join([it async for it in self.aiter_bytes()])
        return self._content

    async def aclose(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Response [{self.status_code} {self.reason_phrase}]>"


async def _beside(parts: Iterator[Any]) -> AsyncIterator[Any]:
    """Other tasks have their turn before each."""
    while True:
        await asyncio.sleep(0)
        try:
            part = next(parts)
        except StopIteration:
            return
        yield part
