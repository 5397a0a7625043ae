"""URLs and their parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urljoin, urlsplit, urlunsplit

from ._errors import InvalidURL

_PORTS = {"http": 80, "https": 443}
_PATH = "/%:@!$&'()*+,;=~"
_QUERY = _PATH + "?"


def _shown(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


class QueryParams(Mapping):
    """Parameters, of which a name may come again. None is ever changed."""

    def __init__(self, *given: Any, **more: Any) -> None:
        it = given[0] if given else more
        if isinstance(it, QueryParams):
            pairs = it._pairs
        elif isinstance(it, (str, bytes)):
            pairs = parse_qsl(it.decode() if isinstance(it, bytes) else it, keep_blank_values=True)
        elif isinstance(it, Mapping):
            pairs = [(name, one) for name, value in it.items() for one in (value if isinstance(value, (list, tuple)) else [value])]
        else:
            pairs = it or ()
        self._pairs = [(str(name), _shown(value)) for name, value in pairs]

    def multi_items(self) -> list[tuple[str, str]]:
        return list(self._pairs)

    def get_list(self, key: str) -> list[str]:
        return [value for name, value in self._pairs if name == key]

    def set(self, key: str, value: Any = None) -> QueryParams:
        return QueryParams([*self.remove(key)._pairs, (key, value)])

    def add(self, key: str, value: Any = None) -> QueryParams:
        return QueryParams([*self._pairs, (key, value)])

    def remove(self, key: str) -> QueryParams:
        return QueryParams([it for it in self._pairs if it[0] != key])

    def merge(self, params: Any = None) -> QueryParams:
        new = QueryParams(params)
        return QueryParams([*(it for it in self._pairs if it[0] not in new), *new._pairs])

    def __getitem__(self, key: str) -> str:
        for name, value in self._pairs:
            if name == key:
                return value
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._pairs))

    def __len__(self) -> int:
        return len(dict(self._pairs))

    def __str__(self) -> str:
        return urlencode(self._pairs)

    def __repr__(self) -> str:
        return f"QueryParams({str(self)!r})"


class URL:
    """A URL. None is ever changed."""

    def __init__(self, url: Any = "", **changes: Any) -> None:
        text = str(url)
        if any(ord(it) < 32 or ord(it) == 127 for it in text):
            raise InvalidURL("Invalid non-printable ASCII character in URL")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError as error:
            raise InvalidURL(f"Invalid URL {text!r}: {error}") from None
        known = {"scheme": parts.scheme.lower(), "host": parts.hostname or "", "port": port, "userinfo": parts.netloc.rpartition("@")[0].encode()}
        known |= {"path": parts.path, "fragment": unquote(parts.fragment)}
        query = quote(parts.query, safe=_QUERY)
        if (params := changes.pop("params", None)) is not None:
            query = str(QueryParams(params))
        if (raw := changes.pop("raw_path", None)) is not None:
            path, _, query = raw.decode("ascii").partition("?")
            changes["path"] = unquote(path)
        if wrong := set(changes) - set(known):
            raise TypeError(f"{wrong.pop()!r} is no part of a URL that can be changed here")
        known |= changes
        self.scheme, self.host, port, self.userinfo, path, self.fragment = known.values()
        self.port = None if port == _PORTS.get(self.scheme) else port
        self._path, self._query = quote(path, safe=_PATH), query
        host = f"[{self.host}]" if ":" in self.host else self.host
        self._netloc = host if self.port is None else f"{host}:{self.port}"
        before = f"{self.userinfo.decode()}@" if self.userinfo else ""
        self._text = urlunsplit((self.scheme, before + self._netloc, self._path, self._query, quote(self.fragment, safe=_QUERY)))

    @property
    def path(self) -> str:
        return unquote(self._path) or "/"

    @property
    def query(self) -> bytes:
        return self._query.encode()

    @property
    def raw_path(self) -> bytes:
        return ((self._path or "/") + (f"?{self._query}" if self._query else "")).encode()

    @property
    def netloc(self) -> bytes:
        return self._netloc.encode()

    @property
    def username(self) -> str:
        return unquote(self.userinfo.decode().partition(":")[0])

    @property
    def password(self) -> str:
        return unquote(self.userinfo.decode().partition(":")[2])

    @property
    def params(self) -> QueryParams:
        return QueryParams(self._query)

    @property
    def is_absolute_url(self) -> bool:
        return bool(self.scheme and self.host)

    @property
    def is_relative_url(self) -> bool:
        return not self.is_absolute_url

    def copy_with(self, **changes: Any) -> URL:
        return URL(self, **changes)

    def copy_set_param(self, key: str, value: Any = None) -> URL:
        return URL(self, params=self.params.set(key, value))

    def copy_add_param(self, key: str, value: Any = None) -> URL:
        return URL(self, params=self.params.add(key, value))

    def copy_remove_param(self, key: str) -> URL:
        return URL(self, params=self.params.remove(key))

    def copy_merge_params(self, params: Any) -> URL:
        return URL(self, params=self.params.merge(params))

    def join(self, url: Any) -> URL:
        return URL(urljoin(str(self), str(URL(url))))

    def __str__(self) -> str:
        return self._text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (URL, str)) and str(self) == str(URL(other))

    def __hash__(self) -> int:
        return hash(self._text)

    def __repr__(self) -> str:
        return f"URL({self._text!r})"
