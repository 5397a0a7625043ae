#!/usr/bin/env python3
"""Prints what a workflow takes in each language, one table: sizes.py [LANGUAGE…]

A project is made, built and edited by `wf-host new`, `build` and `dev`, with the tools that `make guests` has fetched;
all else is told of the greeting of the conformance set. `SHORT=1` measures next to nothing: it shows that it runs.
"""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from bench import HOST, LANGUAGES, ROUNDS, SHORT, figure, greeting_in, held, load, machine, ours, table

# What is edited in a project of `wf-host new`.
SOURCES = {"rust": "src/lib.rs", "python": "workflow.py", "typescript": "hello.ts", "go": "main.go", "c": "hello.c"}
# How long a build may take.
PATIENCE = 600


def took(command, folder, **more):
    """Seconds of a command that must succeed."""
    began = time.monotonic()
    done = subprocess.run([HOST, *command], cwd=folder, capture_output=True, text=True, env={**os.environ, **more})
    if done.returncode:
        sys.exit(f"error: {command}: {done.stderr}")
    return time.monotonic() - began


def written(language, folder):
    """Seconds of the first build of a new project, and from a save to the new version being served."""
    took(["new", "hello", "--lang", language], folder)
    project = folder / "hello"
    first = took(["build"], project)
    dev = subprocess.Popen([HOST, "dev", "--port", "0"], cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    watch = threading.Timer(PATIENCE, dev.kill)
    watch.start()
    saves, source = [], project / SOURCES[language]
    for line in dev.stderr:
        if not line.startswith("built "):
            continue
        if found := re.search(r", ([\d.]+)(ms|s) since the save", line):
            saves.append(float(found[1]) / (1000 if found[2] == "ms" else 1))
        if len(saves) == (1 if SHORT else 3):
            break
        was, now = ("Hello, ", "Howdy, ") if len(saves) % 2 == 0 else ("Howdy, ", "Hello, ")
        source.write_text(source.read_text().replace(was, now))
    watch.cancel()
    dev.terminate()
    dev.wait()
    if not saves:
        sys.exit(f"error: `wf-host dev` has built nothing in {language}")
    return first, statistics.median(saves)


def compiled(file, folder):
    """Seconds from a file that is not known to one that is loaded, and once it is known."""
    check = lambda cache: took(["check", file], folder, WF_HOST_CACHE_DIR=str(cache))
    cache = folder / "cache"
    return check(cache), statistics.median(check(cache) for _ in range(ROUNDS))


def called(language, folder):
    """Milliseconds of a greeting, one after the other, and µs of CPU for it."""
    server = ours(folder / "data", files=[greeting_in(language)], name=language)
    server.healthy()
    path, body = "/workflows/greeting/run", {"start_event": {"name": "Ada"}}
    load(server, path, body, 1, 1)
    rounds = [load(server, path, body, 1) for _ in range(ROUNDS)]
    server.stop()
    return statistics.median(it["p50"] for it in rounds), statistics.median(it["cpu"] for it in rounds)


def main():
    wanted = sys.argv[1:] or list(LANGUAGES)
    unknown = [name for name in wanted if name not in LANGUAGES]
    if unknown:
        sys.exit(f"error: there is no language `{unknown[0]}`\nhint: there are {', '.join(LANGUAGES)}")
    print(machine())
    rows = []
    for language in wanted:
        with tempfile.TemporaryDirectory() as folder:
            folder, file = pathlib.Path(folder), greeting_in(language)
            size = file.stat().st_size / 1e6
            cold, warm = compiled(file, folder)
            first, save = written(language, folder)
            p50, cpu = called(language, folder)
        shown = [figure(size, digits=2), figure(first, digits=1), held(language, "save to served, s", save, digits=1), figure(cold, digits=1)]
        rows.append([language, *shown, figure(warm * 1000), figure(p50, digits=2), held(language, "CPU µs", cpu)])
    head = ["language", "component, MB", "first build, s", "save to served, s", "compile and load, s", "load compiled, ms", "a greeting, ms", "CPU µs"]
    table("what a workflow takes in each language", rows, head)


main()
