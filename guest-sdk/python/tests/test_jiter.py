"""This package's jiter beside the real one: every beginning of some texts."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import jiter
import pytest

VALUES = [
    {"order": 7, "name": 'a"b\\c\u00e9\n\U0001f600', "list": [1, -2.5, 1e5, True, False, None, "x", [], {}], "n": {"a": {"b": [{"c": "d"}]}}},
    [1, [2, [3, "q"]]],
    "a text",
    -12.5,
]
TEXTS = sorted({json.dumps(it, ensure_ascii=plain, indent=indent) for it in VALUES for plain in (True, False) for indent in (None, 1)})
GIVEN = [text[:end] for text in TEXTS for end in range(len(text) + 1)] + ["[1,]", "{'a':1}", "nope", "[nope", '{"a":tru', "[01", "1 2", "]", '"\\', '["\\ud83d\\ude']
#: Half a character, alone and beside others; what only looks like it; and after the value, where nothing is read.
HALVES = [r'["\ud83d", 1]', r'{"a\uDE00": 1}', r'"\ud83d\u0041"', r'["\ud83d\ud83d\ude00"]', r'["\ud83dx"]', r'["\\ud83d"]', r'["\\\ud83d"]', r'["\ud83d\ude00"]']
GIVEN += [text[:end] for text in HALVES for end in range(len(text) + 1)] + [r'[1] "\ude00"', r'[1, "\ude00']
#: The real one has one more that is empty: these are not.
DEEP = [("[" * deep, "1", "]" * deep) for deep in (199, 200, 202, 200_000)] + [('{"a":' * deep, "1", "}" * deep) for deep in (200, 201)]
GIVEN += [text for begin, value, end in DEEP for text in (begin + value + end, begin + value, "[1] " + begin, '["' + begin.replace('"', "") + '"]')]
#: Run without this package on its path.
REAL = """
import json, sys, jiter
for text, mode in json.load(sys.stdin):
    try:
        print(json.dumps(repr(jiter.from_json(text.encode(), partial_mode=mode))))
    except ValueError:
        print(json.dumps("refused"))
"""


@pytest.mark.parametrize("mode", [False, True, "off", "on", "trailing-strings"])
def test_what_is_not_whole_is_read_as_the_real_one_reads_it(mode):
    assert Path(jiter.__file__).is_relative_to(Path(__file__).resolve().parent.parent / "src")
    asked = json.dumps([(text, mode) for text in GIVEN])
    done = subprocess.run([sys.executable, "-P", "-c", REAL], input=asked, capture_output=True, text=True, env={})
    assert done.returncode == 0, done.stderr
    for text, wanted in zip(GIVEN, map(json.loads, done.stdout.splitlines()), strict=True):
        try:
            found = repr(jiter.from_json(text.encode(), partial_mode=mode))
        except ValueError:
            found = "refused"
        assert found == wanted, (text[:80], mode)


def test_other_forms():
    assert jiter.from_json(b"[1.50]", float_mode="decimal")[0].as_tuple().digits == (1, 5, 0)
    assert str(jiter.from_json(b"1.50", float_mode="lossless-float")) == "1.50"
    for wrong in ({"allow_inf_nan": False}, {"catch_duplicate_keys": True}, {"partial_mode": "half"}):
        with pytest.raises(ValueError):
            jiter.from_json(b'{"a": NaN, "a": 1}', **wrong)


def test_what_is_very_deep_is_closed_without_looking_at_all_of_it_each_time():
    assert jiter._closed("[" * 200_000, False) == "[" * 200_000 + "]" * 200_000
    assert jiter._closed('{"a":' * 200_000 + "1", True) == '{"a":' * 200_000 + "1" + "}" * 200_000


def test_each_refusal_says_why():
    for given, said in ((b"[" * 201, "more than 200 deep, at character 201"), (rb'["\ud83d"]', r"\\ud83d is half a character, at character 8"), (b"[nope", "'nope' is no JSON")):
        with pytest.raises(ValueError, match=said):
            jiter.from_json(given, partial_mode=True)
    with pytest.raises(ValueError, match="the key 'a' is there twice"):
        jiter.from_json(b'{"a": 1, "a": 1}', catch_duplicate_keys=True)
