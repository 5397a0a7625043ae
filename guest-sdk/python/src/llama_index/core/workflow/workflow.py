"""The older name of `workflows.workflow`."""

from workflows.workflow import *  # noqa: F403
