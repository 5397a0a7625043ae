"""Serves the workflows of files with LlamaIndex's own server: `original.py PORT FILE…`

By the Python of the environment with the originals. A file runs as its reader runs it: what its server has is taken
over, with its additional events; else its instances, else what its `main()` would run.
"""

import asyncio
import importlib.util
import logging
import sys
import types
from pathlib import Path

logging.disable(logging.CRITICAL)

import workflows
import workflows.context
import workflows.errors
import workflows.events
import workflows.retry_policy
from llama_agents.server import WorkflowServer


class Recorded(BaseException):
    """The workflow of a `main()` is known."""


def older_names() -> None:
    """`llama_index.core.workflow` is not in the environment: it gives the same classes."""
    module = types.ModuleType("llama_index.core.workflow")
    for source in (workflows, workflows.events, workflows.errors, workflows.context, workflows.retry_policy):
        vars(module).update({name: value for name, value in vars(source).items() if not name.startswith("_")})
    for name in ("llama_index", "llama_index.core"):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = []
    sys.modules["llama_index.core.workflow"] = module


def load(path: Path):
    sys.path.insert(0, str(path.parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def found(path: Path):
    """Name, workflow and additional events of each workflow of a file."""
    added, ran, run, add, serve = [], [], workflows.Workflow.run, WorkflowServer.add_workflow, WorkflowServer.serve

    def remember(self, name, workflow, additional_events=None):
        added.append((name, workflow, additional_events))

    def record(self, *_, **__):
        ran.append(self)
        raise Recorded

    WorkflowServer.add_workflow = remember
    try:
        module = load(path)
        instances = {key: value for key, value in vars(module).items() if isinstance(value, workflows.Workflow)}
        if not added and hasattr(module, "main"):
            workflows.Workflow.run = WorkflowServer.serve = record
            try:
                asyncio.run(module.main())
            except Recorded:
                pass
            except Exception:
                # It wants what is not there: its instances may still do.
                if not instances:
                    raise
    finally:
        workflows.Workflow.run, WorkflowServer.add_workflow, WorkflowServer.serve = run, add, serve
    if added:
        return added
    if len(instances) > 1:
        return [(name, workflow, None) for name, workflow in instances.items()]
    return [(path.stem, workflow, None) for workflow in [*instances.values(), *ran][:1]]


older_names()
server = WorkflowServer()
for file in map(Path, sys.argv[2:]):
    for name, workflow, additional in found(file.absolute()):
        # What the originals' own are called others are called, too.
        server.add_workflow(file.stem if file.stem.startswith("readme_") else name, workflow, additional)
asyncio.run(server.serve("127.0.0.1", int(sys.argv[1]), {"log_level": "error"}))
