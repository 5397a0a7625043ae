"""`python -m wf_guest.inspect FILE`: which workflows a file has, as JSON, or one error."""

from __future__ import annotations

import sys

# What lies where this is called must not stand in the place of the standard library.
if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]

import builtins
import difflib
import json
import linecache
import pkgutil
import re
import traceback
import types
from pathlib import Path
from typing import Any


def main(arguments: list[str]) -> int:
    """Prints `{"workflows": […], "warnings": […]}`, or `{"error": {…}}` and fails."""
    if len(arguments) != 1:
        print("usage: python -m wf_guest.inspect FILE", file=sys.stderr)
        return 2
    path = Path(arguments[0]).resolve()
    out, sys.stdout = sys.stdout, sys.stderr
    try:
        said = look(path)
    finally:
        sys.stdout = out
    print(json.dumps(said, ensure_ascii=False))
    return 1 if "error" in said else 0


def look(path: Path) -> dict[str, Any]:
    """What a file has, or what is wrong with it."""
    from .find import NotFound, find_all, line_of, unserved
    from .unlike import hint, lacking, warnings

    if not path.is_file():
        return _error(f"there is no file `{path}`", str(path), None, "correct its name")
    data = path.read_bytes()
    try:
        data.decode()
    except UnicodeDecodeError as error:
        return _error("it is not UTF-8", str(path), data.count(b"\n", 0, error.start) + 1, "save it as UTF-8")
    sys.path.append(str(path.parent))
    sys.dont_write_bytecode = True
    looked_at = None
    try:
        found = find_all(path.stem)
        workflows = []
        for it in found:
            looked_at = it
            it.check()
            it.manifest()
            workflows.append({"name": it.name, "class": type(it.workflow).__name__, "line": it.line, "additional_events": [one.__name__ for one in it.additional]})
    except NotFound as error:
        return _error(str(error), error.file or str(path), error.line, error.hint)
    except SyntaxError as error:
        text = f": `{error.text.strip()}`" if error.text and error.text.strip() else ""
        return _error(f"it is no Python: {error.msg}{text}", error.filename or str(path), error.lineno, "mend the line, or the one before it")
    except ModuleNotFoundError as error:
        file, line = _place(error, path)
        others = "".join(f", and no `{name}` (line {at})" for name, at in lacking(Path(file)) if at > (line or 0))
        return _error(f"there is no module `{error.name}`{others}", file, line, _meant(error) or hint(error.name or ""))
    except BaseException as error:
        file, line = _place(error, path)
        if line is None:
            # What is wrong with a workflow as a whole stands where its class begins.
            line = line_of(error.of) if hasattr(error, "of") else looked_at and looked_at.line
        return _error(f"{type(error).__name__}: {error}", file, line, _hint(error, linecache.getline(file, line or 0)))
    hint = "make one in the file: `workflow = …`, or give it to a server"
    left_out = [{"message": message, "file": str(path), "line": line, "hint": hint} for message, line in unserved]
    beside = [Path(it) for it in sorted(_beside(path.parent)) if Path(it) != path]
    return {"workflows": workflows, "warnings": [*left_out, *warnings(path), *(said for it in beside for said in warnings(it))]}


def _beside(folder: Path) -> set[str]:
    """The user's other files, as far as they were imported."""
    from .prepare import users

    files = {it.__file__ for it in users()}
    return {it for it in files if folder in Path(it).parents and not {"site-packages", "packages"} & set(Path(it).relative_to(folder).parts)}


def _hint(error: BaseException, text: str) -> str:
    """What to do about an error; `text`: the line that it comes from."""
    from pydantic import PydanticUserError

    from .unlike import OWN, variable_hint

    message = str(error)
    meant = _meant(error)
    if meant is not None:
        return meant
    if "Missing name" in message:
        return "import it, or correct its name"
    if "add_workflows" in message:
        return "no workflow runs another within itself: send an event to a step that does its work, or start it as a run of its own"
    if "Return types" in message:
        return "say what the step returns: `-> StopEvent`"
    if "at least one parameter annotated" in message:
        return "say what the step takes: `ev: StartEvent`"
    if "StopEvent must be returned" in message:
        return "let a step end the run: `-> StopEvent`"
    if "never produced" in message or "never consumed" in message:
        return "let a step return it, and another take it"
    if "@catch_error" in message:
        return "name steps that are there, each in one handler"
    if "inheritance hierarchy" in message:
        return "let one state derive from the others, or name one state in all steps"
    if "Graph validation failed" in message:
        return "lead every step from the start event to a stop event, or name the check in `skip_graph_checks`"
    absent = next((it for it in OWN if isinstance(error, (ImportError, AttributeError)) and re.search(f"['`]{it}[.'`]", message)), None)
    if absent or isinstance(error, PydanticUserError):
        return OWN[absent or "pydantic"]
    return variable_hint(error, text) or "mend the line; the file must import without running anything"


def _meant(error: BaseException) -> str | None:
    """What a misspelt name was perhaps to be."""
    from .prepare import users
    from .unlike import OWN

    wrong, package, known = getattr(error, "name", None) or "", "", []
    if isinstance(error, NameError):
        known = [*vars(builtins), *(name for frame, _ in traceback.walk_tb(error.__traceback__) for name in (*frame.f_globals, *frame.f_locals))]
    elif isinstance(error, AttributeError) and isinstance(error.obj, types.ModuleType):
        known = dir(error.obj)
    elif isinstance(error, ModuleNotFoundError):
        package, _, wrong = wrong.rpartition(".")
        # What else is not there is a package that somebody has to add.
        within = getattr(sys.modules.get(package), "__path__", [])
        known = [it.name for it in pkgutil.iter_modules(within)] if package else [*OWN, "httpx", "requests"]
    elif isinstance(error, ImportError):
        known, wrong = dir(sys.modules.get(wrong)), "".join(re.findall("^cannot import name '(.*?)'", str(error)))
    elif "Missing name: " in str(error):
        known, wrong = [name for it in users() for name in vars(it)], str(error).rpartition("Missing name: ")[2].rstrip(".")
    near = difflib.get_close_matches(wrong, known, 1, 0.8) if wrong else []
    return f"did you mean `{package}{'.' if package else ''}{near[0]}`?" if near else None


def _place(error: BaseException, path: Path) -> tuple[str, int | None]:
    """The last line of the user's own files that was on the way to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [it for it in frames if str(path.parent) in it.filename]
    return (own[-1].filename, own[-1].lineno) if own else (str(path), None)


def _error(message: str, file: str, line: int | None, hint: str) -> dict[str, Any]:
    return {"error": {"message": message, "file": file, "line": line, "hint": hint}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
