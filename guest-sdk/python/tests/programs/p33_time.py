"""Sleeps beside each other, what takes too long, tasks of one's own; and what is printed and logged on the way."""

import asyncio
import logging
import sys

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent

log = logging.getLogger("kitchen")


class Said(Event):
    text: str


class SleepsWorkflow(Workflow):
    @step
    async def sleep(self, ctx: Context, ev: StartEvent) -> StopEvent:
        async def say(text: str, after: float) -> str:
            await asyncio.sleep(after)
            ctx.write_event_to_stream(Said(text=text))
            return text

        task = asyncio.create_task(say("task", 0.15))
        said = await asyncio.gather(say("slow", 0.3), say("quick", 0.05))
        try:
            await asyncio.wait_for(say("never", 60), 0.05)
        except asyncio.TimeoutError:
            said.append("late")
        try:
            async with asyncio.timeout(0.05):
                await asyncio.sleep(60)
        except TimeoutError:
            said.append("late again")
        failed = await asyncio.gather(say("kept", 0.01), asyncio.to_thread(int, "x"), return_exceptions=True)
        return StopEvent(result=[*said, await task, *(str(it) for it in failed)])


class SpeaksWorkflow(Workflow):
    @step
    async def speak(self, ctx: Context, ev: StartEvent) -> StopEvent:
        print("flour", 500)
        print("no salt", file=sys.stderr)
        log.warning("the oven is at %s degrees", 230)
        ctx.write_event_to_stream(Said(text="spoken"))
        return StopEvent(result="done")


server = WorkflowServer()
server.add_workflow("sleeps", SleepsWorkflow(timeout=10))
server.add_workflow("speaks", SpeaksWorkflow(timeout=10))
