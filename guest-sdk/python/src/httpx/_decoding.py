"""Bodies that come in parts: unpacked, as text, by lines."""

from __future__ import annotations

import zlib
from typing import Any

from ._errors import DecodingError

#: The window of zlib that finds out by itself whether it is gzip.
_EITHER = 47


class Unpacked:
    """Bytes as they were before `content-encoding`."""

    def __init__(self, encodings: list[str]) -> None:
        self._steps: list[Any] = []
        for name in reversed([it.strip().lower() for it in encodings]):
            if name in ("gzip", "x-gzip"):
                self._steps.append(zlib.decompressobj(_EITHER))
            elif name == "deflate":
                self._steps.append(_Deflate())
            elif name not in ("", "identity"):
                raise DecodingError(f"the answer is packed as {name!r}, which cannot be unpacked here: say `Accept-Encoding: identity`")

    def add(self, part: bytes) -> bytes:
        for step in self._steps:
            try:
                part = step.decompress(part)
            except zlib.error as error:
                raise DecodingError(str(error)) from error
        return part

    def end(self) -> bytes:
        rest = b""
        for step in self._steps:
            rest = (step.decompress(rest) if rest else b"") + step.flush()
        return rest


class _Deflate:
    """Some send it without its head."""

    def __init__(self) -> None:
        self._is_first, self._by = True, zlib.decompressobj()

    def decompress(self, part: bytes) -> bytes:
        was_first, self._is_first = self._is_first, False
        try:
            return self._by.decompress(part)
        except zlib.error:
            if not was_first:
                raise
            self._by = zlib.decompressobj(-zlib.MAX_WBITS)
            return self._by.decompress(part)

    def flush(self) -> bytes:
        return self._by.flush()


class Lines:
    """Lines of a text, without their ends."""

    def __init__(self) -> None:
        #: What has come of a line that has not ended.
        self._rest: list[str] = []
        #: A carriage return that may be half of an end.
        self._half = ""

    def add(self, text: str) -> list[str]:
        text, self._half = self._half + text, ""
        if text.endswith("\r"):
            text, self._half = text[:-1], "\r"
        first, *others = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._rest.append(first)
        if not others:
            return []
        *lines, last = "".join(self._rest), *others
        self._rest = [last]
        return lines

    def end(self) -> list[str]:
        ended, rest = bool(self._half), "".join(self._rest)
        self._half, self._rest = "", []
        return [rest] if rest or ended else []


class Pieces:
    """Bytes, or text, in pieces of one size."""

    def __init__(self, size: int | None) -> None:
        self._size, self._rest = size, None

    def add(self, part: Any) -> list[Any]:
        if self._size is None:
            return [part] if part else []
        rest = part if self._rest is None else self._rest + part
        whole = len(rest) - len(rest) % self._size
        self._rest = rest[whole:]
        return [rest[at : at + self._size] for at in range(0, whole, self._size)]

    def end(self) -> list[Any]:
        return [self._rest] if self._rest else []
