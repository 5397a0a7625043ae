"""A typed state: edits within edits, a block that fails, what it does not know; and nothing else that is kept."""

from pydantic import BaseModel, Field
from workflows import Context, Workflow, step
from workflows.events import StartEvent, StopEvent


class Person(BaseModel):
    name: str = "nobody"
    tags: list[str] = Field(default_factory=list)


class Tally(BaseModel):
    count: int = 0
    names: list[str] = []
    person: Person = Field(default_factory=Person)


class EditsWorkflow(Workflow):
    @step
    async def edit(self, ctx: Context[Tally], ev: StartEvent) -> StopEvent:
        said = {"at first": [await ctx.store.get("count"), await ctx.store.get("nothing", default="none"), await ctx.store.get("person.name")]}
        async with ctx.store.edit_state() as state:
            state.count += 1
            state.names.append("a")
            state.person.tags.append("t")
            try:
                async with ctx.store.edit_state():
                    said["nested"] = "edited"
            except RuntimeError:
                said["nested"] = "refused"
        try:
            await ctx.store.set("unknown", 1)
        except ValueError as error:
            said["unknown"] = type(error).__name__
        try:
            async with ctx.store.edit_state() as state:
                state.count = 99
                raise KeyError("lost")
        except KeyError as error:
            said["raised"] = str(error)
        try:
            await ctx.store.get("nothing")
        except ValueError as error:
            said["missing"] = str(error)
        await ctx.store.set("person.name", "Ada")
        await ctx.store.set("person", Person(name=(await ctx.store.get("person")).name + "!", tags=["u"]))
        state = await ctx.store.get_state()
        said["kept"] = [type(state).__name__, state.count, state.names, type(state.person).__name__, state.person.model_dump()]
        await ctx.store.set_state(Tally(count=5))
        said["set"] = (await ctx.store.get_state()).model_dump()
        await ctx.store.clear()
        said["cleared"] = (await ctx.store.get_state()).model_dump()
        return StopEvent(result=said)


workflow = EditsWorkflow(timeout=10)
