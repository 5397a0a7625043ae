"""This package's pydantic beside the real one, by generation; and what the generation does not reach."""

from __future__ import annotations

import re
import subprocess
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Callable, ClassVar, Generic, Literal, Optional, TypeVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, PydanticUserError, TypeAdapter, ValidationError, computed_field, create_model, field_serializer, field_validator, model_validator
from wf_guest import forms
from workflows.errors import WorkflowRuntimeError
from workflows.events import Event, StartEvent

HERE = Path(__file__).resolve().parent


@pytest.mark.parametrize("seed", range(1, 9))
def test_models_and_values_by_chance_are_as_with_pydantic_2(seed):
    done = subprocess.run([sys.executable, "-P", str(HERE / "generation.py"), str(seed), "250"], capture_output=True, text=True, env={})
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


class Node(BaseModel):
    """A node."""

    model_config = ConfigDict(extra="forbid")
    kind: ClassVar[str] = "node"
    name: str
    next: Optional[Node] = None
    _seen: int = PrivateAttr(default=0)


def test_a_model_may_hold_itself():
    node = Node(name="a", next={"name": "b"})
    assert node.next.name == "b" and node._seen == 0 and Node.kind == "node"
    assert node.model_dump_json() == '{"name":"a","next":{"name":"b","next":null}}'
    assert Node.model_json_schema()["$ref"] == "#/$defs/Node"
    with pytest.raises(ValidationError) as refused:
        Node(name="a", other=1)
    assert refused.value.errors()[0]["type"] == "extra_forbidden"


def test_validators_of_plain_forms():
    class Checked(BaseModel):
        name: str
        size: int = 0

        @field_validator("name")
        @classmethod
        def lower(cls, value):
            if not value:
                raise ValueError("empty")
            return value.lower()

        @model_validator(mode="after")
        def fits(self):
            if self.size >= 10:
                raise AssertionError("too large")
            return self

        @computed_field
        @property
        def twice(self) -> int:
            return self.size * 2

    assert Checked(name="ABC", size=2).model_dump() == {"name": "abc", "size": 2, "twice": 4}
    for given, message in (({"name": ""}, "Value error, empty"), ({"name": "a", "size": 10}, "Assertion failed, too large")):
        with pytest.raises(ValidationError) as refused:
            Checked(**given)
        assert refused.value.errors()[0]["msg"] == message


def test_words_of_an_error():
    class Small(BaseModel):
        size: int = Field(le=3)

    with pytest.raises(ValidationError) as refused:
        Small(size=4)
    assert str(refused.value).splitlines()[:3] == [
        "1 validation error for Small",
        "size",
        "  Input should be less than or equal to 3 [type=less_than_equal, input_value=4, input_type=int]",
    ]


def test_what_is_not_there_says_what_to_do():
    with pytest.raises(ImportError, match="use a model with one field"):
        from pydantic import RootModel  # noqa: F401


def test_dumps_leave_out_what_they_are_told_to():
    class Many(BaseModel):
        a: int = 1
        b: str | None = None
        c: list[Node] = []

    many = Many(c=[Node(name="x")])
    assert many.model_dump(exclude={"a"}) == {"b": None, "c": [{"name": "x", "next": None}]}
    assert many.model_dump(exclude_none=True) == {"a": 1, "c": [{"name": "x"}]}
    assert many.model_dump(exclude_unset=True, include={"a", "c"}) == {"c": [{"name": "x"}]}
    assert many.model_copy(update={"a": 2}).a == 2 and many.a == 1


T = TypeVar("T")
U = TypeVar("U")


class Page(BaseModel, Generic[T]):
    data: list[T]
    next: Optional[Page[T]] = None


class Pair(Page[T], Generic[T, U]):
    other: Optional[U] = None


V = TypeVar("V")


class Plain(BaseModel, Generic[T]):
    data: list[T]


class Box(BaseModel, Generic[T]):
    it: T


class Other(Plain[V], Generic[V]):
    more: list[V] = []


def test_generic_models_are_told_their_types():
    assert Page[int](data=["1"]).data == [1] and Page[Node](data=[{"name": "a"}]).data == [Node(name="a")]
    with pytest.raises(ValidationError) as refused:
        Page[int](data=["x"])
    assert refused.value.errors()[0]["loc"] == ("data", 0) and refused.value.title == "Page[int]"
    assert Page(data=["x", 1]).data == ["x", 1]
    assert Page[int] is Page[int] and issubclass(Page[int], Page) and isinstance(Page[int](data=[]), Page)
    assert Page[Node].model_fields["data"].annotation == list[Node]
    assert Page[int].model_json_schema()["$defs"]["Page_int_"]["properties"]["data"]["items"] == {"type": "integer"}
    both = Pair[int, str](data=["1"], other="x", next={"data": ["2"]})
    assert repr(both) == "Pair[int, str](data=[1], next=Page[int](data=[2], next=None), other='x')"
    assert Pair[int, T][str].__name__ == "Pair[int, str]"
    assert Pair[U, int][str](data=["1"], other="2").other == 2 and Other[int](data=["1"], more=["2"]).more == [2]


