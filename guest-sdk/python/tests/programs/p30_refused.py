"""What is refused: events that a step does not take, what is returned and is no event, and workflows that cannot be."""

import re

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, catch_error, step
from workflows.errors import WorkflowConfigurationError, WorkflowRuntimeError, WorkflowValidationError
from workflows.events import Event, HumanResponseEvent, StartEvent, StepFailedEvent, StopEvent


class Part(Event):
    number: int


class Other(Event):
    number: int


class Told(HumanResponseEvent):
    text: str


class MyStart(StartEvent):
    text: str


class MyStop(StopEvent):
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
        # Classes are told as a set, in no order.
        return [type(error).__name__, re.sub(r"\{.*\}", "{…}", str(error))]
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


def unreachable():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent: ...

        @step
        async def one(self, ev: Part) -> Other: ...

        @step
        async def two(self, ev: Other) -> Part: ...

    It().validate()


def circle():
    """Two steps that lead to one another, and to no end."""

    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> Part | StopEvent: ...

        @step
        async def one(self, ev: Part) -> Other: ...

        @step
        async def two(self, ev: Other) -> Part: ...

    return It


def dead_end():
    circle()().validate()


def skipped():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> Part | StopEvent: ...

        @step(skip_graph_checks=["dead_end"])
        async def one(self, ev: Part) -> Other: ...

        @step
        async def two(self, ev: Other) -> Part: ...

    It(skip_graph_checks={"reachability"}).validate()


def skipped_everywhere():
    circle()(skip_graph_checks={"dead_end"}).validate()


def unknown_check():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent: ...

    It(skip_graph_checks={"nothing"})


def none_at_once():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent: ...

    It(num_concurrent_runs=0)


def takes_a_stop():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent: ...

        @step
        async def after(self, ev: StopEvent) -> StopEvent: ...

    It().validate()


def two_starts():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent: ...

        @step
        async def start(self, ev: MyStart) -> StopEvent: ...

    It()


def two_stops():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent | MyStop: ...

    It()


def added_twice():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent: ...

    @step(workflow=It)
    async def more(ev: StartEvent) -> StopEvent: ...

    @step(workflow=It)
    async def more(ev: StartEvent) -> StopEvent: ...


def catches_nobody():
    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent: ...

        @catch_error(for_steps=["nobody", "begin"])
        async def catch(self, ev: StepFailedEvent) -> StopEvent: ...

    It().validate()


def two_handlers(ones, others):
    """A step, and two handlers of these steps."""

    class It(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> StopEvent: ...

        @catch_error(for_steps=ones)
        async def one(self, ev: StepFailedEvent) -> StopEvent: ...

        @catch_error(for_steps=others)
        async def two(self, ev: StepFailedEvent) -> StopEvent: ...

    It().validate()


def catches_twice():
    two_handlers(["begin"], ["begin"])


def catches_a_catcher():
    two_handlers(["begin"], ["one"])


def catches_all_twice():
    two_handlers(None, None)


DECORATED = (no_event, no_return, no_workers, no_workflow, added_twice)
MADE = (no_start, no_stop, two_starts, two_stops, none_at_once, unknown_check)
CHECKED = (never_consumed, never_produced, passed_over, takes_a_stop, unreachable, dead_end, skipped, skipped_everywhere)
CAUGHT = (catches_nobody, catches_twice, catches_a_catcher, catches_all_twice)


class WordsWorkflow(Workflow):
    @step
    async def look(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result={it.__name__: refused(it) for it in (*DECORATED, *MADE, *CHECKED, *CAUGHT)})


server = WorkflowServer()
server.add_workflow("sends", SendsWorkflow())
server.add_workflow("text", TextWorkflow())
server.add_workflow("class", ClassWorkflow())
server.add_workflow("unnamed", UnnamedWorkflow())
server.add_workflow("words", WordsWorkflow())
