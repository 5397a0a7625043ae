"""What does not fit a model: which reasons are told, of what kind, and where; and what models say of themselves."""

import enum
from datetime import date, datetime, timedelta
from typing import Literal, Optional, Union
from uuid import UUID

from llama_agents.server import WorkflowServer
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from workflows import Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str
    size: int = Field(1, ge=1, le=10, description="How large.")


class Model(BaseModel):
    text: str = "t"
    whole: int = 0
    real: float = 0
    sure: bool = False
    maybe: Optional[str] = None
    colour: Colour = Colour.RED
    kind: Literal["a", "b"] = "a"
    either: Union[int, str, list[int]] = 1
    pair: tuple[int, str] = (1, "one")
    many: list[int] = []
    named: dict[str, int] = {}
    inner: Inner = Field(default_factory=lambda: Inner(name="n"))
    when: datetime = datetime(2024, 1, 2)
    day: date = date(2024, 1, 2)
    lasts: timedelta = timedelta(seconds=1)
    id: UUID = UUID(int=0)
    code: str = Field("abc", min_length=2, max_length=4, pattern="^[a-z]+$")


class Needed(Event):
    one: str
    other: Optional[int]


WRONG = {
    "text": [1, None, ["a"]],
    "whole": ["x", 1.5, "1.5", None, [1], True],
    "real": ["x", None, "2.5"],
    "sure": ["maybe", 2, 1.5, []],
    "maybe": [1],
    "colour": ["green", 1],
    "kind": ["c", 1],
    "either": [None, {}, ["x"], 1.5],
    "pair": [[1], [1, "a", 2], ["x", 1], "ab"],
    "many": [[1, "x", 2.5], "12", {"a": 1}],
    "named": [{"a": "x"}, [1]],
    "inner": [{"name": 1}, {}, {"name": "n", "more": 1}, {"name": "n", "size": 11}, "n"],
    "when": ["never", {}],
    "day": ["never", "2024-01-02T03:04:05", []],
    "lasts": ["long", []],
    "id": ["no id", 1],
    "code": ["a", "abcde", "AB"],
}


def told(function) -> list:
    try:
        return ["taken", str(function())]
    except ValidationError as error:
        return [[it["type"], [str(part) for part in it["loc"]]] for it in error.errors()]


class RefusalsWorkflow(Workflow):
    @step
    async def look(self, ev: StartEvent) -> StopEvent:
        found = {f"{name} {value!r}": told(lambda: getattr(Model(**{name: value}), name)) for name, values in WRONG.items() for value in values}
        found["nothing"] = told(Needed)
        found["both"] = told(lambda: Needed(one=1, other="x"))
        return StopEvent(result=found)


class SchemasWorkflow(Workflow):
    @step
    async def look(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=[Model.model_json_schema(), Needed.model_json_schema(), Model().model_dump(mode="json")])


server = WorkflowServer()
server.add_workflow("refusals", RefusalsWorkflow())
server.add_workflow("schemas", SchemasWorkflow())
