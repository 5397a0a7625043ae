"""What a file does that a workflow cannot, by line."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_ASK_OUTSIDE = "there are no sockets: make requests with `httpx`, `requests` or `urllib.request`, which go where `allow_http` lets them"
_THREADS = "await, use `asyncio.to_thread` or a pool, which call at once, or let steps run beside each other"
_STATE = "keep it in the run's state: `await ctx.store.set(…)`"
_VARIABLE = "read it in a step: there it is what `allow_env` or a secret gives"
#: What of a module fails, and what to do.
_MODULES = {
    "threading.Thread": ("fails where it starts", _THREADS),
    "threading.Timer": ("fails where it starts", _THREADS),
    "_thread": ("fails where it starts one", _THREADS),
    "asyncio.open_connection": ("reaches nothing", _ASK_OUTSIDE),
    "asyncio.open_unix_connection": ("reaches nothing", _ASK_OUTSIDE),
    "asyncio.start_server": ("reaches nothing", "nobody reaches a workflow but by events: let a client send one"),
    "asyncio.start_unix_server": ("reaches nothing", "nobody reaches a workflow but by events: let a client send one"),
    "concurrent.futures.ProcessPoolExecutor": ("fails where it starts a process", "let steps run beside each other"),
    "multiprocessing": ("fails where it starts a process", "let steps run beside each other"),
    "subprocess": ("fails where it starts a process", "do it outside, and send what came of it as an event"),
    "socket": ("reaches nothing", _ASK_OUTSIDE),
}
#: What begins processes, and of which module it is.
_PROCESSES = {"system": "os", "popen": "os", "fork": "os", "create_subprocess_exec": "asyncio", "create_subprocess_shell": "asyncio"}
#: Packages that are called otherwise than their modules.
_CALLED = {"bs4": "beautifulsoup4", "dateutil": "python-dateutil", "dotenv": "python-dotenv", "jose": "python-jose", "jwt": "pyjwt", "slugify": "python-slugify", "yaml": "pyyaml"}
#: What changes a list, a set or a dictionary.
_CHANGES = ("append", "appendleft", "discard", "extend", "popitem", "setdefault")
#: What does so where it is one, and is a request of many a client.
_OFTEN_CHANGES = ("add", "clear", "insert", "pop", "remove", "update")
#: What makes one of these.
_CHANGEABLE = ("Counter", "OrderedDict", "defaultdict", "deque", "dict", "list", "set")
#: Packages that are native code, as far as people try them.
_NATIVE = (
    "PIL", "chromadb", "cryptography", "cv2", "faiss", "grpc", "lxml", "matplotlib", "nltk", "numpy", "onnxruntime", "orjson", "pandas", "polars",
    "psycopg", "psycopg2", "pyarrow", "scipy", "sentence_transformers", "sklearn", "spacy", "tiktoken", "tokenizers", "torch", "transformers", "uvloop",
)  # fmt: skip
#: Packages that wf-host has in its own form, whatever requirements.txt says.
OWN = {
    "pydantic": "do without it: a workflow has what models of plain fields need of pydantic, and not all of it",
    "llama_index": "a workflow has `llama_index.core.workflow`; what integrations do, do with `openai` or `httpx`, which go where `allow_http` lets them",
    "workflows": "a workflow has what files import of it: of how the original runs them there is nothing, since the host runs them",
    "llama_agents": "a workflow has `llama_agents.server.WorkflowServer`, to be found by it; clients stay outside",
}
#: What makes connections of its own.
_CLIENTS = ("aiohttp", "anthropic", "boto3", "ftplib", "smtplib", "urllib3")


def warnings(path: Path) -> list[dict[str, Any]]:
    """Each with its line."""
    found: list[dict[str, Any]] = []
    tree = ast.parse(path.read_text(encoding="utf-8"))

    def say(node: Any, message: str, hint: str) -> None:
        said = {"message": message, "file": str(path), "line": node.lineno, "hint": hint}
        if said not in found:
            found.append(said)

    imported = {it.asname or it.name: it.name for node in ast.walk(tree) if isinstance(node, ast.Import) for it in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            _modules(say, node, [it.name for it in node.names])
        elif isinstance(node, ast.Attribute) and (name := f"{imported.get(ast.unparse(node.value))}.{node.attr}") in _MODULES:
            _modules(say, node, [name])
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            within = [it for it in (f"{node.module}.{it.name}" for it in node.names) if it in _CLIENTS or it in _MODULES]
            _modules(say, node, within or [node.module])
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _PROCESSES:
            owner = getattr(node.func.value, "id", "")
            if owner == _PROCESSES[node.func.attr]:
                say(node, f"`{owner}.{node.func.attr}` fails in a workflow, where there are no processes", _MODULES["subprocess"][1])
        elif isinstance(node, ast.Expr) and (name := _awaitable(node.value)):
            say(node, f"`{name}` is not awaited, and does nothing", f"write `await {name}(…)`")
    _steps(say, tree)
    _variables(say, tree)
    return sorted(found, key=lambda it: it["line"])


def _awaitable(node: ast.AST) -> str | None:
    """What is called, where that does nothing unless it is awaited."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    of_store = _ends(node.func.value, "store") and node.func.attr in ("get", "set", "get_state", "set_state", "clear")
    is_wait = node.func.attr == "wait_for_event" or ast.unparse(node.func) == "asyncio.sleep"
    return ast.unparse(node.func) if of_store or is_wait else None


