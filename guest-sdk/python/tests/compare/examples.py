"""Runs examples, each as a module of its own in which the package's public names are: a list of texts in, as JSON; out
how each has ended, which is nothing where all went well. By the Python of either package."""

import asyncio
import contextlib
import importlib
import json
import sys
import types
import typing
import warnings

import pydantic

warnings.simplefilter("ignore")
names = {"Annotated": typing.Annotated, "asyncio": asyncio, "BaseModel": pydantic.BaseModel, "Field": pydantic.Field}
for module in ("", ".collect", ".context", ".errors", ".events", ".handler", ".resource", ".retry_policy"):
    found = importlib.import_module(f"workflows{module}")
    names |= {name: it for name, it in vars(found).items() if not name.startswith("_")}


def end(number, text):
    module = sys.modules[f"example_{number}"] = types.ModuleType(f"example_{number}")
    vars(module).update(names)
    try:
        # What is around it says nothing to it.
        exec(compile(text, f"example {number}", "exec", dont_inherit=True), vars(module))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


with contextlib.redirect_stdout(sys.stderr):
    ends = [end(number, text) for number, text in enumerate(json.load(sys.stdin))]
print(json.dumps(ends))
