"""A state without a type: read and set by name, and edited while nobody else does."""

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Next(Event):
    pass


class StateWorkflow(Workflow):
    @step
    async def first(self, ctx: Context, ev: StartEvent) -> Next:
        count = await ctx.store.get("count", default=0)
        await ctx.store.set("count", count + 1)
        await ctx.store.set("user", {"name": ev.get("name", "nobody"), "seen": []})
        return Next()

    @step
    async def second(self, ctx: Context, ev: Next) -> StopEvent:
        async with ctx.store.edit_state() as state:
            if "total" not in state:
                state["total"] = 10
            state["count"] += state["total"]
            state["user"]["seen"].append(state.get("nothing", "nothing"))
        name = await ctx.store.get("user.name")
        return StopEvent(result={"count": await ctx.store.get("count"), "name": name, "seen": await ctx.store.get("user.seen.0")})


workflow = StateWorkflow()
