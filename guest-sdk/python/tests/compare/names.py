"""Prints the names that each public module of the original has for others; by the Python of its environment."""

import importlib
import json
import pkgutil
import typing


def names(module):
    """What it says of itself; else what it defines. Type variables are nobody's to import."""
    named = getattr(module, "__all__", None) or [name for name, it in vars(module).items() if getattr(it, "__module__", None) == module.__name__]
    return [it for it in named if not it.startswith("_") and not isinstance(getattr(module, it), (typing.TypeVar, typing.ParamSpec))]


found = {}
for root in ("workflows", "llama_agents.server", "llama_agents.client"):
    within = [it.name for it in pkgutil.iter_modules(importlib.import_module(root).__path__) if not it.name.startswith("_")]
    for name in [root, *(f"{root}.{it}" for it in within)]:
        found[name] = names(importlib.import_module(name))
print(json.dumps(found))
