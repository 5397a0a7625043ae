"""Headers: pairs in order, found in whatever case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if not isinstance(value, str):
        raise TypeError(f"Header value must be str or bytes, not {type(value)}")
    return value


class Headers(MutableMapping):
    """Several of one name are one text, joined by commas; `multi_items` has them apart."""

    def __init__(self, headers: Any = None, encoding: str | None = None) -> None:
        if isinstance(headers, Headers):
            pairs = headers._pairs
        elif isinstance(headers, Mapping):
            pairs = headers.items()
        else:
            pairs = headers or ()
        self._pairs = [(_text(name), _text(value)) for name, value in pairs]
        self.encoding = encoding or "utf-8"

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        return [(name.encode("latin-1"), value.encode("utf-8")) for name, value in self._pairs]

    def multi_items(self) -> list[tuple[str, str]]:
        return [(name.lower(), value) for name, value in self._pairs]

    def get_list(self, key: str, split_commas: bool = False) -> list[str]:
        found = [value for name, value in self._pairs if name.lower() == key.lower()]
        return [part.strip() for value in found for part in value.split(",")] if split_commas else found

    def update(self, headers: Any = None) -> None:
        new = Headers(headers)
        self._pairs = [(name, value) for name, value in self._pairs if name not in new] + new._pairs

    def copy(self) -> Headers:
        return Headers(self)

    def __getitem__(self, key: str) -> str:
        if found := self.get_list(key):
            return ", ".join(found)
        raise KeyError(key)

    def __setitem__(self, key: str, value: str) -> None:
        at = next((at for at, (name, _) in enumerate(self._pairs) if name.lower() == key.lower()), len(self._pairs))
        self._pairs[at:] = [(key, _text(value)), *(it for it in self._pairs[at + 1 :] if it[0].lower() != key.lower())]

    def __delitem__(self, key: str) -> None:
        left = [it for it in self._pairs if it[0].lower() != key.lower()]
        if len(left) == len(self._pairs):
            raise KeyError(key)
        self._pairs = left

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and any(name.lower() == key.lower() for name, _ in self._pairs)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name.lower() for name, _ in self._pairs))

    def __len__(self) -> int:
        return len({name.lower() for name, _ in self._pairs})

    def __eq__(self, other: object) -> bool:
        try:
            return sorted(self.multi_items()) == sorted(Headers(other).multi_items())
        except (TypeError, ValueError):
            return False

    def __repr__(self) -> str:
        # What lets somebody in is not shown.
        shown = {name: "[secure]" if name in ("authorization", "proxy-authorization") else value for name, value in self.items()}
        return f"Headers({shown!r})"
