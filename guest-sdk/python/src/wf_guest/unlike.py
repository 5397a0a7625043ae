"""What a file does that a workflow cannot, by line."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from typing import Any

_ASK_OUTSIDE = "there are no sockets: make requests with `httpx`, `requests` or `urllib.request`, which go where `allow_http` lets them"
_MODULES = {
    "threading": "there are no threads: await, or let steps run beside each other",
    "multiprocessing": "there are no processes: let steps run beside each other",
    "subprocess": "there are no processes: do it outside, and send what came of it as an event",
    "socket": _ASK_OUTSIDE,
    "concurrent": "there are no threads: await, or let steps run beside each other",
    "sqlite3": "there is no sqlite3 here: keep it in the state",
}
#: What begins processes, and of which module it is.
_PROCESSES = {"system": "os", "popen": "os", "fork": "os", "create_subprocess_exec": "asyncio", "create_subprocess_shell": "asyncio"}
#: What changes a list, a set or a dictionary.
_CHANGES = ("add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "remove", "setdefault", "update")
#: Packages that wf-host has in its own form, whatever requirements.txt says.
OWN = {
    "pydantic": "do without it: a workflow has what models of plain fields need of pydantic, and not all of it",
    "llama_index": "a workflow has `llama_index.core.workflow`; what integrations do, do with `openai` or `httpx`, which go where `allow_http` lets them",
    "llama_agents": "a workflow has `llama_agents.server.WorkflowServer`, to be found by it; clients stay outside",
}
#: What makes connections of its own.
_CLIENTS = ("aiohttp", "anthropic", "boto3", "ftplib", "smtplib", "urllib3")


def warnings(path: Path) -> list[dict[str, Any]]:
    """Each with its line."""
    found: list[dict[str, Any]] = []
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            _modules(found, path, node, [it.name for it in node.names])
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            within = [f"{node.module}.{it.name}" for it in node.names if f"{node.module}.{it.name}" in _CLIENTS]
            _modules(found, path, node, within or [node.module])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _PROCESSES:
            owner = getattr(node.func.value, "id", "")
            if owner == _PROCESSES[node.func.attr]:
                said = {"message": f"`{owner}.{node.func.attr}` does nothing in a workflow", "file": str(path), "line": node.lineno}
                found.append({**said, "hint": _MODULES["subprocess"]})
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and _is_step(node):
            _kept(found, path, node)
            _missing(found, path, node)
    _variables(found, path, tree)
    return sorted(found, key=lambda it: it["line"])


def _modules(found: list[dict[str, Any]], path: Path, node: ast.AST, names: list[str]) -> None:
    for name in names:
        why = _MODULES.get(name.partition(".")[0])
        if why:
            found.append({"message": f"`{name}` does nothing in a workflow", "file": str(path), "line": node.lineno, "hint": why})
        elif is_client(name):
            found.append({"message": f"`{name}` reaches nothing from a workflow", "file": str(path), "line": node.lineno, "hint": _ASK_OUTSIDE})


def _variables(found: list[dict[str, Any]], path: Path, tree: ast.Module) -> None:
    """Variables that are read as the file is imported, or as a workflow is made: there are none then."""
    todo: list[ast.AST] = [it for it in tree.body if not (isinstance(it, ast.If) and "__name__" in ast.dump(it.test))]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and getattr(node, "name", None) != "__init__":
            continue
        todo += ast.iter_child_nodes(node)
        if name := _variable(node):
            message = f"the variable `{name}` is read while the component is built, where there is none"
            found.append({"message": message, "file": str(path), "line": node.lineno, "hint": "read it in a step: there it is what `allow_env` or a secret gives"})


def _variable(node: ast.AST) -> str | None:
    """Which variable an expression reads."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load) and _ends(node.value, "environ"):
        given = [node.slice]
    elif isinstance(node, ast.Call) and (_ends(node.func, "getenv") or isinstance(node.func, ast.Attribute) and node.func.attr == "get" and _ends(node.func.value, "environ")):
        given = node.args
    else:
        return None
    return next((it.value for it in given[:1] if isinstance(it, ast.Constant) and isinstance(it.value, str)), None)


def _ends(node: ast.AST, name: str) -> bool:
    return getattr(node, "id", getattr(node, "attr", None)) == name


def is_client(module: str) -> bool:
    """Whether a module is of no use but over the network."""
    return any(module == it or module.startswith(f"{it}.") for it in _CLIENTS)


def hint(module: str) -> str:
    """What to do about a module that is not there."""
    if is_client(module):
        return _ASK_OUTSIDE
    root = module.partition(".")[0]
    if root in OWN:
        return OWN[root]
    return f"add `{module.partition('.')[0]}` to requirements.txt if it is pure Python; a native package cannot be had in a workflow"


def _missing(found: list[dict[str, Any]], path: Path, step: Any) -> None:
    """Modules that a step imports, and that are not there: where it is tried, it is for the step to see."""
    tried = {it for attempt in ast.walk(step) if isinstance(attempt, ast.Try) for it in ast.walk(attempt)}
    for node in ast.walk(step):
        if node in tried or not isinstance(node, (ast.Import, ast.ImportFrom)) or getattr(node, "level", 0):
            continue
        names = [node.module] if isinstance(node, ast.ImportFrom) else [it.name for it in node.names]
        for name in (it.partition(".")[0] for it in names):
            if name not in sys.modules and importlib.util.find_spec(name) is None:
                message = f"step `{step.name}` imports `{name}`, which is not there: it will fail"
                found.append({"message": message, "file": str(path), "line": node.lineno, "hint": hint(name)})


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
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGES:
            targets = [node.func.value]
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
