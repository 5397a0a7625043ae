"""The older name of `workflows.types`."""

from workflows.types import *  # noqa: F403
