"""`python -m wf_guest.inspect FILE`: which workflows a file has, as JSON, or one error."""

from __future__ import annotations

import sys

# What lies where this is called must not stand in the place of the standard library.
if not getattr(sys.flags, "safe_path", False):
    del sys.path[0]

import json
import re
import traceback
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
    from .find import NotFound, find_all, line_of
    from .unlike import hint, warnings

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
        return _error(str(error), str(path), error.line, error.hint)
    except SyntaxError as error:
        return _error(f"it is no Python: {error.msg}", error.filename or str(path), error.lineno, "mend the syntax")
    except ModuleNotFoundError as error:
        file, line = _place(error, path)
        return _error(f"there is no module `{error.name}`", file, line, hint(error.name or ""))
    except BaseException as error:
        file, line = _place(error, path)
        if line is None:
            # What is wrong with a workflow as a whole stands where its class begins.
            line = line_of(error.of) if hasattr(error, "of") else looked_at and looked_at.line
        return _error(f"{type(error).__name__}: {error}", file, line, _hint(error))
    return {"workflows": workflows, "warnings": warnings(path)}


def _hint(error: BaseException) -> str:
    from pydantic import PydanticUserError

    from .unlike import OWN

    message = str(error)
    if "Return types" in message:
        return "say what the step returns: `-> StopEvent`"
    if "at least one parameter annotated" in message:
        return "say what the step takes: `ev: StartEvent`"
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
    return "mend the line; the file must import without running anything"


def _place(error: BaseException, path: Path) -> tuple[str, int | None]:
    """The last line of the user's own files that was on the way to an error."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [it for it in frames if str(path.parent) in it.filename]
    return (own[-1].filename, own[-1].lineno) if own else (str(path), None)


def _error(message: str, file: str, line: int | None, hint: str) -> dict[str, Any]:
    return {"error": {"message": message, "file": file, "line": line, "hint": hint}}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
