"""What a file does that a workflow cannot, by line."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

_MODULES = {
    "threading": "there are no threads: await, or let steps run beside each other",
    "multiprocessing": "there are no processes: let steps run beside each other",
    "subprocess": "there are no processes: do it outside, and send what came of it as an event",
    "socket": "there are no sockets: ask over HTTP, where it is granted",
    "concurrent": "there are no threads: await, or let steps run beside each other",
    "sqlite3": "there is no sqlite3 here: keep it in the state",
}


def warnings(path: Path) -> list[dict[str, Any]]:
    """Each with its line."""
    found: list[dict[str, Any]] = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            _modules(found, path, node, [it.name for it in node.names])
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            _modules(found, path, node, [node.module])
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_step(node):
            _kept(found, path, node)
    return sorted(found, key=lambda it: it["line"])


def _modules(found: list[dict[str, Any]], path: Path, node: ast.AST, names: list[str]) -> None:
    for name in names:
        why = _MODULES.get(name.partition(".")[0])
        if why:
            found.append({"message": f"`{name}` does nothing in a workflow", "file": str(path), "line": node.lineno, "hint": why})


def _is_step(node: Any) -> bool:
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(called, "id", getattr(called, "attr", None)) in ("step", "catch_error"):
            return True
    return False


def _kept(found: list[dict[str, Any]], path: Path, step: Any) -> None:
    """What a step writes where nothing lasts."""
    for node in ast.walk(step):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign)) else []
        for target in targets:
            owner = target.value if isinstance(target, (ast.Attribute, ast.Subscript)) else None
            while isinstance(owner, (ast.Attribute, ast.Subscript)):
                target, owner = owner, owner.value
            if isinstance(owner, ast.Name) and owner.id == "self" and isinstance(target, ast.Attribute):
                message = f"step `{step.name}` writes `self.{target.attr}`, which is gone when the step ends"
                found.append({"message": message, "file": str(path), "line": node.lineno, "hint": "keep it in the run's state: `await ctx.store.set(…)`"})
        if isinstance(node, ast.Global):
            message = f"step `{step.name}` writes the global `{', '.join(node.names)}`, which is gone when the step ends"
            found.append({"message": message, "file": str(path), "line": node.lineno, "hint": "keep it in the run's state: `await ctx.store.set(…)`"})
