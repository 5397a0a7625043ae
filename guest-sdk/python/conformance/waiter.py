"""Asks in the middle of a step."""

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class AskEvent(InputRequiredEvent):
    """Asks who it is."""

    question: str


class AnswerEvent(HumanResponseEvent):
    """Says who it is."""

    user: str = "anyone"
    answer: str


class WaiterWorkflow(Workflow):
    """Waits for one person's answer."""

    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        """Asks, and waits for Laurie."""
        answer = await ctx.wait_for_event(
            AnswerEvent,
            waiter_event=AskEvent(question="who?"),
            requirements={"user": "laurie"},
            timeout=ev.get("wait", 60),
        )
        return StopEvent(result={"answer": answer.answer})


server = WorkflowServer()
server.add_workflow("waiter", WaiterWorkflow(timeout=None), additional_events=[AskEvent, AnswerEvent])
