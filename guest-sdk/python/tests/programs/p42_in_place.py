"""What is read from the state, and changed where it lies, without being set again."""

from llama_agents.server import WorkflowServer
from pydantic import BaseModel
from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from workflows.retry_policy import ConstantDelayRetryPolicy


class Middle(Event):
    pass


class Ask(InputRequiredEvent):
    pass


class Reply(HumanResponseEvent):
    text: str


class User(BaseModel):
    name: str
    tags: list[str] = []


class Place(BaseModel):
    city: str = "nowhere"


class Trip(BaseModel):
    days: int = 0
    place: Place = Place()
    notes: list[str] = []


class Loose(Workflow):
    """A state that declares nothing."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Middle:
        numbers = [1]
        await ctx.store.set("numbers", numbers)
        numbers.append(2)
        await ctx.store.set("deep", {"list": [], "user": User(name="Ada")})
        (await ctx.store.get("deep.list")).append("x")
        (await ctx.store.get("deep.user")).tags.append("first")
        same = await ctx.store.get("numbers") is await ctx.store.get("numbers")
        await ctx.store.set("same", same)
        return Middle()

    @step
    async def middle(self, ctx: Context, ev: Middle) -> Ask:
        (await ctx.store.get("numbers")).append(3)
        deep = await ctx.store.get("deep")
        deep["more"] = True
        await ctx.store.set("deep.list", ["y"])
        state = await ctx.store.get_state()
        state.extra = "kept"
        return Ask()

    @step
    async def end(self, ctx: Context, ev: Reply) -> StopEvent:
        numbers = await ctx.store.get("numbers")
        numbers.append(4)
        deep = await ctx.store.get("deep")
        told = [await ctx.store.get("numbers"), sorted(deep), deep["list"], deep["user"].tags, await ctx.store.get("extra"), await ctx.store.get("same")]
        return StopEvent(result=told)


class Waiting(Workflow):
    """Changed before a wait, seen after it."""

    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        seen = await ctx.store.get("seen", default=None)
        if seen is None:
            await ctx.store.set("seen", [])
            seen = await ctx.store.get("seen")
            seen.append("before")
        reply = await ctx.wait_for_event(Reply, waiter_event=Ask())
        return StopEvent(result=[reply.text, await ctx.store.get("seen")])


class Failing(Workflow):
    """What an attempt has changed before it fails."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Middle:
        await ctx.store.set("tries", [])
        return Middle()

    @step(retry_policy=ConstantDelayRetryPolicy(delay=0, maximum_attempts=3))
    async def fail(self, ctx: Context, ev: Middle) -> StopEvent:
        tries = await ctx.store.get("tries")
        tries.append(len(tries))
        if len(tries) < 3:
            raise ValueError("again")
        return StopEvent(result=tries)


class Typed(Workflow):
    """A state of its own type."""

    @step
    async def begin(self, ctx: Context[Trip], ev: StartEvent) -> Middle:
        state = await ctx.store.get_state()
        state.days = 5
        (await ctx.store.get("notes")).append("packed")
        return Middle()

    @step
    async def end(self, ctx: Context[Trip], ev: Middle) -> StopEvent:
        place = await ctx.store.get("place")
        place.city = "Rome"
        await ctx.store.set("days", await ctx.store.get("days") + 1)
        state = await ctx.store.get_state()
        state.notes.append("left")
        async with ctx.store.edit_state() as edited:
            edited.notes.append("edited")
        return StopEvent(result=(await ctx.store.get_state()).model_dump())


server = WorkflowServer()
server.add_workflow("loose", Loose(timeout=20))
server.add_workflow("waiting", Waiting(timeout=20), additional_events=[Reply])
server.add_workflow("failing", Failing(timeout=20))
server.add_workflow("typed", Typed(timeout=20))
