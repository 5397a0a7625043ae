"""What comes from outside, as its class has it: who validates it, and what a run is given."""

import enum
import json
from datetime import date
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, Field, ValidationError, field_validator, model_validator
from workflows.events import HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent, Event
from wf_guest import forms
from wf_guest.validation import Refused, validated, validation


class Inner(BaseModel):
    names: list[str] = []
    within: "Inner | None" = None


class Plain(StartEvent):
    count: int = Field(gt=0)
    inner: Inner | None = None
    marks: dict[str, float] = {}


class Ruled(BaseModel):
    even: Annotated[int, AfterValidator(lambda it: it + 1)]


class Checked(StartEvent):
    name: str

    @field_validator("name")
    @classmethod
    def strip(cls, value: str) -> str:
        if not value.strip():
            raise ValueError("it is empty")
        return value.strip()


class Whole(HumanResponseEvent):
    low: int = 0
    high: int = 0

    @model_validator(mode="after")
    def ordered(self):
        assert self.low <= self.high, "in order"
        return self


class Nested(HumanResponseEvent):
    parts: list[Ruled]


class Dated(Event):
    on: date


class Numbered(StartEvent):
    names: dict[int, str]


class Renamed(StartEvent):
    count: int = Field(alias="theCount")


class Several(StartEvent):
    tags: set[Any]


class Told(StartEvent):
    count: int = Field(json_schema_extra={"type": ["integer", "string"]})


class Pair(enum.Enum):
    ONE = (1, 2)


class Paired(StartEvent):
    pair: Pair


class Common(StartEvent):
    tags: set[str] = set()
    names: dict[str, list[int]] = {}


class Made(InputRequiredEvent):
    def __init__(self, **params):
        super().__init__(**params)
        if "x" in params:
            raise KeyError("x")


class Stripped(Event):
    name: str

    @field_validator("name")
    @classmethod
    def strip(cls, value: str) -> str:
        return value.strip() + "."


class Answer(HumanResponseEvent):
    number: int


class Ended(StopEvent):
    number: int


def test_who_validates_follows_from_what_a_class_has():
    said = {it.__name__: validation(it) for it in (StartEvent, Plain, Checked, Whole, Nested, Dated, Numbered, Renamed, Several, Told, Paired, Common, Made, Stripped, Answer, Ended)}
    own = ("Checked", "Whole", "Nested", "Dated", "Numbered", "Renamed", "Several", "Told", "Paired", "Made", "Stripped")
    assert said == {"StartEvent": "last-word", "Plain": "last-word", "Common": "last-word", "Answer": "last-word", "Ended": None, **dict.fromkeys(own, "own")}


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("Checked", {"name": " "}, "Failed to deserialize event: 1 validation error for Checked\nname\n  Value error, it is empty [type=value_error"),
        ("Plain", {}, "Failed to deserialize event: 1 validation error for Plain\ncount\n  Field required [type=missing"),
        ("Whole", {"low": 1}, "1 validation error for Whole\n  Assertion failed, in order"),
        ("Answer", {"number": "x"}, "1 validation error for Answer\nnumber\n  Input should be a valid integer"),
        ("Made", {"x": 1}, "'x'"),
        ("Nobody", {}, "there is no event `Nobody`"),
    ],
)
def test_what_does_not_fit_is_refused_in_the_words_of_its_class(name, value, words):
    with pytest.raises(Refused) as refused:
        validated(name, json.dumps(value), __name__)
    assert str(refused.value).startswith(words)


def test_limits_are_those_of_the_core():
    class Limited(BaseModel):
        code: str = Field("a", pattern=r"^[a-z]+$")
        price: float = Field(1.0, multiple_of=0.1)
        cost: str = Field("$", pattern=r"\$")

    for price in (0.3, 0.7, 1, 1e9):
        assert Limited(price=price).price == price
    assert Limited(cost="5$ or so").code == "a"
    for wrong in ({"code": "abc\n"}, {"price": 0.35}):
        with pytest.raises(ValidationError):
            Limited(**wrong)


def test_what_steps_read_as_it_came_stays_as_it_came_and_all_else_is_as_its_class_made_it():
    for name, value in (("Plain", {"count": "3"}), ("Checked", {"name": " a "}), ("Answer", {"number": "3"})):
        assert validated(name, json.dumps(value), __name__) == []
    # A step reads it again without its functions: they have had their say.
    ((name, payload),) = validated("Stripped", '{"name": " a "}', __name__)
    assert (name, forms.read(Stripped, payload).name) == ("Stripped", "a.")
