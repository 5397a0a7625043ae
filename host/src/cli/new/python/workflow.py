"""Greets whoever it is told, and asks first where it is told nobody."""

import asyncio

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class Begin(StartEvent):
    """Whom to greet."""

    name: str = ""


class Progress(Event):
    """How far it is."""

    done: int


class Ask(InputRequiredEvent):
    """A question to a person."""

    question: str


class Answer(HumanResponseEvent):
    """What the person says."""

    name: str


class Greeting(Workflow):
    """Greets somebody."""

    @step
    async def begin(self, ctx: Context, ev: Begin) -> Ask | StopEvent:
        """Greets at once where it knows whom, else asks."""
        if not ev.name:
            return Ask(question="Who are you?")
        for done in range(3):
            ctx.write_event_to_stream(Progress(done=done))
            # Durable: the server may be stopped meanwhile.
            await asyncio.sleep(0.01)
        return StopEvent(result=f"Hello, {ev.name}!")

    @step
    async def answered(self, ev: Answer) -> StopEvent:
        """Greets whoever has answered."""
        return StopEvent(result=f"Hello, {ev.name}!")


server = WorkflowServer()
server.add_workflow("{{name}}", Greeting(timeout=None))

if __name__ == "__main__":
    # On the original server. `wf-host dev` does not come here.
    asyncio.run(server.serve())
