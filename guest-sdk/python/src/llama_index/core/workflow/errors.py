"""The older name of `workflows.errors`."""

from workflows.errors import *  # noqa: F403
