"""A typed start event, progress, and a stop event of one's own."""

from typing import Literal

from pydantic import BaseModel, Field
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Section(BaseModel):
    title: str
    words: list[str] = Field(default_factory=list)


class DraftStart(StartEvent):
    topic: str
    style: Literal["short", "long"] = "short"
    sections: list[Section] = Field(default_factory=list, description="What is to be said.")


class Progress(Event):
    message: str
    done: float | None = None


class Written(Event):
    sections: list[Section]


class Report(StopEvent):
    title: str
    words: int
    sections: dict[str, Section]


class DraftWorkflow(Workflow):
    @step
    async def draft(self, ctx: Context, ev: DraftStart) -> Written:
        ctx.write_event_to_stream(Progress(message=f"writing about {ev.topic}"))
        sections = ev.sections or [Section(title="one", words=["a", "b"]), Section(title="two")]
        return Written(sections=sections)

    @step
    async def finish(self, ctx: Context, ev: Written) -> Report:
        ctx.write_event_to_stream(Progress(message="done", done=1))
        count = sum(len(section.words) for section in ev.sections)
        return Report(title=ev.sections[0].title.upper(), words=count, sections={it.title: it for it in ev.sections})


workflow = DraftWorkflow(timeout=10)
