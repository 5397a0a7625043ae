"""What stands under `$defs` of a schema, and by which names.

While a schema is made, a class stands for its own definition: as a key, and as what `$ref` refers to. Names are found
when all of them are known, since one that two classes have would make them the same.
"""

import re
from collections import Counter
from typing import Any

_NO_PART_OF_A_NAME = re.compile(r"[^a-zA-Z0-9._-]")


def finished(schema: dict[str, Any], definitions: dict[type, Any]) -> dict[str, Any]:
    """A schema with the definitions that it refers to, all by name."""
    names = _names(definitions)
    whole = {"$defs": dict(sorted((names[cls], it) for cls, it in definitions.items())), **schema} if definitions else schema
    return _named(whole, names)


def refers(schema: Any, cls: type) -> bool:
    """Whether the definition of a class is referred to."""
    if isinstance(schema, dict):
        return schema.get("$ref") is cls or any(refers(it, cls) for it in schema.values())
    return isinstance(schema, list) and any(refers(it, cls) for it in schema)


def _names(definitions: dict[type, Any]) -> dict[type, str]:
    """Each class's own name; with its module where another has that; with a number where that is the same, too."""
    choices, numbers = {}, Counter()
    for cls in definitions:
        whole = _plain(f"{cls.__module__}.{cls.__qualname__}")
        numbers[whole] += 1
        choices[cls] = (_plain(cls.__name__), whole, f"{whole}__{numbers[whole]}")
    asked = Counter(name for it in choices.values() for name in set(it))
    return {cls: next((name for name in it if asked[name] == 1), it[-1]) for cls, it in choices.items()}


def _plain(name: str) -> str:
    return _NO_PART_OF_A_NAME.sub("_", name).replace(".", "__")


def _named(schema: Any, names: dict[type, str]) -> Any:
    if isinstance(schema, dict):
        return {key: f"#/$defs/{names[it]}" if key == "$ref" and isinstance(it, type) else _named(it, names) for key, it in schema.items()}
    return [_named(it, names) for it in schema] if isinstance(schema, list) else schema
