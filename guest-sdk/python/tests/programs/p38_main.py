"""What a `main()` does with contexts and handlers, and what a workflow is told of its host: only its steps are served."""

import asyncio

from workflows import Context, Workflow, step
from workflows.context import JsonSerializer
from workflows.events import Event, StartEvent, StopEvent
from workflows.plugins import basic_runtime


class Baked(Event):
    loaves: int


class OvenWorkflow(Workflow):
    @step
    async def bake(self, ctx: Context, ev: StartEvent) -> StopEvent:
        loaves = ev.get("loaves", 1)
        await ctx.store.set("loaves", loaves)
        ctx.write_event_to_stream(Baked(loaves=loaves))
        return StopEvent(result=f"{loaves} loaves")


async def main() -> None:
    workflow = OvenWorkflow(timeout=10, verbose=False, runtime=basic_runtime)
    handler = workflow.run(ctx=Context(workflow), loaves=2)
    async for event in handler.stream_events():
        print(event)
    kept = handler.ctx.to_dict(serializer=JsonSerializer())
    again = workflow.run(ctx=Context.from_dict(workflow, kept, serializer=JsonSerializer()))
    await again.cancel_run()
    print(await handler)


if __name__ == "__main__":
    asyncio.run(main())
