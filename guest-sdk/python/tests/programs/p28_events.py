"""Events as what they are in Python: fields and what no field names, as a dictionary, compared, shown and dumped."""

from llama_agents.server import WorkflowServer
from pydantic import BaseModel, ValidationError
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Note(Event):
    text: str
    count: int = 1


class Other(Event):
    text: str
    count: int = 1


class Own(StopEvent):
    title: str


def attempt(function):
    try:
        return function()
    except (AttributeError, KeyError, TypeError, ValidationError) as error:
        return f"{type(error).__name__}"


class EventsWorkflow(Workflow):
    @step
    async def look(self, ctx: Context, ev: StartEvent) -> StopEvent:
        note = Note(text="a", more=[1, 2], items=3)
        found = {
            "field": note.text,
            "extra": note.more,
            "index": note["more"],
            "an extra that is a method": note["items"],
            "a field by index": attempt(lambda: note["text"]),
            "get": [note.get("more"), note.get("text", "none"), note.get("nothing")],
            "in": ["more" in note, "text" in note],
            "keys": [list(note.keys()), list(note.values()), len(note), list(note)],
            "to_dict": note.to_dict(),
            "missing": attempt(lambda: note.nothing),
            "truth": [bool(note), bool(Event())],
            "hash": attempt(lambda: hash(note)),
            "equal": [note == Note(text="a", more=[1, 2], items=3), note == Note(text="a"), Note(text="a") == Other(text="a")],
            "repr": [repr(note), repr(Event(a=1)), str(Note(text="ü"))],
            "dump": [note.model_dump(), Note(text="b").model_dump(), Event(a=1).model_dump()],
            "json": [note.model_dump_json(), Note(text="b", count=2).model_dump_json()],
            "read": [Note.model_validate({"text": "c", "x": 1}).x, Note.model_validate({"text": "c", "_data": {"y": 2}}).y],
            "refused": attempt(lambda: Note(count=1)),
            "schema": Note.model_json_schema(),
            "dict": dict(note),
        }
        note.text = 5
        note.later = True
        note["by_index"] = 1
        return StopEvent(result=found | {"assigned": [note.text, note.later, note["by_index"], sorted(note.keys())]})


class Kept(BaseModel):
    name: str


class StopsWorkflow(Workflow):
    @step
    async def look(self, ctx: Context, ev: StartEvent) -> StopEvent:
        stops = [StopEvent(), StopEvent(result=None), StopEvent(result=0), StopEvent(result=""), StopEvent("placed"), StopEvent(result={"a": 1}, more=2)]
        own = Own(title="t", more=3)
        return StopEvent(
            result={
                "dumps": [it.model_dump() for it in stops],
                "json": [it.model_dump_json() for it in stops],
                "results": [it.result for it in stops],
                "texts": [str(it) for it in stops],
                "repr": [repr(it) for it in stops],
                "own": [own.result, own.more, own.get("more"), own.model_dump(), str(own), repr(own)],
                "schema": sorted(StopEvent.model_json_schema()["properties"]),
            }
        )


class EmptyWorkflow(Workflow):
    @step
    async def end(self, ev: StartEvent) -> StopEvent:
        return StopEvent()


class PlacedWorkflow(Workflow):
    @step
    async def end(self, ev: StartEvent) -> StopEvent:
        return StopEvent({"placed": Kept(name="k").model_dump()})


server = WorkflowServer()
server.add_workflow("events", EventsWorkflow())
server.add_workflow("stop_events", StopsWorkflow())
server.add_workflow("empty", EmptyWorkflow())
server.add_workflow("placed", PlacedWorkflow())
