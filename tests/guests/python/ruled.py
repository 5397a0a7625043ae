"""Events with rules of their own, that look at the world around them."""

import datetime
import logging
import os
import random
import uuid

from pydantic import Field, field_validator
from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, StartEvent, StopEvent


class Order(StartEvent):
    count: int
    by: datetime.date = datetime.date(2999, 1, 1)

    @field_validator("by")
    @classmethod
    def is_to_come(cls, value: datetime.date) -> datetime.date:
        print("looking at the day")
        logging.getLogger("rules").warning("looking at the day")
        if value < datetime.date.today():
            raise ValueError("that day is over")
        return value


class Note(Event):
    """Its number and its lot are made where it comes in, once."""

    text: str
    number: str = Field(default_factory=lambda: str(uuid.uuid4()))
    lot: float = Field(default_factory=random.random)

    @field_validator("text")
    @classmethod
    def stamp(cls, value: str) -> str:
        return f"{value.strip()}."


class Allowed(HumanResponseEvent):
    name: str

    @field_validator("name")
    @classmethod
    def is_allowed(cls, value: str) -> str:
        if value not in os.environ["NAMES"]:
            raise ValueError("nobody knows it")
        return value


class Ruled(Workflow):
    @step
    async def begin(self, ctx: Context, ev: Order) -> StopEvent:
        notes = [await ctx.wait_for_event(Note) for _ in range(ev.count)]
        if ev.count > 1:
            return StopEvent(result=[[it.text, it.number, it.lot] for it in notes])
        return StopEvent(result=(await ctx.wait_for_event(Allowed)).name)
