"""The older name of `workflows.context`."""

from workflows.context import *  # noqa: F403
