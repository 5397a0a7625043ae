"""Looking at a file without letting it do anything."""

from __future__ import annotations

import builtins
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import recording


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing is asked of people, nothing is slept, nothing is connected to."""

    def nobody(*_: Any, **__: Any) -> Any:
        recording.asked()

    def refused(*_: Any, **__: Any) -> Any:
        raise OSError("no connection is made while a file is looked at")

    kept = builtins.input, time.sleep, sys.argv
    connect = getattr(socket.socket, "connect", None)
    builtins.input, time.sleep, sys.argv = nobody, lambda _: None, sys.argv[:1]
    try:
        socket.socket.connect = refused
    except (AttributeError, TypeError):
        connect = None
    try:
        yield
    finally:
        builtins.input, time.sleep, sys.argv = kept
        if connect is not None:
            del socket.socket.connect
