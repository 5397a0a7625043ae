"""Where things lie in the memory that each instance begins with, so that a step writes to few pages of it.

A page that an instance writes to is copied for it, and put back after it. So what is there for good is made immortal:
the host does that to what `keep` finds, and Python no longer counts who refers to it. The gaps between are filled, so
that what is allocated from then on lies together, as does the code that runs in each step.

Objects are asked for their type, and not by `isinstance`: that asks those that stand for others, which then make these.
"""

from __future__ import annotations

import array
import contextvars
import functools
import gc
import inspect
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

#: No gap is as large, in bytes.
_LARGE = 1 << 20
#: So much of one size lies beyond the end before it is taken that there is no gap left for it, in bytes.
_BEYOND = 32 << 10
#: The end of these is waited for, or who refers to them is looked at.
_COUNTED = (types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.TracebackType)

#: Python keeps some of each of these when they end, for the next that are made.
_REUSED: tuple[Callable[[], Any], ...] = (
    list, lambda: {"": None}, lambda: iter([]), lambda: iter(()), lambda: iter(range(3)), lambda: range(_LARGE), lambda: slice(_LARGE),
    lambda: _LARGE + len(_fillers), lambda: len(_fillers) / 3, contextvars.Context, lambda: _Filler().method,
    *(functools.partial(tuple, range(length)) for length in range(1, 20)),
)  # fmt: skip
#: Of each of them, so many lie beyond the end before it is taken that none is left in a gap.
_REUSED_BEYOND = 4
#: Types with a name of their own have this flag (`Py_TPFLAGS_HEAPTYPE`).
_NAMED = 1 << 9
#: As a type itself has them: its metaclass, which may be anybody's, is not asked.
_bases, _own, _flags, _name, _qualified = (type.__dict__[it].__get__ for it in ("__mro__", "__dict__", "__flags__", "__name__", "__qualname__"))
_DESCRIPTORS = (types.WrapperDescriptorType, types.MethodDescriptorType, types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.MemberDescriptorType)

#: What fills the gaps: held, and never looked at.
_fillers: list[Any] = []
#: Whether objects of a type are counted, by the address of that, as long as `keep` looks.
_counted: dict[int, bool] = {}
#: What is there for good: held, so that nothing else comes to lie where it does.
_kept: list[list[Any]] = []
#: Where the last of it lies; the host reads this.
_addresses = array.array("I")


class _Filler:
    def method(self) -> None: ...


def keep() -> tuple[int, int]:
    """Finds what is new, and there for good: where its addresses lie, and how many there are."""
    global _addresses
    _counted.clear()
    gc.unfreeze()
    gc.collect()
    todo: list[Any] = gc.get_objects()
    found: list[Any] = []
    seen: set[int] = set()
    seen |= {id(it) for it in (todo, found, seen, _kept, _fillers)}
    while todo:
        it = todo.pop()
        if id(it) in seen or sys._is_immortal(it) or _is_counted(type(it)):
            continue
        seen.add(id(it))
        found.append(it)
        if issubclass(type(it), (str, bytes)):
            # It keeps its hash, which would be written when it is first looked for.
            (str if issubclass(type(it), str) else bytes).__hash__(it)
        todo += gc.get_referents(it)
        todo += _unsaid(it)
    _kept.append(found)
    _addresses = array.array("I", map(id, found))
    return _addresses.buffer_info()


def _is_counted(cls: type) -> bool:
    """Looks without asking: Python keeps what a type was asked for, and lets go of what that was before."""
    if id(cls) not in _counted:
        _counted[id(cls)] = issubclass(cls, _COUNTED) or any("__del__" in _own(it) for it in _bases(cls))
    return _counted[id(cls)]


def _unsaid(it: Any) -> Iterable[Any]:
    """What something refers to without saying so, as there can be no circle in it."""
    cls = type(it)
    if issubclass(cls, dict):
        return dict.__iter__(it)
    if cls is types.CodeType:
        return it.co_consts, it.co_names, it.co_filename, it.co_name, it.co_qualname
    if cls in _DESCRIPTORS:
        return (it.__name__,)
    if issubclass(cls, type) and _flags(it) & _NAMED:
        return _name(it), _qualified(it)
    return ()


def check() -> None:
    """Raises where the host did not do what it was told."""
    if not all(map(sys._is_immortal, _kept[-1])):
        raise RuntimeError("what is there for good is still counted: this Python is not the one that the host knows")


def fill() -> None:
    """Fills the gaps: what is allocated from now on lies at the end."""
    end = max(max(map(id, it), default=0) for it in (gc.get_objects(), _fillers, *_kept))
    # Python lets go of what it keeps for the next that are made: these are gaps, too.
    gc.collect()
    size = _LARGE
    while size >= 0:
        _fill(functools.partial(bytes, size) if size else object, end, max(1, _BEYOND // max(size, 8)))
        # Small gaps have steps of 16 bytes, of which the allocator and Python need some: one size for each.
        size = size * 7 // 8 if size > 512 else (size - 9) // 16 * 16 + 8 if size > 8 else size - 8
    for make in _REUSED:
        _fill(make, end, _REUSED_BEYOND)
    # What was kept of these lies beyond the end, and is let go of.
    gc.collect()
    # Room, so that a step need not ask for memory.
    bytes(_LARGE)


def _fill(make: Callable[[], Any], end: int, enough: int) -> None:
    """Makes one after the other, until so many lie beyond the end."""
    beyond: list[Any] = []
    while len(beyond) < enough:
        it = make()
        (_fillers if id(it) < end else beyond).append(it)


def ran(function: Callable[[], Any]) -> set[int]:
    """The code that runs in a call, by its addresses."""
    seen: set[int] = set()

    def note(frame: Any, event: str, _: Any) -> None:
        if event == "call":
            seen.add(id(frame.f_code))

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return seen


def code(workflow: Any) -> set[int]:
    """The code of a workflow's steps, and what is defined in them, by its addresses."""
    functions: list[Any] = []
    for it in workflow._get_steps().values():
        # It is shown each of what wraps the next, and the last.
        inspect.unwrap(getattr(it, "__func__", it), stop=functions.append)
    todo = [it.__code__ for it in functions if type(it) is types.FunctionType]
    seen: set[int] = set()
    while todo:
        it = todo.pop()
        seen.add(id(it))
        todo += [within for within in it.co_consts if type(within) is types.CodeType]
    return seen


def move(codes: set[int]) -> None:
    """Moves code to the end, so that it lies together: Python writes into what runs."""
    moved: dict[int, types.CodeType] = {}

    def new(code: types.CodeType) -> types.CodeType:
        if id(code) not in moved:
            constants = tuple(new(it) if isinstance(it, types.CodeType) and id(it) in codes else it for it in code.co_consts)
            moved[id(code)] = code.replace(co_consts=constants)
        return moved[id(code)]

    gc.unfreeze()
    functions = [it for it in gc.get_objects() if type(it) is types.FunctionType and id(it.__code__) in codes]
    before = [it.__code__ for it in functions]
    fill()
    for function in functions:
        function.__code__ = new(function.__code__)
    # Where it was there are no gaps, either.
    _fillers.extend(before)
