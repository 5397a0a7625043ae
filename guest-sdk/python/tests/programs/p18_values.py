"""What events may hold: dates, enumerations, unions, tuples, bytes, models in models, and long integers."""

import enum
from datetime import date, datetime, timezone
from typing import Any, Literal, Optional, Union

from pydantic import BaseModel, ConfigDict, Field
from workflows import Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Point(BaseModel):
    x: float
    y: float = 0


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")
    points: list[Point]
    label: Optional[str] = Field(None, description="What it is called.")


class Everything(Event):
    when: datetime
    day: date
    colour: Colour = Colour.RED
    either: Union[int, str] = "text"
    pair: tuple[int, str] = (1, "one")
    raw: bytes = b"raw"
    kind: Literal["a", "b"] = "a"
    lines: dict[str, Line] = Field(default_factory=dict)
    anything: Any = None
    tags: set[str] = Field(default_factory=set)


class ValuesWorkflow(Workflow):
    @step
    async def make(self, ev: StartEvent) -> Everything:
        return Everything(
            when=datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc),
            day="2024-01-02",
            colour="blue",
            either=3,
            lines={"one": Line(points=[Point(x=1), {"x": "2.5"}], label="l")},
            anything={"list": [1, 2.0, None]},
            tags={"only"},
            long=12345678901234567890123,
        )

    @step
    async def show(self, ev: Everything) -> StopEvent:
        return StopEvent(
            result={
                "types": [type(value).__name__ for value in ev.__dict__.values()],
                "dump": ev.model_dump(mode="json"),
                "schema": ev.model_json_schema()["required"],
                "again": Line.model_validate_json(ev.lines["one"].model_dump_json()) == ev.lines["one"],
                "long": str(ev.long),
            }
        )


workflow = ValuesWorkflow()
