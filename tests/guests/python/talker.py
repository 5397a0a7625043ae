"""Says what it does in every way that Python has, and asks in the middle of it."""

import logging
import sys

from llama_agents.server import WorkflowServer
from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent

log = logging.getLogger("mine")


class Begin(StartEvent):
    """How loud."""

    configured: bool = False


class Ask(InputRequiredEvent):
    """Whether to go on."""


class Answer(HumanResponseEvent):
    """Go on."""


class Talked(Event):
    """It has answered."""


class Talker(Workflow):
    """Says what it does, and asks in the middle of it."""

    @step
    async def talk(self, ctx: Context, ev: Begin) -> Talked:
        """Says it in every way that there is."""
        if ev.configured:
            logging.basicConfig(level=logging.INFO, format="it is in parts already: %(message)s")
        print("on stdout")
        print("on stderr", file=sys.stderr)
        print("two\nlines")
        log.warning("careful %s", "now")
        log.info("told %s", "softly")
        logging.info("told by the root")
        log.debug("told to nobody")
        try:
            raise ValueError("no luck")  # fails here
        except ValueError:
            logging.exception("it failed")
        print("begun", end="")
        await ctx.wait_for_event(Answer, waiter_event=Ask())
        print(" and ended")
        return Talked()

    @step
    async def end(self, ev: Talked) -> StopEvent:
        """Says that it is over."""
        log.critical("over")
        return StopEvent(result="said")


server = WorkflowServer()
server.add_workflow("talker", Talker(timeout=None), additional_events=[Ask, Answer])
