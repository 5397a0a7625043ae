"""Two types in one ordered batch."""

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Flour(Event):
    grams: int


class Water(Event):
    grams: int


class BreadWorkflow(Workflow):
    @step
    async def shop(self, ctx: Context, ev: StartEvent) -> Flour | Water | None:
        ctx.send_event(Water(grams=300))
        ctx.send_event(Flour(grams=500))
        ctx.send_event(Flour(grams=20))
        return None

    @step(num_workers=1)
    async def knead(self, ctx: Context, ev: Flour | Water) -> StopEvent | None:
        found = ctx.collect_events(ev, [Flour, Flour, Water], buffer_id="bowl")
        if found is None:
            return None
        first, second, water = found
        return StopEvent(result=[type(first).__name__, first.grams, second.grams, water.grams])


workflow = BreadWorkflow(timeout=20)
