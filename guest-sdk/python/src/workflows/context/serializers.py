"""Values as text, in the original's form: models with the name of their class."""

from __future__ import annotations

import base64
import importlib
import json
from typing import Any

from pydantic import BaseModel


class BaseSerializer:
    """From values to text, and back."""

    def serialize(self, value: Any) -> str:
        raise NotImplementedError

    def deserialize(self, value: str) -> Any:
        raise NotImplementedError


class JsonSerializer(BaseSerializer):
    """As JSON; a model as its fields with the name of its class."""

    def __init__(self, *, allowed_types: Any = None) -> None:
        self.allowed_types = allowed_types

    def serialize_value(self, value: Any) -> Any:
        """A value as plain data."""
        if isinstance(value, BaseModel):
            name = f"{type(value).__module__}.{type(value).__qualname__}"
            return {"__is_pydantic": True, "value": value.model_dump(mode="json"), "qualified_name": name}
        if isinstance(value, dict):
            return {key: self.serialize_value(it) for key, it in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.serialize_value(it) for it in value]
        return value

    def deserialize_value(self, value: Any) -> Any:
        """The value that plain data stands for."""
        if isinstance(value, dict):
            if value.get("__is_pydantic") and "qualified_name" in value:
                return found(value["qualified_name"]).model_validate(unwrapped(value["value"]))
            return {key: self.deserialize_value(it) for key, it in value.items()}
        if isinstance(value, list):
            return [self.deserialize_value(it) for it in value]
        return value

    def serialize(self, value: Any) -> str:
        try:
            return json.dumps(self.serialize_value(value), ensure_ascii=False)
        except (TypeError, ValueError) as error:
            raise ValueError(f"Failed to serialize value: {type(value)}: {error}") from None

    def deserialize(self, value: str) -> Any:
        return self.deserialize_value(json.loads(value))


def unwrapped(value: Any) -> Any:
    """The fields of an event, with those that it does not declare beside the others."""
    if isinstance(value, dict) and isinstance(value.get("_data"), dict):
        return {**{key: it for key, it in value.items() if key != "_data"}, **value["_data"]}
    return value


def found(qualified_name: str) -> Any:
    """The class of that name."""
    parts = qualified_name.split(".")
    for cut in range(len(parts) - 1, 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:cut]))
            for part in parts[cut:]:
                # A class inside of a function is found where its function was run.
                found = getattr(found, part)
            return found
        except (ImportError, AttributeError):
            continue
    from wf_guest.models import by_name

    return by_name(qualified_name)


class PickleSerializer(JsonSerializer):
    """As JSON; what has no such form is pickled. For what a step does with it: what is kept in the state is JSON."""

    def serialize(self, value: Any) -> str:
        import pickle

        try:
            return super().serialize(value)
        except ValueError:
            return base64.b64encode(pickle.dumps(value)).decode()

    def deserialize(self, value: str) -> Any:
        import pickle

        # As whatever is pickled begins, and no JSON.
        return pickle.loads(base64.b64decode(value)) if value.startswith("gA") else super().deserialize(value)


JsonPickleSerializer = PickleSerializer
