"""The second server of the deployment page: people are asked, and additional events are declared."""

import asyncio

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class RequestEvent(InputRequiredEvent):
    prompt: str


class ResponseEvent(HumanResponseEvent):
    response: str


class OutEvent(StopEvent):
    output: str


class AskingWorkflow(Workflow):
    @step
    async def prompt_human(self, ev: StartEvent) -> RequestEvent:
        return RequestEvent(prompt="What is your name?")

    @step
    async def greet_human(self, ev: ResponseEvent) -> OutEvent:
        return OutEvent(output=f"Hello, {ev.response}")


class ReviewedEvent(HumanResponseEvent):
    verdict: str


class ReviewWorkflow(Workflow):
    @step
    async def review(self, ctx: Context, ev: StartEvent) -> StopEvent:
        answer = await ctx.wait_for_event(ReviewedEvent, waiter_event=InputRequiredEvent(prefix="Review this: "))
        return StopEvent(result={"verdict": answer.verdict, "note": answer.get("note")})


async def main() -> None:
    server = WorkflowServer()
    server.add_workflow("asking", AskingWorkflow(timeout=1000))
    server.add_workflow("review", ReviewWorkflow(timeout=1000), additional_events=[ReviewedEvent, HumanResponseEvent])
    await server.serve("0.0.0.0", 8080)


if __name__ == "__main__":
    asyncio.run(main())
