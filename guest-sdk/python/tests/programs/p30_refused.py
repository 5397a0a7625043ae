"""What is refused: events that a step does not take, what is returned and is no event, and workflows that cannot be."""

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.errors import WorkflowConfigurationError, WorkflowRuntimeError, WorkflowValidationError
from workflows.events import Event, HumanResponseEvent, StartEvent, StopEvent


class Part(Event):
    number: int


class Told(HumanResponseEvent):
    text: str


class SendsWorkflow(Workflow):
    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent | Part | None:
        said = []
        for name in ("nope", "begin"):
            try:
                ctx.send_event(Part(number=1), step=name)
            except WorkflowRuntimeError as error:
                said.append(str(error))
        return StopEvent(result=said)

    @step
    async def part(self, ev: Part) -> None: ...


class TextWorkflow(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> StopEvent:
        return "text"


class ClassWorkflow(Workflow):
    @step
    async def begin(self, ev: StartEvent) -> StopEvent:
        return StopEvent if ev.get("bare") else [StopEvent()]


class UnnamedWorkflow(Workflow):
    """Its first step returns what its annotation does not name."""

    @step
    async def begin(self, ev: StartEvent) -> StopEvent:
        return Part(number=4)

    @step
    async def end(self, ev: Part | Told) -> StopEvent:
        return StopEvent(result=ev.number)

    @step
    async def more(self, ev: StartEvent) -> Part | None:
        return None


def refused(function) -> list[str]:
    try:
        function()
    except (WorkflowConfigurationError, WorkflowRuntimeError, WorkflowValidationError) as error:
        return [type(error).__name__, str(error).splitlines()[0]]
    return ["taken"]


def no_event():
    @step
    async def nothing(self, ctx: Context) -> StopEvent: ...


def no_return():
    class It(Workflow):
        @step
        async def unsaid(self, ev: StartEvent): ...


def no_workers():
    class It(Workflow):
        @step(num_workers=0)
        async def none(self, ev: StartEvent) -> StopEvent: ...


def no_workflow():
    @step
    async def free(ev: StartEvent) -> StopEvent: ...


def no_start():
    class It(Workflow):
        @step
        async def part(self, ev: Part) -> StopEvent: ...

    It()


def no_stop():
    class It(Workflow):
        @step
        async def part(self, ev: StartEvent) -> Part: ...

    It()


def never_consumed():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> Part | StopEvent: ...

    It().validate()


def never_produced():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent: ...

        @step
        async def lost(self, ev: Part) -> StopEvent: ...

    It().validate()


def passed_over():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent: ...

        @step
        async def lost(self, ev: Part) -> StopEvent: ...

    It(disable_validation=True).validate()


class WordsWorkflow(Workflow):
    @step
    async def look(self, ev: StartEvent) -> StopEvent:
        found = {it.__name__: refused(it) for it in (no_event, no_return, no_workers, no_workflow, no_start, no_stop, never_consumed, never_produced, passed_over)}
        return StopEvent(result=found)


server = WorkflowServer()
server.add_workflow("sends", SendsWorkflow())
server.add_workflow("text", TextWorkflow())
server.add_workflow("class", ClassWorkflow())
server.add_workflow("unnamed", UnnamedWorkflow())
server.add_workflow("words", WordsWorkflow())
