"""What a step may ask of the run around it."""

from .context import Context
from .serializers import BaseSerializer, JsonPickleSerializer, JsonSerializer, PickleSerializer

__all__ = ["BaseSerializer", "Context", "JsonPickleSerializer", "JsonSerializer", "PickleSerializer"]
