"""A workflow that stands in the file, and a server of `main()` that is told all that the original's can be told."""

import asyncio

import uvicorn
from llama_agents.server import MemoryWorkflowStore, WorkflowServer
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from workflows import Context, Workflow, step
from workflows.context import JsonSerializer
from workflows.events import Event, StartEvent, StopEvent


class Greeted(Event):
    name: str


class GreetWorkflow(Workflow):
    @step
    async def greet(self, ctx: Context, ev: StartEvent) -> StopEvent:
        ctx.write_event_to_stream(Greeted(name=ev.get("name", "Ada")))
        return StopEvent(result="greeted")


instance = GreetWorkflow(timeout=10)


async def main() -> None:
    server = WorkflowServer(
        middleware=[Middleware(CORSMiddleware, allow_origins=["*"])],
        workflow_store=MemoryWorkflowStore(),
        persistence_backoff=[0.1, 1],
        exception_handlers={},
        idle_timeout=30.0,
        sse_heartbeat_interval=None,
        accept_context_api=False,
        serializer=JsonSerializer(),
    )
    server.add_workflow("named_by_main", instance, additional_events=[Greeted])
    if server.app is None:
        uvicorn.run(server.app, port=8080)
    await server.serve(host="0.0.0.0", port=8080, uvicorn_config={"log_level": "error"})


if __name__ == "__main__":
    asyncio.run(main())
