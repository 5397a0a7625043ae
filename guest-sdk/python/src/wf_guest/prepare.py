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


#: Modules that are not the user's.
_OURS = ("wf_guest", "wf_entry", "wit_world", "componentize_py_types", "componentize_py_runtime", "workflows", "pydantic", "llama_agents", "llama_index", "typing_extensions", "httpx", "requests")


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
    for module in [it for it in list(sys.modules.values()) if _is_users(it)]:
        try:
            text = Path(module.__file__).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        linecache.cache[module.__file__] = (len(text), None, text.splitlines(keepends=True), module.__file__)
        texts[module.__name__] = text
    return texts


def user_modules() -> None:
    """Imports what the user's functions import, and what the functions of these do."""
    seen: set[str] = set()
    while todo := {name: text for name, text in sources().items() if name not in seen}:
        seen.update(todo)
        for name, text in todo.items():
            for late in _late_imports(text, sys.modules[name].__package__ or ""):
                _imported(late)


def _is_users(module: object) -> bool:
    file = getattr(module, "__file__", None)
    if not isinstance(file, str) or not file.endswith(".py"):
        return False
    root = getattr(module, "__name__", "").partition(".")[0]
    return root not in sys.stdlib_module_names and root not in _OURS


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
