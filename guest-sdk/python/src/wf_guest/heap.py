"""Where things lie in the memory that each instance begins with, so that a step writes to few pages of it.

A page that an instance writes to is copied for it, and put back after it. So what is there for good is made immortal:
the host does that to what `keep` finds, and Python no longer counts who refers to it. The gaps between are filled, so
that what is allocated from then on lies together, as does the code that runs in each step.

Objects are asked for their type, and not by `isinstance`: that asks those that stand for others, which then make these.
"""

from __future__ import annotations

import array
import gc
import sys
import types
from collections.abc import Callable
from typing import Any

#: No gap is as large, in bytes.
_LARGE = 1 << 20
#: So much of one size lies beyond the end before it is taken that there is no gap left for it, in bytes.
_BEYOND = 32 << 10
#: The end of these is waited for, or who refers to them is looked at.
_COUNTED = (types.FrameType, types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.TracebackType)

#: What fills the gaps: held, and never looked at.
_fillers: list[Any] = []
#: What is there for good: held, so that nothing else comes to lie where it does.
_kept: list[list[Any]] = []
#: Where the last of it lies; the host reads this.
_addresses = array.array("I")


def keep() -> tuple[int, int]:
    """Finds what is new, and there for good: where its addresses lie, and how many there are."""
    global _addresses
    gc.unfreeze()
    gc.collect()
    todo: list[Any] = gc.get_objects()
    found: list[Any] = []
    seen: set[int] = set()
    seen |= {id(it) for it in (todo, found, seen, _kept, _fillers)}
    while todo:
        it = todo.pop()
        if id(it) in seen or sys._is_immortal(it) or issubclass(type(it), _COUNTED) or hasattr(type(it), "__del__"):
            continue
        seen.add(id(it))
        found.append(it)
        if issubclass(type(it), (str, bytes)):
            # It keeps its hash, which would be written when it is first looked for.
            hash(it)
        # Code does not say what it refers to.
        todo += (it.co_consts, it.co_names, it.co_filename, it.co_name, it.co_qualname) if type(it) is types.CodeType else gc.get_referents(it)
    _kept.append(found)
    _addresses = array.array("I", map(id, found))
    return _addresses.buffer_info()


def check() -> None:
    """Raises where the host did not do what it was told."""
    if not all(map(sys._is_immortal, _kept[-1])):
        raise RuntimeError("what is there for good is still counted: this Python is not the one that the host knows")


def fill() -> None:
    """Fills the gaps: what is allocated from now on lies at the end."""
    gc.collect()
    end = max(max(map(id, it), default=0) for it in (gc.get_objects(), _fillers, *_kept))
    size = _LARGE
    while size > 0:
        beyond: list[Any] = []
        while len(beyond) < max(1, _BEYOND // size):
            it = bytes(size) if size > 12 else object()
            (_fillers if id(it) < end else beyond).append(it)
        size = size * 7 // 8 if size > 512 else size - 12
    del it, beyond
    # Room, so that a step need not ask for memory.
    bytes(_LARGE)


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