def _modules(say: Any, node: ast.AST, names: list[str]) -> None:
    for name in names:
        if told := _MODULES.get(name) or _MODULES.get(name.partition(".")[0]):
            say(node, f"`{name}` {told[0]} in a workflow", told[1])
        elif is_client(name):
            say(node, f"`{name}` reaches nothing from a workflow", _ASK_OUTSIDE)


def _variables(say: Any, tree: ast.Module) -> None:
    """Variables that are read as the file is imported, or as a workflow is made: there are none then."""
    todo: list[ast.AST] = [it for it in tree.body if not (isinstance(it, ast.If) and "__name__" in ast.dump(it.test))]
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and getattr(node, "name", None) != "__init__":
            continue
        todo += ast.iter_child_nodes(node)
        if isinstance(node, ast.Call) and _ends(node.func, "load_dotenv"):
            say(node, "`load_dotenv` finds no `.env` in a workflow", "name what a step reads in `allow_env` of `wf-host.toml`, or as a secret")
        if name := _variable(node):
            say(node, f"the variable `{name}` is read while the component is built, where there is none", _VARIABLE)


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
    if root in _NATIVE:
        return f"`{root}` is native code, which does not run in a workflow: do without it, or ask a service for what it does with `httpx`"
    root = _CALLED.get(root, root)
    return f"add `{root}` to requirements.txt if it is pure Python; a native package cannot be had in a workflow"


def variable_hint(error: BaseException, line: str) -> str | None:
    """What to do about an error of a line that wants a variable, as a client wants its key."""
    of_client = "environment variable" in str(error) or isinstance(error, KeyError) and "environ" in line
    return "read it, and make what needs it, in a step: there it is what `allow_env` or a secret gives" if of_client else None


def _steps(say: Any, tree: ast.Module) -> None:
    functions = {it.name: it for it in tree.body if isinstance(it, (ast.FunctionDef, ast.AsyncFunctionDef))}
    classes = [it for it in ast.walk(tree) if isinstance(it, ast.ClassDef)]
    shared = _changeable(tree.body)
    # What stands in a class is reached by `self`, as is what methods give to it.
    for cls in classes:
        shared |= {f"self.{name}" for name in _changeable(cls.body)} | {it for it in _changeable(ast.walk(cls)) if it.startswith("self.")}
    methods = {it.name: {own.name: own for own in it.body if isinstance(own, (ast.FunctionDef, ast.AsyncFunctionDef))} for it in classes}
    flows = {name for name, own in methods.items() if any(_is_step(it) for it in own.values())}
    instances = {name for node in ast.walk(tree) for name in _made_of(node, flows)}
    first: dict[str, ast.ClassDef] = {}
    for it in tree.body:
        if isinstance(it, ast.ClassDef) and it.name in flows and first.setdefault(it.name, it) is not it:
            say(it, f"a second workflow `{it.name}`, which hides the one in line {first[it.name].lineno}", "give one of them another name")
    owners = {id(it): own for own in methods.values() for it in own.values()}
    for step in ast.walk(tree):
        if not isinstance(step, (ast.FunctionDef, ast.AsyncFunctionDef)) or not _is_step(step):
            continue
        _missing(say, step)
        for function in _called(step, owners.get(id(step), {}), functions):
            _kept(say, step.name, function, shared, set(methods))
            _runs(say, step.name, function, flows, instances)


def _called(step: Any, methods: dict[str, Any], functions: dict[str, Any]) -> list[Any]:
    """A step, and what it calls of its class and of its file."""
    reached = [step]
    for function in reached:
        for node in ast.walk(function):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and getattr(called.value, "id", None) == "self":
                other = methods.get(called.attr)
            else:
                other = functions.get(called.id) if isinstance(called, ast.Name) else None
            if other is not None and other not in reached and not _is_step(other):
                reached.append(other)
    return reached


def _changeable(nodes: Iterable[ast.AST]) -> set[str]:
    """The globals and the attributes that lines make, and that can be added to."""
    found = set()
    for node in nodes:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)):
            continue
        value, targets = node.value, node.targets if isinstance(node, ast.Assign) else [node.target]
        made = isinstance(value, (ast.Dict, ast.DictComp, ast.List, ast.ListComp, ast.Set, ast.SetComp))
        made = made or isinstance(value, ast.Call) and getattr(value.func, "id", getattr(value.func, "attr", None)) in _CHANGEABLE
        found |= {ast.unparse(it) for it in targets if made}
    return found


