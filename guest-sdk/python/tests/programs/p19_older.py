"""Older names: `llama_index.core.workflow` with its drawings, string annotations, and events used as they are."""

from __future__ import annotations

from llama_index.core.workflow import Context, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Workflow, step


class OlderWorkflow(Workflow):
    @step()
    async def ask(self, ctx: Context, ev: StartEvent) -> InputRequiredEvent:
        await ctx.store.set("topic", ev.get("topic", "none"))
        return InputRequiredEvent(prefix="Go on? ")

    @step()
    async def answer(self, ctx: Context, ev: HumanResponseEvent) -> StopEvent:
        topic = await ctx.store.get("topic")
        return StopEvent(result=f"{topic}: {ev.response}")


workflow = OlderWorkflow(timeout=60, verbose=False)
