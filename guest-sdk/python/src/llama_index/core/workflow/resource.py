"""The older name of `workflows.resource`."""

from workflows.resource import *  # noqa: F403
