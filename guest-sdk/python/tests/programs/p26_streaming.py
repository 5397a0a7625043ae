"""Progress while a step works, as it comes from a generator."""

import asyncio
from collections.abc import AsyncIterator

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class FirstEvent(Event):
    first_output: str


class ProgressEvent(Event):
    msg: str


async def words(text: str) -> AsyncIterator[str]:
    for word in text.split():
        await asyncio.sleep(0.001)
        yield word


class StreamingWorkflow(Workflow):
    @step
    async def one(self, ctx: Context, ev: StartEvent) -> FirstEvent:
        ctx.write_event_to_stream(ProgressEvent(msg="Step one is happening"))
        return FirstEvent(first_output=ev.first_input)

    @step
    async def two(self, ctx: Context, ev: FirstEvent) -> StopEvent:
        said = []
        async for word in words(ev.first_output):
            ctx.write_event_to_stream(ProgressEvent(msg=word))
            said.append(word)
        return StopEvent(result=len(said))


async def main() -> None:
    handler = StreamingWorkflow(timeout=30, verbose=True).run(first_input="Start the workflow.")
    async for ev in handler.stream_events():
        if isinstance(ev, ProgressEvent):
            print(ev.msg)
    print("Final result", await handler)


if __name__ == "__main__":
    asyncio.run(main())
