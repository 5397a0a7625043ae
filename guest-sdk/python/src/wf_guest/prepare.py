"""What must be there before the files are gone.

A component has no files: a module that is first imported by a step, or a line of a file that a
traceback shows, must be read while the component is built.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import linecache
import sys
from pathlib import Path

#: Modules that the standard library itself imports only when they are needed.
_LATE = (
    "_strptime", "asyncio", "base64", "bisect", "calendar", "collections.abc", "copy", "csv", "dataclasses", "datetime", "decimal",
    "difflib", "encodings.ascii", "encodings.idna", "encodings.latin_1", "encodings.utf_8", "fractions", "functools", "hashlib", "heapq",
    "html", "inspect", "io", "itertools", "json", "locale", "logging.handlers", "math", "operator", "pathlib", "pprint", "random", "re",
    "secrets", "statistics", "string", "struct", "textwrap", "traceback", "types", "typing", "unicodedata", "urllib.parse", "uuid",
    "weakref", "zoneinfo", "_colorize", "tokenize", "token", "ast",
)  # fmt: skip


def _imported(name: str) -> None:
    try:
        importlib.import_module(name)
    except Exception:
        # It is not in this Python, or the step that wants it will say so.
        pass


def standard_library() -> None:
    """Imports what is imported late."""
    for name in _LATE:
        _imported(name)


def user_modules() -> None:
    """Imports what the user's functions import, and keeps the lines of their files."""
    seen: set[str] = set()
    while todo := [it for it in list(sys.modules.values()) if _is_users(it) and it.__name__ not in seen]:
        for module in todo:
            seen.add(module.__name__)
            path = Path(module.__file__)
            try:
                text = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            lines = text.splitlines(keepends=True)
            linecache.cache[module.__file__] = (len(text), None, lines, module.__file__)
            for name in _late_imports(text, module.__package__ or ""):
                _imported(name)


def _is_users(module: object) -> bool:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py"):
        return False
    root = getattr(module, "__name__", "").partition(".")[0]
    return root not in sys.stdlib_module_names and root not in ("wf_guest", "wit_world", "componentize_py_types", "componentize_py_runtime")


def _late_imports(text: str, package: str) -> list[str]:
    """The modules that functions import."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    names = []
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                names += [it.name for it in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = ("." * node.level + (node.module or "")) if node.level else node.module or ""
                base = importlib.util.resolve_name(base, package) if node.level and package else base
                names += [base, *(f"{base}.{it.name}" for it in node.names)]
    return [name for name in names if name and not name.startswith(".")]
