"""JSON that may not have come to its end: what `jiter` is used for, in pure Python."""

from __future__ import annotations

import json
import re
from typing import Any

_ENDS = {"{": "}", "[": "]"}
#: An escape that is not there as a whole, after escapes that are.
_CUT = re.compile(r"((?:^|[^\\])(?:\\\\)*)(?:\\u[dD][89abAB][0-9a-fA-F]{2})?(?:\\(?:u[0-9a-fA-F]{0,3})?)?\Z")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")
_NUMBER_BEGINS = re.compile(r"-?((0|[1-9]\d*)(\.\d*)?([eE][-+]?\d*)?)?")
#: How deep brackets may lie in each other.
_DEEPEST = 200
_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|[\[\]{}]', re.DOTALL)
#: An escape; within the group: half a pair of them, without the other half.
_ESCAPE = re.compile(r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL)
_WORDS = ("true", "false", "null", "NaN", "Infinity", "-Infinity")


def from_json(
    json_data: bytes,
    /,
    *,
    allow_inf_nan: bool = True,
    cache_mode: Any = "all",
    partial_mode: Any = False,
    catch_duplicate_keys: bool = False,
    float_mode: str = "float",
) -> Any:
    """Reads JSON. With `partial_mode` what is there of it: without the text at its end that is not closed yet
    (`True`, `"on"`), or with it (`"trailing-strings"`).

    What is no JSON, is deeper than the real one goes, or has half a character is a ValueError."""
    if partial_mode not in (False, True, "off", "on", "trailing-strings"):
        raise ValueError(f"`partial_mode` is 'off', 'on', 'trailing-strings' or a bool, and not {partial_mode!r}")
    text = bytes(json_data).decode()
    options: dict[str, Any] = {}
    if not allow_inf_nan:
        options["parse_constant"] = _refused
    if catch_duplicate_keys:
        options["object_pairs_hook"] = _unique
    if float_mode == "decimal":
        from decimal import Decimal

        options["parse_float"] = Decimal
    elif float_mode == "lossless-float":
        options["parse_float"] = LosslessFloat
    _refuse_deep(text)
    if partial_mode in (False, "off"):
        _refuse_halves(text)
        return json.loads(text, **options)
    closed = _closed(text, partial_mode == "trailing-strings").lstrip()
    value, end = json.JSONDecoder(**options).raw_decode(closed)
    # What comes after the value is not looked at.
    whole = closed[:end]
    _refuse_halves(whole if text.lstrip().startswith(whole) else _shortened(text))
    return value


def cache_clear() -> None:
    """There is no cache."""


def cache_usage() -> int:
    """Nothing is kept."""
    return 0


class LosslessFloat:
    """A number as it was written."""

    def __init__(self, json_float: str | bytes) -> None:
        self._said = json_float.decode() if isinstance(json_float, bytes) else json_float

    def as_decimal(self) -> Any:
        from decimal import Decimal

        return Decimal(self._said)

    def __float__(self) -> float:
        return float(self._said)

    def __bytes__(self) -> bytes:
        return self._said.encode()

    def __str__(self) -> str:
        return self._said

    def __repr__(self) -> str:
        return f"LosslessFloat({self._said})"


def _refused(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r} is there twice")
        found[key] = value
    return found


def _refuse_deep(text: str) -> None:
    """Refuses brackets that lie too deep for whoever reads them, each by a call of its own."""
    if text.count("[") + text.count("{") <= _DEEPEST:
        return
    depth = 0
    for found in _BRACKET.finditer(text):
        one = found[0]
        depth += (one in "[{") - (one in "]}")
        if depth > _DEEPEST:
            raise ValueError(f"brackets lie in each other more than {_DEEPEST} deep, at character {found.end()}")
        if depth <= 0:
            # What comes after the value is looked at by whoever reads it.
            return


def _refuse_halves(text: str) -> None:
    """Refuses half a character, which could be read, and never be written again."""
    if "\\ud" not in text and "\\uD" not in text:
        return
    for found in _ESCAPE.finditer(text):
        if found[1]:
            raise ValueError(f"\\{found[1]} is half a character, at character {found.end()}")


def _closed(text: str, keeps_text: bool) -> str:
    """The part of a JSON text that is whole, with its brackets closed."""
    open_brackets: list[str] = []
    # Up to where it is whole.
    whole = 0
    is_key, at = False, 0
    while at < len(text):
        one = text[at]
        if one == '"':
            begun, (at, is_closed) = at, _text(text, at)
            if is_key:
                continue
            if is_closed:
                whole = at
            elif keeps_text:
                return text[:begun] + _shortened(text[begun:]) + '"' + "".join(reversed(open_brackets))
            continue
        at += 1
        if one in _ENDS:
            open_brackets.append(_ENDS[one])
            is_key = one == "{"
            whole = at
        elif open_brackets and one == open_brackets[-1]:
            open_brackets.pop()
            is_key = False
            whole = at
        elif one == ":":
            is_key = False
        elif one == ",":
            is_key = bool(open_brackets) and open_brackets[-1] == "}"
        elif not one.isspace():
            begun = at - 1
            while at < len(text) and text[at] not in ',:]}"[{' and not text[at].isspace():
                at += 1
            said = text[begun:at]
            # What stands at the end may go on: it counts as far as it is a value already.
            if at < len(text) or said in _WORDS or _NUMBER.fullmatch(said):
                whole = at
            elif not _NUMBER_BEGINS.fullmatch(said) and not any(word.startswith(said) for word in _WORDS):
                raise ValueError(f"{said!r} is no JSON")
    return text if not open_brackets and whole == len(text.rstrip()) else text[:whole] + "".join(reversed(open_brackets))


def _text(text: str, at: int) -> tuple[int, bool]:
    """Where a text that begins there ends, and whether it does."""
    at += 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == '"':
            return at + 1, True
        else:
            at += 1
    return len(text), False


def _shortened(text: str) -> str:
    """A text without an escape, or half a pair of them, that is cut at its end."""
    return _CUT.sub(r"\1", text)
