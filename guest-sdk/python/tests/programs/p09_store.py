"""The untyped store: paths, lists, models, defaults and what is missing."""

from pydantic import BaseModel
from workflows import Context, Workflow, step
from workflows.events import StartEvent, StopEvent


class User(BaseModel):
    name: str
    age: int = 1


class StoreWorkflow(Workflow):
    @step
    async def use(self, ctx: Context, ev: StartEvent) -> StopEvent:
        told = {}
        await ctx.store.set("a.b.c", 1)
        told["path"] = await ctx.store.get("a")
        await ctx.store.set("list", [1, {"x": 2}])
        told["index"] = await ctx.store.get("list.1.x")
        await ctx.store.set("user", User(name="Ada"))
        told["attribute"] = await ctx.store.get("user.name")
        await ctx.store.set("user.age", 36)
        user = await ctx.store.get("user")
        told["model"] = [type(user).__name__, user.age]
        told["default"] = await ctx.store.get("nothing", default="none")
        try:
            await ctx.store.get("nothing.there")
        except ValueError as error:
            told["missing"] = str(error)
        state = await ctx.store.get_state()
        told["keys"] = sorted(state.keys())
        async with ctx.store.edit_state() as state:
            state["more"] = 12345678901234567890123
            state.extra = [1.0, True, None]
        told["more"] = str(await ctx.store.get("more"))
        told["extra"] = await ctx.store.get("extra")
        try:
            async with ctx.store.edit_state() as state:
                state["lost"] = True
                raise KeyError("dropped")
        except KeyError:
            told["lost"] = await ctx.store.get("lost", default=None)
        await ctx.store.clear()
        told["cleared"] = await ctx.store.get("a", default="gone")
        return StopEvent(result=told)


workflow = StoreWorkflow(timeout=10)
