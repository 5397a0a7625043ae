"""A start event and a stop event of one's own, with fields that are no plain values."""

from datetime import date
from pathlib import Path

from pydantic import BaseModel, Field
from workflows import Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Settings(BaseModel):
    tone: str = "plain"
    words: int = Field(default=3, description="At most")


class JokeStart(StartEvent):
    topic: str
    where: Path
    on: date | None = None
    settings: Settings = Field(default_factory=Settings)


class Joke(Event):
    text: str
    where: Path


class JokeStop(StopEvent):
    critique: str
    where: Path
    score: float = 0.5


class JokeFlow(Workflow):
    @step
    async def generate(self, ev: JokeStart) -> Joke:
        words = [ev.settings.tone, "joke", "about", ev.topic][: ev.settings.words + 1]
        return Joke(text=" ".join(words), where=ev.where / f"{ev.topic}.txt")

    @step
    async def critique(self, ev: Joke) -> JokeStop:
        return JokeStop(critique=f"{ev.text}: {ev.where.name} is short", where=ev.where.parent)


workflow = JokeFlow(timeout=60, verbose=False)
