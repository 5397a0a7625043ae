"""The older name of `workflows.handler`."""

from workflows.handler import *  # noqa: F403