def test_what_clients_look_at_of_a_model():
    from pydantic.fields import FieldInfo
    from pydantic_core import PydanticUndefined

    class Answer(BaseModel):
        model_config = ConfigDict(extra="allow", defer_build=True)
        kind: Literal["a", "b"] = Field(alias="type")
        name: str = Field(default="x", repr=False)

    fields = Answer.model_fields
    assert isinstance(fields["kind"], FieldInfo) and fields["kind"].default is PydanticUndefined
    schema = Answer.__pydantic_core_schema__["schema"]["fields"]["kind"]
    assert schema["schema"]["expected"] == ["a", "b"] and schema["serialization_alias"] == "type"
    answer = Answer(type="a", more=1)
    answer._request_id = "7"
    assert answer._request_id == "7" and answer.model_dump() == {"kind": "a", "name": "x", "more": 1}
    assert answer == Answer(type="a", more=1) and repr(answer) == "Answer(kind='a', more=1)"
    assert (answer.__repr_name__(), answer.__repr_str__("; ")) == ("Answer", "kind='a'; more=1")


class Called(BaseModel, Generic[T, U]):
    call: Callable[[T, list[T]], U]
    any: Optional[Callable[..., U]] = None


def test_a_function_of_a_generic_model_is_told_its_types_too():
    fields = Called[int, str].model_fields
    assert fields["call"].annotation == Callable[[int, list[int]], str] and fields["any"].annotation == Optional[Callable[..., str]]
    assert Called[int, str](call=max).call is max
    with pytest.raises(ValidationError, match="callable"):
        Called[int, str](call=1)


@pytest.mark.parametrize("model, given", [(Page, (int, str)), (Pair, int), (Pair, (int, str, int)), (Pair, ()), (Page[int], int), (Node, int), (BaseModel, int), (type("Told", (Page[int],), {}), int)])
def test_types_that_a_model_does_not_take_are_refused(model, given):
    with pytest.raises(TypeError, match=re.escape(f"`{model.__name__}` takes ")):
        model[given]


class Defaulted:
    """A type variable as the Python of a component has it, which that of these tests may not."""

    __bound__, __default__ = None, int

    def has_default(self) -> bool:
        return True


def test_a_type_that_is_not_told_is_its_default():
    class Two(BaseModel, Generic[T]):
        a: T
        b: Defaulted()

    Two.__parameters__ = (T, Two.model_fields["b"].annotation)
    assert Two[str] is Two[str, int] and Two[str](a="1", b="2").b == 2 and Two[str, str](a="1", b="2").b == "2"


def test_what_a_model_gives_out_by_itself_has_no_private_names():
    node = Node(name="a")
    object.__setattr__(node, "_request_id", "7")
    assert dict(node) == {"name": "a", "next": None} and node._request_id == "7"


def plain(module: str, **fields: type) -> type[BaseModel]:
    return type(BaseModel)("Plain", (BaseModel,), {"__module__": module, "__qualname__": "Plain", "__annotations__": fields})


def test_definitions_of_one_name_stand_apart():
    first, second = plain("a", x=int), plain("b.c", y=Enum("Plain", {"ONE": 1}, module="d"))
    page = create_model("Two", one=Box[first], two=Box[second], three=Node)
    schema = page.model_json_schema()
    assert list(schema["$defs"]) == ["Node", "a__Plain", "b__c__Plain", "d__Plain", f"{__name__}__Box_Plain___1", f"{__name__}__Box_Plain___2"]
    for name, inner in (("one", "a__Plain"), ("two", "b__c__Plain")):
        box = schema["$defs"][schema["properties"][name]["$ref"].removeprefix("#/$defs/")]
        assert (box["title"], box["properties"]["it"]) == ("Box[Plain]", {"$ref": f"#/$defs/{inner}"})
    assert schema["$defs"]["b__c__Plain"]["properties"]["y"] == {"$ref": "#/$defs/d__Plain"}
    # One of them alone needs no more than its name.
    assert list(plain("e", it=first).model_json_schema()["$defs"]) == ["Plain"]
    assert list(TypeAdapter(tuple[first, second]).json_schema()["$defs"]) == ["a__Plain", "b__c__Plain", "d__Plain"]


