"""The older name of `llama_index.utils.workflow`."""

from llama_index.utils.workflow import *  # noqa: F403
