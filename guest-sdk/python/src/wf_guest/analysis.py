"""What the words of a step show: which events it makes, and which it waits for."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

from workflows.events import Event


class Words:
    """The events that a step, or what it calls in its own file, makes and waits for."""

    def __init__(self) -> None:
        #: In the order of their appearance.
        self.made: dict[type[Event], None] = {}
        self.sent: dict[type[Event], None] = {}
        self.waited: dict[type[Event], None] = {}


def words_of(function: Any, workflow: Any) -> Words:
    """Looks at a step, and at what it calls."""
    words = Words()
    _look(words, inspect.unwrap(getattr(function, "__func__", function)), workflow, set())
    return words


def _look(words: Words, function: Any, workflow: Any, seen: set[Any]) -> None:
    if function in seen:
        return
    seen.add(function)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return
    names = _names(function)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            _call(words, node, names)
            called = _called(node.func, names, workflow)
            if called is not None and getattr(called, "__module__", None) == getattr(function, "__module__", None):
                _look(words, called, workflow, seen)


def _names(function: Any) -> dict[str, Any]:
    names = dict(function.__globals__)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            names[name] = cell.cell_contents
        except ValueError:
            continue
    return names


def _call(words: Words, node: ast.Call, names: dict[str, Any]) -> None:
    event = _event(node.func, names)
    if event is not None:
        words.made[event] = None
    if not isinstance(node.func, ast.Attribute):
        return
    given = [*node.args, *(it.value for it in node.keywords)]
    if node.func.attr == "wait_for_event":
        kinds = [*node.args[:1], *(it.value for it in node.keywords if it.arg == "event_type")]
        words.waited |= dict.fromkeys(it for it in (_event(kind, names) for kind in kinds) if it is not None)
        given = [*node.args[1:2], *(it.value for it in node.keywords if it.arg == "waiter_event")]
    elif node.func.attr not in ("send_event", "write_event_to_stream"):
        return
    for value in given:
        event = _event(value.func, names) if isinstance(value, ast.Call) else None
        if event is not None:
            words.sent[event] = None


def _event(node: ast.AST, names: dict[str, Any]) -> type[Event] | None:
    found = _value(node, names)
    return found if isinstance(found, type) and issubclass(found, Event) else None


def _value(node: ast.AST, names: dict[str, Any]) -> Any:
    if isinstance(node, ast.Name):
        return names.get(node.id)
    if isinstance(node, ast.Attribute):
        owner = _value(node.value, names)
        return None if owner is None else inspect.getattr_static(owner, node.attr, None)
    return None


def _called(node: ast.AST, names: dict[str, Any], workflow: Any) -> Any:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
        found = inspect.getattr_static(type(workflow), node.attr, None)
    else:
        found = _value(node, names)
    found = getattr(found, "__func__", found)
    return inspect.unwrap(found) if inspect.isfunction(found) else None