def _made_of(node: ast.AST, classes: set[str]) -> list[str]:
    """The names of what a line makes of some classes."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call) or getattr(node.value.func, "id", None) not in classes:
        return []
    return [getattr(it, "id", getattr(it, "attr", "")) for it in node.targets]


def _runs(say: Any, step: str, function: Any, flows: set[str], instances: set[str]) -> None:
    """Where a step runs another workflow within itself."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr != "run":
            continue
        owner = node.func.value
        made = owner.func if isinstance(owner, ast.Call) else owner
        # An attribute of the workflow, as `self.child`, by its name alone.
        name = getattr(made, "id", None) or isinstance(made, ast.Attribute) and getattr(made.value, "id", None) == "self" and made.attr
        if name in (flows if isinstance(owner, ast.Call) else instances):
            hint = "send an event to a step that does its work, or start it as a run of its own"
            say(node, f"step `{step}` runs a workflow within itself, which fails", hint)


def _missing(say: Any, step: Any) -> None:
    """Modules that a step imports, and that are not there."""
    for name, node in _absent(step):
        if not is_client(name):
            say(node, f"step `{step.name}` imports `{name}`, which is not there: it will fail", hint(name))


def lacking(path: Path) -> list[tuple[str, int]]:
    """The modules that a file imports first of all, and that are not there, each with its line."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [it for it in tree.body if isinstance(it, (ast.Import, ast.ImportFrom))]
    return [(name, node.lineno) for name, node in _absent(tree)]


def _absent(tree: ast.AST) -> Iterator[tuple[str, Any]]:
    """What is imported somewhere, and is not there: where it is tried, it is for the code to see."""
    tried = {it for attempt in ast.walk(tree) if isinstance(attempt, ast.Try) for it in ast.walk(attempt)}
    for node in ast.walk(tree):
        if node in tried or not isinstance(node, (ast.Import, ast.ImportFrom)) or getattr(node, "level", 0):
            continue
        names = [node.module] if isinstance(node, ast.ImportFrom) else [it.name for it in node.names]
        for name in (it.partition(".")[0] for it in names):
            if name not in sys.modules and importlib.util.find_spec(name) is None:
                yield name, node


def _is_step(node: Any) -> bool:
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        if getattr(called, "id", getattr(called, "attr", None)) in ("step", "catch_error"):
            return True
    return False


def _kept(say: Any, step: str, function: Any, shared: set[str], classes: set[str]) -> None:
    """What a step writes where nothing lasts. `shared`: what can be added to, of globals and of `self`."""
    own = {it.arg for it in ast.walk(function.args) if isinstance(it, ast.arg)}
    own |= {it.id for it in ast.walk(function) if isinstance(it, ast.Name) and isinstance(it.ctx, ast.Store)}
    own |= {it.name for it in ast.walk(function) if isinstance(it, ast.ClassDef)}
    for node in ast.walk(function):
        targets = node.targets if isinstance(node, (ast.Assign, ast.Delete)) else [node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign)) else []
        if isinstance(node, (ast.For, ast.AsyncFor)):
            targets = [node.target]
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            targets = [node.optional_vars]
        targets = [it for target in targets for it in ast.walk(target) if isinstance(it, (ast.Attribute, ast.Subscript)) and not isinstance(it.ctx, ast.Load)]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _CHANGES + _OFTEN_CHANGES:
            targets = [node.func.value]
        for target in targets:
            at, within = target, None
            while isinstance(target, (ast.Attribute, ast.Subscript)):
                target, within = target.value, target
            of_self = isinstance(target, ast.Call) and _ends(target.func, "type") and [ast.unparse(it) for it in target.args] == ["self"]
            name = "self" if of_self else getattr(target, "id", None)
            if name == "self" and isinstance(within, ast.Attribute):
                if isinstance(node, ast.Call) and node.func.attr in _OFTEN_CHANGES and f"self.{within.attr}" not in shared:
                    continue
                say(at, f"step `{step}` writes `self.{within.attr}`, which is gone when the step ends", _STATE)
            elif name in shared - own or name in classes - own and within is not None:
                say(at, f"step `{step}` writes the global `{name}`, which is gone when the step ends", _STATE)
        if isinstance(node, ast.Call) and _ends(node.func, "setattr") and node.args and _ends(node.args[0], "self"):
            say(node, f"step `{step}` writes to `self` what is gone when the step ends", _STATE)
        if isinstance(node, ast.Global):
            say(node, f"step `{step}` writes the global `{', '.join(node.names)}`, which is gone when the step ends", _STATE)
