"""Cookies by name. They are sent as given, and what answers set is not kept for later requests."""

from __future__ import annotations

from http.cookies import CookieError, SimpleCookie
from typing import Any


class Cookies(dict):
    def __init__(self, cookies: Any = None) -> None:
        super().__init__(cookies or {})

    def set(self, name: str, value: str, domain: str = "", path: str = "/") -> None:
        self[name] = value

    def header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.items())


def set_by(values: list[str]) -> Cookies:
    """Those of `set-cookie` headers."""
    found = Cookies()
    for value in values:
        try:
            found.update((name, it.value) for name, it in SimpleCookie(value).items())
        except CookieError:
            continue
    return found
