"""The older name of `workflows.context.serializers`."""

from workflows.context.serializers import *  # noqa: F403
