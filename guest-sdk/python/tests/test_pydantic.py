"""This package's pydantic beside the real one, by generation; and what the generation does not reach."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import ClassVar, Optional

import pytest
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, computed_field, field_validator, model_validator

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
