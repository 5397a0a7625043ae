"""The older name of `workflows.retry_policy`."""

from workflows.retry_policy import *  # noqa: F403
