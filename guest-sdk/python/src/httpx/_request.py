"""A request, and the bodies that it can have."""

from __future__ import annotations

import json as as_json
import mimetypes
import os
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from ._cookies import Cookies
from ._errors import RequestNotRead, UnsupportedProtocol
from ._headers import Headers
from ._url import URL

#: How a file of a form is told: a name, what is in it, and perhaps of what type it is.
_FILE = ("name", "content", "type", "headers")


class Request:
    """What is to be asked. Its body is there once it has been read."""

    def __init__(
        self,
        method: str,
        url: Any,
        *,
        params: Any = None,
        headers: Any = None,
        cookies: Any = None,
        content: Any = None,
        data: Any = None,
        files: Any = None,
        json: Any = None,
        stream: Any = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        self.method = method.decode().upper() if isinstance(method, bytes) else method.upper()
        self.url = URL(url) if params is None else URL(url, params=params)
        self.headers, self.extensions = Headers(headers), dict(extensions or {})
        if cookies:
            self.headers["Cookie"] = Cookies(cookies).header()
        if isinstance(data, (str, bytes)):
            content, data = data, None
        kind, self._body = _body(content, data, files, json) if stream is None else (None, stream)
        if kind and "content-type" not in self.headers:
            self.headers["Content-Type"] = kind
        if "host" not in self.headers and self.url.host:
            self.headers["Host"] = self.url.netloc.decode()
        if isinstance(self._body, bytes) and (self._body or self.method in ("POST", "PUT", "PATCH")):
            self.headers["Content-Length"] = str(len(self._body))

    @property
    def content(self) -> bytes:
        if not isinstance(self._body, bytes):
            raise RequestNotRead
        return self._body

    def read(self) -> bytes:
        if not isinstance(self._body, bytes):
            self._body = b"".join(_bytes(it) for it in self._body)
        return self._body

    async def aread(self) -> bytes:
        if isinstance(self._body, AsyncIterable):
            self._body = b"".join([_bytes(it) async for it in self._body])
        return self.read()

    def check(self) -> None:
        """Raises where it can go nowhere."""
        if self.url.scheme not in ("http", "https") or not self.url.host:
            raise UnsupportedProtocol("Request URL is missing an 'http://' or 'https://' protocol.", request=self)

    def __repr__(self) -> str:
        return f"<Request({self.method!r}, {str(self.url)!r})>"


def _bytes(it: Any) -> bytes:
    return it.encode() if isinstance(it, str) else bytes(it)


def _body(content: Any, data: Any, files: Any, json: Any) -> tuple[str | None, Any]:
    """Its type, and itself."""
    if content is not None:
        if isinstance(content, (str, bytes)):
            return None, _bytes(content)
        if not isinstance(content, (Iterable, AsyncIterable)):
            raise TypeError(f"Unexpected type for 'content', {type(content)!r}")
        return None, content
    if files:
        return _form(data or {}, files)
    if data:
        pairs = [(name, one) for name, value in data.items() for one in (value if isinstance(value, (list, tuple)) else [value])]
        shown = [(name, "" if value is None else str(value).lower() if isinstance(value, bool) else value) for name, value in pairs]
        return "application/x-www-form-urlencoded", urlencode(shown).encode()
    if json is not None:
        return "application/json", as_json.dumps(json, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    return None, b""


def _form(data: Any, files: Any) -> tuple[str, bytes]:
    """A form with files in it."""
    border = os.urandom(16).hex()
    parts = [(name, None, one, None) for name, value in data.items() for one in (value if isinstance(value, (list, tuple)) else [value])]
    for name, file in files.items() if isinstance(files, Mapping) else files:
        given = dict(zip(_FILE, file)) if isinstance(file, tuple) else {"name": os.path.basename(str(getattr(file, "name", "upload"))), "content": file}
        kind = given.get("type") or mimetypes.guess_type(given["name"] or "")[0] or "application/octet-stream"
        parts.append((name, given["name"], given["content"], kind))
    body = bytearray()
    for name, filename, value, kind in parts:
        value = value.read() if hasattr(value, "read") else value
        named = f'; filename="{_quoted(filename)}"' if filename is not None else ""
        typed = f"\r\nContent-Type: {kind}" if kind else ""
        body += f'--{border}\r\nContent-Disposition: form-data; name="{_quoted(name)}"{named}{typed}\r\n\r\n'.encode()
        body += value if isinstance(value, bytes) else str(value).encode()
        body += b"\r\n"
    body += f"--{border}--\r\n".encode()
    return f"multipart/form-data; boundary={border}", bytes(body)


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
