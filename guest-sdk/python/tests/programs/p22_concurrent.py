"""Three steps at once, of three types, and one that waits for all of them."""

import asyncio
import random

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class AskA(Event):
    query: str


class AskB(Event):
    query: str


class AskC(Event):
    query: str


class ToldA(Event):
    result: str


class ToldB(Event):
    result: str


class ToldC(Event):
    result: str


class ConcurrentFlow(Workflow):
    @step
    async def start(self, ctx: Context, ev: StartEvent) -> AskA | AskB | AskC | None:
        ctx.send_event(AskA(query="Query 1"))
        ctx.send_event(AskB(query="Query 2"))
        ctx.send_event(AskC(query="Query 3"))

    @step
    async def step_a(self, ctx: Context, ev: AskA) -> ToldA:
        await asyncio.sleep(random.random() / 20)
        return ToldA(result=ev.query)

    @step
    async def step_b(self, ctx: Context, ev: AskB) -> ToldB:
        await asyncio.sleep(random.random() / 20)
        return ToldB(result=ev.query)

    @step
    async def step_c(self, ctx: Context, ev: AskC) -> ToldC:
        return ToldC(result=ev.query)

    @step
    async def together(self, ctx: Context, ev: ToldA | ToldB | ToldC) -> StopEvent | None:
        told = ctx.collect_events(ev, [ToldC, ToldA, ToldB])
        if told is None:
            return None
        return StopEvent(result=[it.result for it in told])


workflow = ConcurrentFlow(timeout=10)
