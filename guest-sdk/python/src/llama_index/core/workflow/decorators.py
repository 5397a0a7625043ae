"""The older name of `workflows.decorators`."""

from workflows.decorators import *  # noqa: F403
