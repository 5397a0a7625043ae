"""Looking at a file without letting it do anything."""

from __future__ import annotations

import asyncio
import builtins
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import recording


#: Whoever sleeps more often while a file is looked at, sleeps in a loop without end.
SLEEPS_MAX = 100


@contextmanager
def quiet(sleeps: bool = True) -> Iterator[None]:
    """Nothing is asked of people, nothing is connected to, and nothing is slept, where it is not to be.

    While a module is imported it gets the real `sleep`, which it may keep under a name of its own.
    """

    def nobody(*_: Any, **__: Any) -> Any:
        recording.asked()

    def refused(*_: Any, **__: Any) -> Any:
        raise OSError("no connection is made while a file is looked at")

    slept = 0

    async def briefly(delay: float, result: Any = None) -> Any:
        nonlocal slept
        slept += 1
        if slept > SLEEPS_MAX:
            recording.asked()
        return result

    kept = builtins.input, time.sleep, sys.argv, asyncio.sleep
    connect = getattr(socket.socket, "connect", None)
    builtins.input, sys.argv = nobody, sys.argv[:1]
    if not sleeps:
        time.sleep, asyncio.sleep = lambda _: None, briefly
    try:
        socket.socket.connect = refused
    except (AttributeError, TypeError):
        connect = None
    try:
        yield
    finally:
        builtins.input, time.sleep, sys.argv, asyncio.sleep = kept
        if connect is not None:
            del socket.socket.connect
