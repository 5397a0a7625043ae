"""What is made ready while a component is built, so that a step need not.

A step can import a module late: the files are in memory. But it does so anew at each entry, since what one leaves behind
is gone with it. So what steps import late is imported here already, and lines that a traceback shows are kept.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import linecache
import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

#: Modules that the standard library itself imports only when they are needed.
_LATE = (
    "_strptime", "asyncio", "base64", "bisect", "calendar", "collections.abc", "copy", "csv", "dataclasses", "datetime", "decimal",
    "difflib", "encodings.ascii", "encodings.idna", "encodings.latin_1", "encodings.utf_8", "fractions", "functools", "hashlib", "heapq",
    "html", "inspect", "io", "itertools", "json", "locale", "logging.handlers", "math", "operator", "pathlib", "pprint", "random", "re",
    "secrets", "statistics", "string", "struct", "textwrap", "traceback", "types", "typing", "unicodedata", "urllib.parse", "uuid",
    "weakref", "zoneinfo", "_colorize", "tokenize", "token", "ast",
)  # fmt: skip


#: What a module imports by a name that it puts together, so that no line says it.
_BY_NAME = {"anyio": "anyio._backends._asyncio"}
#: A package of which there are more modules: what its functions import is there in time if the user's files name them.
_LARGE = 200
_LATE_IMPORT = re.compile(r"^[ \t]+(?:from|import)[ \t]", re.MULTILINE)
#: Modules that are not the user's.
_OURS = ("wf_guest", "wf_entry", "wit_world", "componentize_py_types", "componentize_py_runtime", "workflows", "pydantic", "llama_agents", "llama_index", "typing_extensions", "httpx", "requests", "httpcore2", "jiter", "pydantic_core", "ssl", "starlette", "uvicorn")


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


def sources() -> dict[str, str]:
    """Keeps the lines of the user's files, by their modules, for whoever shows them or looks for what they say."""
    texts = {}
    for module in users():
        if not _is_of_package(module) and (text := _text(module)) is not None:
            linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
            texts[module.__name__] = text
    return texts


def user_modules() -> None:
    """Imports what the user's functions import, and what the functions of these do."""
    own, seen = sources(), set()
    words = {word for text in own.values() for word in re.findall(r"\w+", text)}
    while todo := [it for it in users() if it.__name__ not in seen]:
        seen.update(it.__name__ for it in todo)
        sizes = Counter(name.partition(".")[0] for name in list(sys.modules))
        for module in todo:
            text = own.get(module.__name__) or _text(module)
            if text is None or not _LATE_IMPORT.search(text):
                continue
            is_large = _is_of_package(module) and sizes[module.__name__.partition(".")[0]] > _LARGE
            for late in _late_imports(text, module.__package__ or "", words if is_large else None):
                _imported(late)
        for module, late in _BY_NAME.items():
            if module in sys.modules:
                _imported(late)


def users() -> list[Any]:
    """The modules of the user's files, and of packages."""
    return [it for it in list(sys.modules.values()) if _is_users(it)]


def _is_users(module: object) -> bool:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py"):
        return False
    root = getattr(module, "__name__", "").partition(".")[0]
    return root not in sys.stdlib_module_names and root not in _OURS


def _is_of_package(module: Any) -> bool:
    return module.__file__.startswith("/packages/")


def _text(module: Any) -> str | None:
    try:
        return Path(module.__file__).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _late_imports(text: str, package: str, called: set[str] | None) -> list[str]:
    """The modules that functions import; `called`: that functions of these names do."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return []
    names = []
    for function in ast.walk(tree):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)) or called is not None and function.name not in called:
            continue
        for node in ast.walk(function):
            if isinstance(node, ast.Import):
                names += [it.name for it in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = ("." * node.level + (node.module or "")) if node.level else node.module or ""
                base = importlib.util.resolve_name(base, package) if node.level and package else base
                names += [base, *(f"{base}.{it.name}" for it in node.names)]
    return [name for name in names if name and not name.startswith(".")]
