"""The older name of `workflows.events`."""

from workflows.events import *  # noqa: F403