class Span(BaseModel):
    low: int
    high: int
    note: Annotated[Optional[str], Field(default=None)]

    @field_validator("high")
    @classmethod
    def is_above(cls, value, info):
        if value <= info.data["low"]:
            raise ValueError(f"{info.field_name} must exceed low")
        return value

    @field_validator("note", mode="before")
    def marked(cls, value):
        return f"{value}!"


class Spans(BaseModel):
    span: Span
    more: int

    @field_validator("more", mode="wrap")
    @classmethod
    def is_added(cls, value, handler, info):
        return handler(value) + info.data["span"].high


def test_a_validator_knows_the_fields_before_its_own():
    assert Spans(span={"low": 1, "high": 5}, more="3").model_dump() == {"span": {"low": 1, "high": 5, "note": None}, "more": 8}
    assert Span(low=1, high=2, note=3).note == "3!"
    with pytest.raises(ValidationError, match="high must exceed low"):
        Span(low=2, high=1)
    assert Span.model_json_schema()["required"] == ["low", "high"]


def test_a_function_for_a_field_that_is_not_there_is_refused():
    with pytest.raises(PydanticUserError, match=r"incorrect fields: .*\.check \(use check_fields=False"):

        class Wrong(BaseModel):
            @field_validator("nothing")
            @classmethod
            def check(cls, value): ...

    class Mixin(BaseModel):
        @field_validator("later", check_fields=False)
        @classmethod
        def check(cls, value):
            return value + 1

    assert type("Whole", (Mixin,), {"__annotations__": {"later": int}})(later=1).later == 2


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")
    side: int
    nick: str = Field(default="", alias="nickName")
    tag: str = None

    @computed_field
    @property
    def area(self) -> int:
        return self.side * self.side

    @field_validator("tag")
    @classmethod
    def lower(cls, value):
        return value.lower()


class Handed(Event):
    shape: Shape
    note: str = None
    marked: str = "m"

    @field_validator("marked", mode="before")
    @classmethod
    def mark(cls, value):
        return f"{value}!"


class Begun(StartEvent):
    low: int = 0

    @field_validator("low")
    @classmethod
    def is_low(cls, value):
        if value > 9:
            raise ValueError("too high")
        return value


def test_an_event_that_is_handed_on_is_what_it_was():
    """Its functions have had their say, and its defaults are none of anybody's."""
    event = Handed(shape=Shape(side=2, nickName="z"), marked="a")
    assert (event.note, event.marked, event.shape.tag) == (None, "a!", None)
    again = forms.read(Handed, forms.written(event)[1])
    assert again == event and again.shape.nick == "z" and again.shape.area == 4
    # What others say is asked of them once more.
    with pytest.raises(WorkflowRuntimeError, match="too high"):
        forms.read(Begun, '{"low": 10}')
    with pytest.raises(ValidationError, match="Input should be a valid string"):
        Handed(shape=Shape(side=1), note=None)


def test_a_computed_field_may_be_shown_in_its_own_way():
    class Sized(BaseModel):
        side: int
        note: Annotated[Optional[int], Field(default=5)] = None

        @computed_field
        @property
        def area(self) -> int:
            return self.side * self.side

        @field_serializer("area")
        def shown(self, value):
            return f"{value} m"

    assert Sized(side=2).model_dump() == {"side": 2, "note": None, "area": "4 m"}


def test_a_computed_field_is_told_unless_it_is_not_to_be():
    class Sized(BaseModel):
        side: int

        @computed_field
        @property
        def area(self) -> int:
            return self.side * self.side

        @computed_field(repr=False)
        @property
        def double(self) -> int:
            return self.side * 2

    assert repr(Sized(side=2)) == "Sized(side=2, area=4)"


def test_a_validator_of_what_is_assigned_knows_the_other_fields():
    seen = []

    class Pair(BaseModel):
        model_config = ConfigDict(validate_assignment=True)
        a: int = 1
        b: int = 2

        @field_validator("b")
        @classmethod
        def look(cls, value, info):
            seen.append(dict(info.data))
            return value

    pair = Pair(a=3, b=4)
    pair.b = 5
    assert seen == [{"a": 3}, {"a": 3}]


def test_an_enum_counts_for_its_value():
    class Plain(Enum):
        RED, THREE = "red", 3

    class Fields(BaseModel):
        text: str = ""
        number: int = 0

    assert Fields(text=Plain.RED, number=Plain.THREE).model_dump() == {"text": "red", "number": 3}


def test_a_number_that_json_does_not_have_is_null_in_json():
    class Free(BaseModel):
        value: Any = None

    assert Free(value={"a": [float("inf"), 1.5, float("nan")]}).model_dump_json() == '{"value":{"a":[null,1.5,null]}}'
