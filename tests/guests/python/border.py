"""Goes to the outside, and asks a person after it."""

import os
import random

import httpx
from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class Passing(StartEvent):
    """Where to go, and with what."""

    url: str
    large: int
    fails: bool = False


class Part(Event):
    """What has come of the answer."""

    text: str


class Ask(InputRequiredEvent):
    """What was drawn, and what was answered, before it."""

    chance: float
    said: str


class Answer(HumanResponseEvent):
    """Lets it go on."""

    large: int


class Border(Workflow):
    """Goes to the outside, and asks a person after it."""

    @step
    async def work(self, ctx: Context, ev: Passing) -> StopEvent:
        """Makes a request, asks, and tells all that it has come by."""
        if ev.fails:
            raise ValueError("as asked")  # fails here
        chance = random.random()
        key, place = os.environ.get("BORDER_KEY"), os.environ.get("BORDER_PLACE")
        headers = {"x-mine": "1", "authorization": f"Bearer {key}"}
        said = ""
        async with httpx.AsyncClient() as client:
            request = {"json": {"large": ev.large}, "headers": headers, "extensions": {"idempotency_key": "pay"}}
            async with client.stream("POST", ev.url, **request) as answered:
                async for text in answered.aiter_text():
                    ctx.write_event_to_stream(Part(text=text))
                    said += text
        await ctx.store.set("large", ev.large)
        answer = await ctx.wait_for_event(Answer, waiter_event=Ask(chance=chance, said=said))
        return StopEvent(
            result={
                "chance": chance,
                "status": answered.status_code,
                "way": answered.headers.get("x-way"),
                "said": said,
                "key": key,
                "place": place,
                "large": [await ctx.store.get("large"), answer.large],
            }
        )


workflow = Border(timeout=None)
