"""As the package has them."""

from . import BasicRuntime, basic_runtime

__all__ = ["BasicRuntime", "basic_runtime"]
