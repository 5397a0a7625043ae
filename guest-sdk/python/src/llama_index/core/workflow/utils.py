"""The older name of `workflows.utils`."""

from workflows.utils import *  # noqa: F403
