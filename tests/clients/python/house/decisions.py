"""The module that the guest `two-types` names for its event."""

from workflows.events import InputRequiredEvent


class DecideEvent(InputRequiredEvent):
    question: str
