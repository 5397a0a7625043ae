"""The classes of the workflow `hitl`, where its events say that they are: `load_event` finds them."""

from workflows.events import HumanResponseEvent, InputRequiredEvent, StopEvent


class RequestEvent(InputRequiredEvent):
    prompt: str


class ResponseEvent(HumanResponseEvent):
    response: str


class OutEvent(StopEvent):
    output: str
