"""What differs, as the page of differences says: seen on both."""

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class Ask(InputRequiredEvent):
    question: str


class Reply(HumanResponseEvent):
    number: int


class Counted(StartEvent):
    count: int


class StuckWorkflow(Workflow):
    """Nothing is left to do, and it has not ended."""

    @step
    async def begin(self, ev: StartEvent) -> StopEvent | None:
        return None


class PublishedWorkflow(Workflow):
    """Publishes what ends a stream, and goes on."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
        ctx.write_event_to_stream(StopEvent(result="early"))
        ctx.write_event_to_stream(Event(after=True))
        return StopEvent(result="late")


class EditWorkflow(Workflow):
    """Waits while it has the state for itself."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
        async with ctx.store.edit_state() as state:
            answer = await ctx.wait_for_event(Reply, waiter_event=Ask(question="which?"))
            state.number = answer.number
        return StopEvent(result=await ctx.store.get("number"))


class TwiceWorkflow(Workflow):
    """Asks two questions of one type, one after the other."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
        one = await ctx.wait_for_event(Reply, waiter_event=Ask(question="one?"))
        two = await ctx.wait_for_event(Reply, waiter_event=Ask(question="two?"))
        return StopEvent(result=[one.number, two.number])


class LaxWorkflow(Workflow):
    """Is begun with a text that could be a number."""

    @step
    async def begin(self, ev: Counted) -> StopEvent:
        return StopEvent(result=ev.count + 1)


server = WorkflowServer()
server.add_workflow("stuck", StuckWorkflow(timeout=1))
server.add_workflow("published", PublishedWorkflow(timeout=10))
server.add_workflow("edit", EditWorkflow(timeout=10), additional_events=[Reply])
server.add_workflow("twice", TwiceWorkflow(timeout=10), additional_events=[Reply])
server.add_workflow("lax", LaxWorkflow(timeout=10))
