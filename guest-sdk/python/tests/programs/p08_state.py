"""A typed state, edited by steps beside each other, with `return` inside of the block."""

from pydantic import BaseModel, Field
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Tally(BaseModel):
    count: int = 0
    seen: list[int] = Field(default_factory=list)
    label: str = "tally"


class Tick(Event):
    number: int


class Counted(Event):
    number: int


class StateWorkflow(Workflow):
    @step
    async def begin(self, ctx: Context[Tally], ev: StartEvent) -> Tick | None:
        await ctx.store.set("label", "begun")
        for number in range(20):
            ctx.send_event(Tick(number=number))
        return None

    @step(num_workers=8)
    async def count(self, ctx: Context[Tally], ev: Tick) -> Counted:
        async with ctx.store.edit_state() as state:
            state.count += 1
            state.seen.append(ev.number)
            return Counted(number=ev.number)

    @step
    async def finish(self, ctx: Context[Tally], ev: Counted) -> StopEvent | None:
        if ctx.collect_events(ev, [Counted] * 20) is None:
            return None
        state = await ctx.store.get_state()
        return StopEvent(result={"count": state.count, "seen": sorted(state.seen), "label": await ctx.store.get("label"), "type": type(state).__name__})


workflow = StateWorkflow(timeout=30)
