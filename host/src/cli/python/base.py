"""What every Python component begins as: Python and the SDK, before anybody's files are in it.

It is made once. `wf-host build` then gives it files, by a call of the step `wf-host:begin`, and keeps what it holds
after that as the component. All files are in memory, and found there also by what imports or reads them late; what is
no file of the component is looked for in the folders that a run is granted.
"""

import binascii
import errno
import gc
import importlib
import io
import json
import os
import posix
import stat
import sys
import traceback
import zlib

import _io
from componentize_py_types import Err
from wit_world import exports
from wit_world.imports.types import Event, Failure

BEGIN = "wf-host:begin"
SETTLE = "wf-host:settle"
REHEARSE = "wf-host:rehearse"
# Of no use without a screen, a compiler or a disk.
LEFT_OUT = {"test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "pydoc_data", "__pycache__", "venv", "curses", "site-packages"}
# What looks at the folders that a workflow is granted.
REAL = ("access", "chdir", "chmod", "link", "mkdir", "readlink", "remove", "rename", "replace", "rmdir", "scandir", "symlink", "truncate", "unlink", "utime")
# What every workflow has, or is likely to have.
IMPORTED = ("find", "border", "chance", "heap", "logs", "loop", "prepare", "invoke", "manifest", "recording", "warm")


class Disk:
    """Files in memory, by their absolute paths, to be read."""

    def __init__(self):
        self.files, self.folders = {}, {}
        # There are folders once there are runs: who looks before would find none for ever.
        self.has_others = False

    def add(self, path, data):
        self.put(path, len(data), zlib.compress(data, 6))

    def put(self, path, size, packed):
        self.files[path] = (size, packed)
        while path != "/":
            path, name = os.path.split(path)
            self.folders.setdefault(path, set()).add(name)

    def read(self, path):
        return zlib.decompress(self.files[path][1])

    def copy(self, folder):
        """Takes in the modules below a folder of this build."""
        for at, folders, names in os.walk(folder):
            folders[:] = [name for name in folders if name not in LEFT_OUT]
            for name in names:
                if name.endswith(".py") and (name, at) != ("base.py", folder):
                    with open(os.path.join(at, name), "rb") as file:
                        self.add(os.path.join(at, name), file.read())

    def path(self, path):
        """A path as it is kept; none: it is not of this disk."""
        if isinstance(path, int):
            return None
        path = os.fspath(path)
        path = os.fsdecode(path) if isinstance(path, bytes) else path
        path = os.path.normpath(path if path.startswith("/") else f"/app/{path}")
        return path if path in self.files or path in self.folders else None

    def others(self, function):
        """What goes to the folders that a run is granted."""

        def call(*arguments, **options):
            self.check("open", arguments)
            return function(*arguments, **options)

        return call

    def check(self, event, arguments):
        """Python itself opens files, too: the text of what has an error in its syntax, also where that is no file."""
        if event == "open":
            path = arguments[0] if arguments else None
            if not self.has_others or isinstance(path, str) and path.startswith("<"):
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    def mount(self):
        """Puts it before the folders that a run is granted."""
        plain = {name: getattr(posix, name) for name in ("stat", "lstat", "listdir", *REAL) if hasattr(posix, name)}
        before = {name: self.others(function) for name, function in plain.items()}
        opened, opened_code = self.others(io.open), self.others(_io.open_code)

        def status(path, *arguments, **options):
            if (kept := self.path(path)) is None:
                return before["stat"](path, *arguments, **options)
            is_file = kept in self.files
            return os.stat_result((stat.S_IFREG | 0o444 if is_file else stat.S_IFDIR | 0o555, 0, 0, 1, 0, 0, self.files[kept][0] if is_file else 0, 0, 0, 0))

        def listed(path="."):
            if (kept := self.path(path)) is None:
                return before["listdir"](path)
            if kept in self.files:
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
            return sorted(self.folders[kept])

        def open_file(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
            kept = self.path(file) if not set(mode) & set("wax+") else None
            if kept not in self.files:
                return opened(file, mode, buffering, encoding, errors, newline, closefd, opener)
            data = io.BytesIO(self.read(kept))
            return data if "b" in mode else io.TextIOWrapper(data, encoding or "utf-8", errors, newline)

        def open_code(path):
            kept = self.path(path)
            return io.BytesIO(self.read(kept)) if kept in self.files else opened_code(path)

        sys.addaudithook(self.check)
        now = {**before, "stat": status, "lstat": status, "listdir": listed}
        instead = {id(function): now[name] for name, function in plain.items()} | {id(io.open): open_file, id(_io.open_code): open_code}
        # Some have taken one of them under a name of their own.
        for module in [it for it in sys.modules.values() if isinstance(it, type(sys))]:
            vars(module).update({name: instead[id(it)] for name, it in vars(module).items() if id(it) in instead})


disk = Disk()
# The tool adds what else is installed where it runs.
sys.path[:] = [folder for folder in sys.path if folder in ("/python", "/world", "/0", "/1", "/bundled")]
for folder in sys.path:
    disk.copy(folder)

sys.dont_write_bytecode = True
for module in IMPORTED:
    importlib.import_module(f"wf_guest.{module}")
importlib.import_module("wf_guest.prepare").standard_library()

disk.mount()
# The user's own come last: a file may be called as a module of the standard library is.
sys.path[:] = ["/entry", "/0", "/packages", *(it for it in sys.path if it != "/0"), "/app"]
sys.path_importer_cache.clear()
from wf_guest import heap

steps = None


def problem(error):
    """Where it lies in the user's own files, what it is, and what to do."""
    frames = [it for it in traceback.extract_tb(error.__traceback__) if it.filename.startswith("/app/")]
    file, line = (frames[-1].filename, frames[-1].lineno) if frames else (None, None)
    if isinstance(error, SyntaxError):
        file, line = error.filename, error.lineno
    where = f"{file.removeprefix('/app/')}:{line}: " if file else ""
    said = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    hint = getattr(error, "hint", None) or "it is imported when it is built: what it does then must work without network, threads and disk"
    if isinstance(error, ModuleNotFoundError):
        hint = "a guest has no such module: name its package in `requirements.txt`, if that is pure Python"
    return Err(Failure(type(error).__name__, where + said, json.dumps({"hint": hint, "trace": "".join(traceback.format_exception(error))})))


def settle():
    """Puts memory in order, and says what is there for good. A call of its own, as nothing else is to be alive then."""
    kept = heap.keep()
    heap.fill()
    # What is there now stays: to look through it for garbage would only touch its memory.
    gc.freeze()
    return json.dumps({"kept": kept})


def take(files):
    """Puts files on the disk. Each is let go as it is taken in: what is still held would stay in the component."""
    while files:
        path, (size, packed) = files.popitem()
        disk.put(path, size, binascii.a2b_base64(packed))


def begin(files):
    global steps
    heap.check()
    take(files)
    sys.path_importer_cache.clear()
    said = io.StringIO()
    before = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = said
    try:
        steps = importlib.import_module("wf_guest.app").Steps()
    except BaseException as error:
        raise problem(error) from None
    finally:
        for name, stream in zip(("stdout", "stderr"), before):
            # The SDK may have put a stream of its own before it.
            now = getattr(sys, name)
            if now is said:
                setattr(sys, name, stream)
            elif getattr(now, "_beneath", None) is said:
                now._beneath = stream
    disk.has_others = True
    # Half a character is no text to the host.
    return said.getvalue().encode(errors="backslashreplace").decode()


class Steps(exports.Steps):
    def describe(self):
        return steps.describe()

    def invoke(self, step, events):
        if step == SETTLE:
            return [Event(SETTLE, settle())]
        if step == BEGIN and steps is None:
            return [Event(BEGIN, begin(json.loads(events.pop().payload)))]
        if step == REHEARSE:
            steps.rehearse()
            return []
        return steps.invoke(step, events)
