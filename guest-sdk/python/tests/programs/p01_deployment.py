"""A server as the deployment page has it: a module-level server, one workflow, a main."""

import asyncio

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class StreamEvent(Event):
    sequence: int


class GreetingWorkflow(Workflow):
    @step
    async def greet(self, ctx: Context, ev: StartEvent) -> StopEvent:
        for i in range(3):
            ctx.write_event_to_stream(StreamEvent(sequence=i))
            await asyncio.sleep(0.01)
        name = ev.get("name", "World")
        return StopEvent(result=f"Hello, {name}!")


greet_wf = GreetingWorkflow()

server = WorkflowServer()
server.add_workflow("greet", greet_wf)


async def main() -> None:
    await server.serve(host="0.0.0.0", port=8080)


if __name__ == "__main__":
    asyncio.run(main())
