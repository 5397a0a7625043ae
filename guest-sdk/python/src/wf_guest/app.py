"""The component: what componentize-py is given.

`wf_entry`, which the build writes, says which workflow of which module it is.
"""

from __future__ import annotations

import os
import sys

import wf_entry

# The user's folder comes last: a file in it may be called as a module of the standard library is.
for folder in [it for it in sys.path if os.path.exists(f"{it}/{wf_entry.module}.py")]:
    sys.path.remove(folder)
    sys.path.append(folder)

import gc
import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import environment, events, http, log, memo, run, state, time
from wit_world.imports.types import Event, Failure

from . import border, chance, connections, find, heap, logs, loop, prepare, validation, variables, warm
from .invoke import Failed, invoke


class _Host:
    environment, events, http, log, memo, run, state, time = environment, events, http, log, memo, run, state, time
    event, error = Event, Err


chance.watch()
border.connect(_Host)
loop.install()
logs.install()
variables.install()
connections.install()
prepare.standard_library()
found = find.find(wf_entry.module, wf_entry.workflow)
prepare.user_modules()
found.check()
# Whatever was asked of types when modules were made is held for whoever asks again.
sys._clear_internal_caches()
heap.move(heap.ran(lambda: warm.warm(_Host, 2)) | heap.code(found.workflow))
warm.warm(_Host)
_manifest = json.dumps(found.manifest(), ensure_ascii=False)
_workflow = found.workflow


class Steps(exports.Steps):
    """What the host calls."""

    def describe(self) -> str:
        return _manifest

    def rehearse(self) -> None:
        """Does what most steps do, for who looks where that writes."""
        warm.rehearse(_Host)

    def invoke(self, step: str, events: list[Event]) -> list[Event]:
        if step == validation.STEP:
            return self._validate(events[0])
        try:
            returned = invoke(_workflow, step, [(it.name, it.payload) for it in events])
        except Failed as failed:
            raise Err(Failure(failed.kind, failed.message, json.dumps(failed.details))) from None
        return [Event(name, payload) for name, payload in returned]

    def _validate(self, event: Event) -> list[Event]:
        try:
            taken = validation.validated(event.name, event.payload, type(_workflow).__module__)
        except validation.Refused as refused:
            raise Err(Failure("ValidationError", str(refused), "{}")) from None
        return [Event(name, payload) for name, payload in taken]


sys.setrecursionlimit(1000)
# What is there now lives as long as the instance: to look through it again would only touch its memory.
gc.collect()
gc.freeze()
# An instance ends with its step: few make so much that it is worth a look.
gc.set_threshold(20_000)
