"""A loop and branches: unions, Optional, `ev.get`, annotations that are texts."""

from __future__ import annotations

from typing import Optional, Union

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Again(Event):
    left: int


class Even(Event):
    number: int


class Odd(Event):
    number: int


class LoopWorkflow(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> Again:
        return Again(left=ev.get("count", 3), note="extra")

    @step
    async def turn(self, ctx: Context, ev: Again) -> Union[Again, Even, Odd]:
        ctx.write_event_to_stream(Again(left=ev.left, note=ev.get("note", "none")))
        if ev.left > 0:
            return Again(left=ev.left - 1)
        return Even(number=0) if await ctx.store.get("even", default=True) else Odd(number=1)

    @step
    async def even(self, ev: Even) -> Optional[StopEvent]:
        if ev.number:
            return None
        return StopEvent(result={"even": ev.number, "has": hasattr(ev, "nothing")})

    @step
    async def odd(self, ev: "Odd") -> StopEvent | None:
        return StopEvent(result="odd")


workflow = LoopWorkflow(timeout=10)
