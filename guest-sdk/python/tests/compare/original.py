"""Runs a workflow of a file on LlamaIndex's own package, and prints its stream as `wf-host run` does.

`original.py FILE WORKFLOW EVENT ANSWERS`, by the Python of the environment with the originals.
EVENT: the start event's fields. ANSWERS: a list of `{"type", "value"}`; the next is sent whenever
an input-required event is seen.
"""

import asyncio
import importlib.util
import json
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
from llama_agents.client.protocol.serializable_events import EventEnvelopeWithMetadata
from workflows.events import Event, InputRequiredEvent


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
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def find(module, name: str):
    from llama_agents.server import WorkflowServer

    server = next((it for it in vars(module).values() if isinstance(it, WorkflowServer)), None)
    if server is not None:
        return server.get_workflows()[name]
    instances = {key: value for key, value in vars(module).items() if isinstance(value, workflows.Workflow)}
    if instances:
        return instances.get(name) or next(iter(instances.values()))
    found, run = [], workflows.Workflow.run

    def record(self, *_, **__):
        found.append(self)
        raise Recorded

    async def serve(self, *_, **__):
        found.append(self.get_workflows()[name])
        raise Recorded

    workflows.Workflow.run, WorkflowServer.serve = record, serve
    try:
        asyncio.run(module.main())
    except Recorded:
        pass
    finally:
        workflows.Workflow.run = run
    return found[0]


def subclasses(cls):
    return [cls] + [it for one in cls.__subclasses__() for it in subclasses(one)]


async def main(workflow, event: str, answers: str) -> None:
    left = json.loads(answers)
    handler = workflow.run(**json.loads(event))
    async for it in handler.stream_events():
        print(EventEnvelopeWithMetadata.from_event(it).model_dump_json(), flush=True)
        if isinstance(it, InputRequiredEvent) and left:
            # The wait begins once the event is out.
            await asyncio.sleep(0.05)
            answer = left.pop(0)
            cls = next(one for one in subclasses(Event) if one.__name__ == answer["type"])
            sent = handler.ctx.send_event(cls(**answer["value"]))
            if sent is not None:
                await sent
    try:
        await handler
    except Exception:
        pass


older_names()
asyncio.run(main(find(load(Path(sys.argv[1])), sys.argv[2]), *sys.argv[3:]))
