"""Answers a line, and remembers those before it."""

from workflows import Context, Workflow, step
from workflows.events import StartEvent, StopEvent


class Conversation(Workflow):
    """Answers a line, and remembers those before it: a handler's next run begins with the state of its last."""

    @step
    async def answer(self, ctx: Context, ev: StartEvent) -> StopEvent:
        line = ev.get("line", "")
        if line.startswith("I am "):
            await ctx.store.set("name", line.removeprefix("I am ").rstrip("."))
        lines = await ctx.store.get("lines", default=[]) + [line]
        await ctx.store.set("lines", lines)
        whom = await ctx.store.get("name", default="stranger")
        return StopEvent(result=f"Hello, {whom}. You have said {len(lines)} line(s).")


workflow = Conversation(timeout=None)
