"""Sums up the parts of a document at once, asks a person, and gives a report."""

import re
from collections import Counter

from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent

CHUNK = 600  # characters, about


class Document(StartEvent):
    """What is to be reported on."""

    name: str
    text: str


class Chunk(Event):
    """A part of it."""

    number: int
    text: str


class Summary(Event):
    """What is in a part."""

    number: int
    sentence: str
    words: int


class ReviewRequest(InputRequiredEvent):
    """Asks a person to look at what came of it."""

    draft: str


class ReviewResponse(HumanResponseEvent):
    """What the person says; a title of one's own."""

    approved: bool
    title: str | None = None


class Reported(StopEvent):
    """What has become of the document; no report: it was refused."""

    report: str | None
    chunks: int
    words: int


class Documents(Workflow):
    """Sums up the parts of a document at once, asks a person, and gives a report."""

    @step
    async def split(self, ctx: Context, ev: Document) -> list[Chunk]:
        """Splits it where a paragraph ends."""
        await ctx.store.set("name", ev.name)
        return [Chunk(number=number, text=text) for number, text in enumerate(chunks(ev.text))]

    @step(num_workers=4)
    async def map(self, ev: Chunk) -> Summary:
        """Picks the sentence that says most."""
        return Summary(number=ev.number, sentence=telling(ev.text), words=len(ev.text.split()))

    @step
    async def reduce(self, ctx: Context, all: list[Summary]) -> ReviewRequest:
        """Puts the parts together, in their order, and asks."""
        parts = sorted(all, key=lambda it: it.number)
        body = "".join(f"{it.number + 1}. {it.sentence}\n" for it in parts)
        await ctx.store.set("body", body)
        await ctx.store.set("counts", {"chunks": len(parts), "words": sum(it.words for it in parts)})
        return ReviewRequest(draft=body)

    @step
    async def write(self, ctx: Context, ev: ReviewResponse) -> Reported:
        """Writes it where the person agrees."""
        counts = await ctx.store.get("counts")
        report = None
        if ev.approved:
            title = ev.title or f"What {await ctx.store.get('name')} says"
            body = await ctx.store.get("body")
            report = f"# {title}\n\n{body}\n{counts['words']} words in {counts['chunks']} parts.\n"
        return Reported(report=report, **counts)


def chunks(text: str) -> list[str]:
    """Paragraphs, as many in each part as fit."""
    found: list[str] = []
    for paragraph in filter(None, map(str.strip, text.split("\n\n"))):
        if found and len(found[-1]) + len(paragraph) < CHUNK:
            found[-1] += "\n\n" + paragraph
        else:
            found.append(paragraph)
    return found


def telling(text: str) -> str:
    """The sentence whose words come up most in the text."""
    often = Counter(words(text))
    sentences = [it.strip() for it in re.split(r"(?<=[.!?])", text) if it.strip()]
    return max(sentences, key=lambda it: sum(often[word] for word in words(it)) / max(len(words(it)), 4), default="")


def words(text: str) -> list[str]:
    """Long ones, which mean something."""
    return [word.lower() for word in re.findall(r"\w+", text) if len(word) > 3]


workflow = Documents(timeout=None)
