"""The JSON Schema of a model, as pydantic 2 says it."""

import inspect
from typing import Any, Literal, get_args, get_origin

from ._definitions import finished, refers
from ._fields import PydanticUndefined
from ._kinds import title
from ._dump import dump


def of(cls: Any) -> dict[str, Any]:
    """The schema of a model; those of models in it stand under `$defs`."""
    definitions: dict[type, Any] = {}
    said = reference(cls, definitions)
    if any(refers(it, cls) for it in definitions.values()):
        return finished(said, definitions)
    return finished(definitions.pop(cls), definitions)


def reference(cls: Any, definitions: dict[type, Any]) -> dict[str, Any]:
    if cls not in definitions:
        definitions[cls] = {}
        definitions[cls] = _own(cls, definitions)
    return {"$ref": cls}


def core(cls: Any) -> dict[str, Any]:
    """A model as pydantic's native core is told of it, as far as others read that: which fields there are, and which texts
    tell one model of a union from another."""
    fields = {}
    for name, info in cls.model_fields.items():
        values = list(get_args(info.annotation)) if get_origin(info.annotation) is Literal else None
        schema: dict[str, Any] = {"type": "any"} if values is None else {"type": "literal", "expected": values}
        if not info.is_required():
            schema = {"type": "default", "schema": schema, "default": info.default}
        fields[name] = {"type": "model-field", "schema": schema}
        if info.name_out:
            fields[name]["serialization_alias"] = info.name_out
    return {"type": "model", "cls": cls, "schema": {"type": "model-fields", "model_name": cls.__name__, "fields": fields}}


def _own(cls: Any, definitions: dict[type, Any]) -> dict[str, Any]:
    config = cls.model_config
    said: dict[str, Any] = {}
    if cls.__doc__ and cls.__dict__.get("__doc__"):
        said["description"] = inspect.cleandoc(cls.__doc__)
    if config.get("extra") == "forbid":
        said["additionalProperties"] = False
    elif config.get("extra") == "allow":
        said["additionalProperties"] = True
    kinds, properties, required = cls.__pydantic_ready__(), {}, []
    for name, info in cls.__pydantic_fields__.items():
        key = info.names_in or name
        properties[key] = _field(key, info, kinds[name].schema(definitions))
        if info.is_required():
            required.append(key)
    said |= {"properties": properties}
    if required:
        said["required"] = required
    said |= {"title": config.get("title") or cls.__name__, "type": "object"}
    return _extra(said, config.get("json_schema_extra"))


def _field(name: str, info: Any, schema: dict[str, Any]) -> dict[str, Any]:
    schema = dict(schema)
    if info.title or not _is_named(schema):
        schema["title"] = info.title or title(name)
    if info.default is not PydanticUndefined:
        try:
            schema["default"] = dump(info.default, True)
        except ValueError:
            pass  # A default without a JSON form is not said.
    if info.description:
        schema["description"] = inspect.cleandoc(info.description)
    if info.examples:
        schema["examples"] = dump(info.examples, True)
    if info.deprecated:
        schema["deprecated"] = True
    return _extra(dict(sorted(schema.items())), info.json_schema_extra)


def _is_named(schema: dict[str, Any]) -> bool:
    """Whether it is, or may be beside null, what has a title of its own."""
    members = [it for it in schema.get("anyOf", [schema]) if it != {"type": "null"}]
    return len(members) == 1 and "$ref" in members[0]


def _extra(schema: dict[str, Any], extra: Any) -> dict[str, Any]:
    if callable(extra):
        extra(schema)
    elif extra:
        schema |= extra
    return schema
