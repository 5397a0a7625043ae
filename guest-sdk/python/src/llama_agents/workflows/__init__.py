"""Another name of `workflows`, and of all modules in it."""

import importlib
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from workflows import Context, Workflow, catch_error, step

__all__ = ["Context", "Workflow", "catch_error", "step"]


class _Same(MetaPathFinder, Loader):
    """Gives the module of the other name."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self) if fullname.startswith(f"{__name__}.") else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return importlib.import_module("workflows" + spec.name.removeprefix(__name__))

    def exec_module(self, module: ModuleType) -> None: ...


sys.meta_path.append(_Same())
