"""`print` and `logging` into the run's log."""

from __future__ import annotations

import io
import logging
import sys

from . import border
from .failures import trace

_LEVELS = ((logging.ERROR, "error"), (logging.WARNING, "warn"), (logging.INFO, "info"), (logging.DEBUG, "debug"))


class Lines(io.TextIOBase):
    """A stream of which each line is one of the run's log."""

    encoding = "utf-8"

    def __init__(self, name: str, beneath: object) -> None:
        self._name, self._beneath, self._rest = name, beneath, ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not border.live:
            return self._beneath.write(text)
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            border.write_log("info", line, {"stream": self._name})
        return len(text)

    def flush(self) -> None:
        if not border.live:
            self._beneath.flush()

    def end(self) -> None:
        """What is left of a line that has not ended."""
        if self._rest:
            rest, self._rest = self._rest, ""
            border.write_log("info", rest, {"stream": self._name})


def install() -> None:
    """Puts the streams and the handlers of `logging` in their places."""
    sys.stdout, sys.stderr = Lines("stdout", sys.stdout), Lines("stderr", sys.stderr)
    emit = logging.StreamHandler.emit

    def emit_to_run(self: logging.StreamHandler, record: logging.LogRecord) -> None:
        if not border.live:
            emit(self, record)
            return
        try:
            record.getMessage()
        except Exception:
            # As anywhere: what is wrong with a call is told, and the step goes on.
            self.handleError(record)
        else:
            write(record)

    logging.StreamHandler.emit = emit_to_run


def write(record: logging.LogRecord) -> None:
    """A record as a line of the run's log."""
    level = next((name for least, name in _LEVELS if record.levelno >= least), "trace")
    fields = {"logger": record.name}
    if record.exc_info and record.exc_info[1] is not None:
        fields["trace"] = trace(record.exc_info[1])
    border.write_log(level, record.getMessage(), fields)


def left_out(unfit: Exception) -> None:
    """An answer that its class refuses is left out, and the run goes on."""
    border.write_log("warn", f"an answer is left out: {unfit}", {})


def end() -> None:
    """The end of a step: what has no end of line yet."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, Lines):
            stream.end()
