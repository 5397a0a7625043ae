"""One step that asks a person, with plain events, and reads what the answer has beside its fields."""

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class AskingWorkflow(Workflow):
    @step
    async def ask_user(self, ctx: Context, ev: StartEvent) -> StopEvent:
        answer = await ctx.wait_for_event(
            HumanResponseEvent,
            waiter_event=InputRequiredEvent(prefix="Enter a number: "),
            waiter_id="get_number",
        )
        return StopEvent(result=int(answer.response) * 2)


server = WorkflowServer()
server.add_workflow("people", AskingWorkflow(timeout=60), additional_events=[HumanResponseEvent])
