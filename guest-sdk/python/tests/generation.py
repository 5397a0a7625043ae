"""Makes models and values by chance, and compares this package's pydantic with pydantic 2.

`generation.py SEED COUNT`, where the real pydantic is installed and `src` is not on the path.
"""

from __future__ import annotations

import enum
import importlib.util
import json
import random
import sys
import typing
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Dict, List, Literal, Optional, Set, Tuple, Union
from uuid import UUID

import pydantic as real

FOLDER = Path(__file__).resolve().parent.parent / "src" / "pydantic"


def load_ours() -> Any:
    spec = importlib.util.spec_from_file_location("ours", FOLDER / "__init__.py", submodule_search_locations=[str(FOLDER)])
    module = importlib.util.module_from_spec(spec)
    sys.modules["ours"] = module
    spec.loader.exec_module(module)
    return module


class Colour(enum.Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


class Level(int, enum.Enum):
    LOW = 1
    HIGH = 2


SCALARS = [str, int, float, bool, str, int]
OTHERS = [Any, Colour, Level, Literal["a", "b"], Literal["only"], Literal[1, "x"], datetime, date, timedelta, UUID, bytes, type(None), dict, list]
VALUES = [
    "text", "", "12", "1.5", "true", "red", "a", "only", "2024-01-02", "2024-01-02T03:04:05", "2024-01-02T03:04:05+00:00", 0, 1, 2, -3, 12345678901234567890123, 1.0, 1.5, True, False,
    None, [], ["a"], [1, 2], [1, "a"], {}, {"a": 1}, {"x": "y"}, {"a": [1]}, {"name": "n", "size": 3}, ["red", "blue"], [1, 2, 3], [[1], [2]],
    "12345678-1234-5678-1234-567812345678", "PT1H", 3600, [True], ["1", "2"], {"1": 2},
]  # fmt: skip


class Maker:
    """The same models twice: of the real pydantic, and of ours."""

    def __init__(self, chance: random.Random, modules: tuple[Any, Any]) -> None:
        self.chance, self.modules = chance, modules
        self.inner = [self.model("Inner", {"name": (str, ...), "size": (int, 1)}), self.model("Other", {"text": (str, ...)})]

    def model(self, name: str, fields: dict[str, Any]) -> tuple[Any, Any]:
        made = []
        for which, module in enumerate(self.modules):
            namespace: dict[str, Any] = {"__module__": __name__, "__annotations__": {}}
            for field, (kind, default) in fields.items():
                namespace["__annotations__"][field] = kind[which] if isinstance(kind, tuple) else kind
                if default is not ...:
                    namespace[field] = default(module) if callable(default) else default
            made.append(type(module.BaseModel)(name, (module.BaseModel,), namespace))
        return tuple(made)

    def kind(self, depth: int = 2) -> tuple[Any, Any]:
        roll = self.chance.random()
        if depth == 0 or roll < 0.35:
            one = self.chance.choice(SCALARS)
            return one, one
        if roll < 0.5:
            one = self.chance.choice(OTHERS)
            return one, one
        if roll < 0.62:
            return self.chance.choice(self.inner)
        first, second = self.kind(depth - 1), self.kind(depth - 1)
        make = self.chance.choice(
            [
                lambda a, b: Optional[a],
                lambda a, b: List[a],
                lambda a, b: Dict[str, a],
                lambda a, b: Union[a, b],
                lambda a, b: Tuple[a, b],
                lambda a, b: Tuple[a, ...],
                lambda a, b: Optional[List[a]],
            ]
        )
        return make(first[0], second[0]), make(first[1], second[1])

    def field(self) -> tuple[Any, Any]:
        kind = self.kind()
        roll = self.chance.random()
        if roll < 0.5:
            return kind, ...
        if roll < 0.6:
            return kind, None
        if roll < 0.75:
            return kind, lambda module: module.Field(default=None, description="What it is.")
        if roll < 0.85:
            return kind, lambda module: module.Field(..., description="Needed.", title="T")
        if roll < 0.92:
            return (List[int], List[int]), lambda module: module.Field(default_factory=list, max_length=2)
        return (int, int), lambda module: module.Field(3, ge=1, le=10)


def outcome(module: Any, cls: Any, given: dict[str, Any], by_json: bool) -> Any:
    try:
        made = cls.model_validate_json(json.dumps(given)) if by_json else cls(**given)
    except module.ValidationError as error:
        return "refused", sorted((it["type"], it["loc"]) for it in error.errors())
    except (ValueError, OverflowError) as error:
        return "refused otherwise", type(error).__name__
    try:
        return "taken", made.model_dump_json(), repr(made.model_dump(mode="json")), str(made).replace("TzInfo(0)", "datetime.timezone.utc")
    except ValueError:
        return ("no JSON",)


def same(one: Any, other: Any) -> bool:
    return one == other


def main(seed: int, count: int) -> int:
    ours = load_ours()
    chance, wrong = random.Random(seed), 0
    maker = Maker(chance, (real, ours))
    for number in range(count):
        fields = {f"f{place}": maker.field() for place in range(chance.randint(1, 4))}
        theirs, own = maker.model(f"M{number}", fields)
        schemas = []
        for module, cls in ((real, theirs), (ours, own)):
            try:
                schemas.append(cls.model_json_schema())
            except Exception as error:
                schemas.append(type(error).__name__)
        if schemas[0] != schemas[1]:
            wrong += 1
            print(f"SCHEMA {theirs.__annotations__}\n  {json.dumps(schemas[0], sort_keys=True)}\n  {json.dumps(schemas[1], sort_keys=True)}")
        for _ in range(12):
            given = {name: chance.choice(VALUES) for name in fields if chance.random() < 0.9}
            for by_json in (False, True):
                one, other = outcome(real, theirs, given, by_json), outcome(ours, own, given, by_json)
                if not same(one, other):
                    wrong += 1
                    print(f"VALUE {theirs.__annotations__} {given} json={by_json}\n  {one}\n  {other}")
    print(f"seed {seed}: {count} models, {wrong} differences")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
