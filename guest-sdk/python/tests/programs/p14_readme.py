"""The shape of the original's README: a typed state, a context, a stream, all in `main()`."""

import asyncio

from pydantic import BaseModel, Field
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class LinesEvent(Event):
    lines: list[str]


class RunState(BaseModel):
    runs: int = Field(default=0)


class ReadmeWorkflow(Workflow):
    @step
    async def start(self, ctx: Context[RunState], ev: StartEvent) -> LinesEvent:
        async with ctx.store.edit_state() as state:
            state.runs += 1
            return LinesEvent(lines=[ev.line] * state.runs)

    @step
    async def count(self, ctx: Context[RunState], ev: LinesEvent) -> StopEvent:
        ctx.write_event_to_stream(ev)
        return StopEvent(result=len("".join(ev.lines)))


async def main() -> None:
    workflow = ReadmeWorkflow()
    context = Context(workflow)
    result = await workflow.run(line="hello", ctx=context)
    print("length", result)
    handler = workflow.run(line="hello again", ctx=context)
    async for event in handler.stream_events():
        if isinstance(event, LinesEvent):
            print("lines", event.lines)
    print(await handler)


if __name__ == "__main__":
    asyncio.run(main())
