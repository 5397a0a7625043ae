"""Events: their fields, what they do not declare, and how they look."""

from __future__ import annotations

import pytest
from pydantic import Field, ValidationError
from wf_guest.forms import read, written
from workflows.errors import WorkflowRuntimeError
from workflows.events import Event, StartEvent, StopEvent


class Named(Event):
    name: str
    size: int = Field(default=1, ge=1)


class Own(StopEvent):
    total: int


class Box:
    pass


def test_what_is_not_declared_is_beside_the_fields():
    event = Named(name="a", extra=2)
    assert (event.name, event.extra, event["extra"], event.get("name", "default")) == ("a", 2, 2, "default")
    assert ("extra" in event, "name" in event, len(event), list(event)) == (True, False, 1, ["extra"])
    assert event.to_dict() == {"extra": 2} and event.model_dump() == {"name": "a", "size": 1, "_data": {"extra": 2}}
    assert repr(event) == "Named(name='a', size=1)"
    with pytest.raises(AttributeError):
        event.nothing


def test_fields_are_checked_when_made_and_not_when_assigned():
    with pytest.raises(ValidationError):
        Named(name="a", size=0)
    event = Named(name="a")
    event.size, event.other = "no number", 1
    assert (event.size, event["other"]) == ("no number", 1)


def test_events_are_true_equal_by_value_and_unhashable():
    assert Event() and Named(name="a") == Named(name="a") and Named(name="a") != Named(name="a", x=1)
    with pytest.raises(TypeError):
        hash(Event())


def test_an_extra_called_as_a_method_is_reached_by_index():
    event = Event(items=[1])
    assert event["items"] == [1] and callable(event.items)


def test_a_stop_event_shows_its_result():
    assert StopEvent(result=0).model_dump() == {"result": 0} and StopEvent().model_dump() == {}
    assert str(StopEvent("done")) == "done" and repr(StopEvent(result=1)) == "StopEvent(result=1)"
    assert (Own(total=1).result, Own(total=1).model_dump()) == (None, {"total": 1})
    assert StopEvent.model_json_schema()["properties"] == {}


def test_private_names_are_taken_as_they_are_by_models_that_were_dumped():
    assert Named.model_validate({"name": "a", "x": 1}).x == 1
    assert Named.model_validate({"name": "a", "_data": {"x": 1}})["x"] == 1


def test_payloads_are_flat_and_keep_digits():
    name, payload = written(Named(name="ü", big=12345678901234567890123, float=1.0))
    assert (name, payload) == ("Named", '{"big":12345678901234567890123,"float":1.0,"name":"ü","size":1}')
    again = read(Named, payload)
    assert again == Named(name="ü", big=12345678901234567890123, float=1.0)
    assert written(StopEvent()) == ("StopEvent", '{"result":null}')


@pytest.mark.parametrize("value", [Box(), float("nan"), {"x": Box()}, object])
def test_what_has_no_json_form_is_said_with_its_field(value):
    with pytest.raises(WorkflowRuntimeError, match="because `it` is a"):
        written(Event(it=value))


def test_a_start_event_takes_anything():
    assert read(StartEvent, '{"a":{"b":[1]}}').a == {"b": [1]}
