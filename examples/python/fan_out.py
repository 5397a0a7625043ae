"""Counts the words of a text, several lines at once."""

from workflows import Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Line(Event):
    """A line whose words are to be counted."""

    number: int
    text: str


class Counted(Event):
    """How many it has."""

    number: int
    words: int


class FanOut(Workflow):
    """Counts the words of a text, several lines at once."""

    @step
    async def split(self, ev: StartEvent) -> list[Line]:
        """Makes an event of each line: what is returned as a list goes out as a fan."""
        return [Line(number=number, text=text) for number, text in enumerate(ev.get("text", "").splitlines())]

    @step(num_workers=4)
    async def count(self, ev: Line) -> Counted:
        """Counts one. At most four are counted at once; others wait for their turn."""
        return Counted(number=ev.number, words=len(ev.text.split()))

    @step
    async def sum(self, all: list[Counted]) -> StopEvent:
        """Takes all that came of the fan, as they came, once the last is there."""
        lines = [it.words for it in sorted(all, key=lambda it: it.number)]
        return StopEvent(result={"words": sum(lines), "lines": lines})


workflow = FanOut(timeout=None)
