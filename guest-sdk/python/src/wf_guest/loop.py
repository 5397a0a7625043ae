"""asyncio without sockets, whose sleeps are the host's: durable."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from concurrent.futures import Future
from concurrent.futures.thread import ThreadPoolExecutor
from typing import Any

from . import border


class _Selector:
    """To wait is to sleep: there is nothing else that could happen meanwhile."""

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise RuntimeError("the step awaits what nothing will ever set: no timer is due, and there are no threads and no sockets")
        border.sleep(timeout)
        return []

    def close(self) -> None: ...


class Loop(asyncio.BaseEventLoop):
    """An event loop on the run's own clock."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Selector()
        # What is due within a microsecond is due.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return border.now() / 1e6

    def _process_events(self, event_list: list[Any]) -> None: ...

    def _write_to_self(self) -> None: ...

    def run_in_executor(self, executor: Any, func: Any, *args: Any) -> Any:
        """Calls it at once: there are no threads."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None: ...


async def _all(main: Any) -> Any:
    """What is given, and then the tasks that it has left behind."""
    try:
        returned = await main
    except Exception:
        await _left()
        raise
    await _left()
    return returned


async def _left() -> None:
    own, loop = asyncio.current_task(), asyncio.get_running_loop()
    while True:
        if loop._ready:
            # What closes a generator that nobody has read to its end is not a task yet.
            await asyncio.sleep(0)
        left = [task for task in asyncio.all_tasks() if task is not own]
        if not left:
            break
        for outcome in await asyncio.gather(*left, return_exceptions=True):
            if isinstance(outcome, Exception):
                loop.call_exception_handler({"message": "a task that nobody awaited has failed", "exception": outcome})
    if loop._asyncgens:
        await loop.shutdown_asyncgens()


def run(main: Any, *, debug: bool | None = None, loop_factory: Any = None) -> Any:
    """Runs a coroutine to its end."""
    loop = Loop()
    try:
        return loop.run_until_complete(_all(main))
    finally:
        asyncio.set_event_loop(None)
        loop.close()


_init = ThreadPoolExecutor.__init__


def made(pool: ThreadPoolExecutor, *args: Any, initializer: Any = None, initargs: Any = (), **kwargs: Any) -> None:
    """Makes a pool, which has no threads to begin."""
    if len(args) > 2:
        initializer, initargs = (*args[2:], ())[:2]
    _init(pool, *args[:2], **kwargs)
    if initializer is not None:
        vars(pool)["_begin"] = functools.partial(initializer, *initargs)


def submitted(pool: ThreadPoolExecutor, function: Any, /, *args: Any, **kwargs: Any) -> Future:
    """What a pool is given is called at once."""
    if pool._shutdown:
        raise RuntimeError("cannot schedule new futures after shutdown")
    future: Future = Future()
    try:
        if begin := vars(pool).pop("_begin", None):
            # As its one thread would, once.
            begin()
        future.set_result(function(*args, **kwargs))
    except Exception as error:
        future.set_exception(error)
    return future


def no_thread(thread: threading.Thread) -> None:
    """Raises what Python raises, and says what to do."""
    raise RuntimeError("can't start new thread: a workflow has none. Await, use asyncio.to_thread or a pool, which call at once, or let steps run beside each other")


def install() -> None:
    """Makes it the loop of everything in the component, makes `time.sleep` durable, and has pools do without threads."""
    asyncio.run = run
    asyncio.new_event_loop = asyncio.events.new_event_loop = Loop
    # Each new loop would ask for a variable, and with that for all of them.
    asyncio.coroutines._is_debug_mode = lambda: False
    time.sleep = border.sleep
    ThreadPoolExecutor.__init__, ThreadPoolExecutor.submit = made, submitted
    threading.Thread.start = no_thread
