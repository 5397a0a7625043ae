"""Everything that a workflow's constructor takes, and a resource that is a file beside this one."""

from typing import Annotated

from llama_agents.server import WorkflowServer
from pydantic import BaseModel
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent
from workflows.resource import Resource, ResourceConfig, ResourceManager


class Settings(BaseModel):
    words: list[str]
    limit: int = 2


class Part(Event):
    number: int


def counter() -> list[int]:
    return []


class ConfigWorkflow(Workflow):
    @step
    async def read(
        self,
        ev: StartEvent,
        whole: Annotated[Settings, ResourceConfig(config_file="p31_settings.json", path_selector="inner", label="Settings", description="What it is about")],
    ) -> StopEvent:
        return StopEvent(result=[type(whole).__name__, whole.words, whole.limit])


class ManyWorkflow(Workflow):
    @step
    async def begin(self, ctx: Context, ev: StartEvent, made: Annotated[list, Resource(counter, cache=False)]) -> StopEvent:
        made.append(1)
        return StopEvent(result=made)


class UncheckedWorkflow(Workflow):
    """Nothing makes a part: only without validation it runs."""

    @step
    async def begin(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result="ran")

    @step
    async def never(self, ev: Part) -> StopEvent:
        return StopEvent(result=ev.number)


class OlderServer(Workflow):
    @step
    async def ask(self, ev: StartEvent) -> StopEvent:
        try:
            WorkflowServer().add_workflows({"a": ManyWorkflow()})
        except AttributeError as error:
            return StopEvent(result=[type(error).__name__, str(error)])
        return StopEvent(result="taken")


server = WorkflowServer()
server.add_workflow("config", ConfigWorkflow(timeout=10))
server.add_workflow("many", ManyWorkflow(timeout=None, verbose=False, resource_manager=ResourceManager(), num_concurrent_runs=2, workflow_name="many-of-them"))
server.add_workflow("unchecked", UncheckedWorkflow(timeout=10, disable_validation=True))
server.add_workflow("older_server", OlderServer())
