"""Resources, free steps, inheritance and a constructor."""

from typing import Annotated

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent
from workflows.resource import Resource


class Memory:
    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> int:
        self.said.append(text)
        return len(self.said)


def get_memory() -> Memory:
    return Memory()


async def get_greeting() -> str:
    return "hello"


class Middle(Event):
    text: str


class Base(Workflow):
    punctuation = "."

    def __init__(self, *args, greeting: str = "hi", **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.greeting = greeting

    def ended(self, text: str) -> str:
        return text + self.punctuation

    @step
    async def begin(
        self, ev: StartEvent, memory: Annotated[Memory, Resource(get_memory)], again: Annotated[Memory, Resource(get_memory)], word: Annotated[str, Resource(get_greeting)]
    ) -> Middle:
        memory.say("one")
        count = again.say("two")
        return Middle(text=self.ended(f"{self.greeting} {word} {count}"))


class ResourceWorkflow(Base):
    punctuation = "!"


@step(workflow=ResourceWorkflow)
async def free(ctx: Context, ev: Middle) -> StopEvent:
    return StopEvent(result=ev.text.upper())


workflow = ResourceWorkflow(timeout=10, greeting="good day")
