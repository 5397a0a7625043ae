"""Whether an event from outside fits its class: who says so, and what it says."""

from __future__ import annotations

import enum
import json
from typing import Any

from pydantic import ValidationError
from pydantic._containers import Either, Fixed, Keyed, Many
from pydantic._limits import Limited
from pydantic._model import OfModel
from pydantic._scalars import SCALARS, Choice, Kind, Member
from workflows.events import Event, StartEvent, StopEvent

from . import chance, forms, variables
from .models import event_by_name

#: The step by which the host asks.
STEP = "wf:validate"
#: Of these a schema says all that there is to say.
_PLAIN = {id(SCALARS[it]) for it in (str, int, float, bool, None)}


def validation(cls: type[Any]) -> str | None:
    """What the manifest says of a class: that its schema counts (none), that it has the last word, or that it alone knows."""
    if issubclass(cls, StopEvent):
        return None
    return "own" if _has_rules(cls, set()) else "last-word"


class Refused(Exception):
    """An event does not fit its class: in the words of that."""


def validated(name: str, payload: str, module: str) -> list[tuple[str, str]]:
    """What a run is to be given in the place of an event: nothing, where its steps read it as it came. Or `Refused`."""
    cls = event_by_name(name, module)
    if cls is None:
        raise Refused(f"there is no event `{name}`")
    chance.reseed()
    try:
        event = cls(**json.loads(payload))
    except (OSError, variables.Missing):
        # Files and variables are there in a run alone: the step will see.
        return []
    except ValidationError as error:
        raise Refused(f"Failed to deserialize event: {error}" if issubclass(cls, StartEvent) else str(error)) from None
    except Exception as error:
        # What a rule of its own raises that is no refusal, too.
        raise Refused(str(error) or type(error).__name__) from None
    return [] if issubclass(cls, forms.FROM_OUTSIDE) else [forms.written(event)]


def _has_rules(cls: type[Any], seen: set[type[Any]]) -> bool:
    """Whether a model refuses what its schema takes."""
    if cls in seen:
        return False
    seen.add(cls)
    own = [base for base in cls.__mro__ if base.__module__.partition(".")[0] not in ("pydantic", "workflows", "builtins", "typing")]
    if any(name in base.__dict__ for base in own for name in ("__init__", "__new__", "model_post_init")):
        return True
    hooks = cls.__pydantic_hooks__
    if hooks and (hooks.of("field_validator") or hooks.of("model_validator")):
        return True
    fields = cls.__pydantic_fields__.values()
    # Of what has another name outside an event knows its own alone; and an addition to the schema may take something away.
    if issubclass(cls, Event) and any(it.names_in for it in fields) or any(it.json_schema_extra is not None for it in fields):
        return True
    return cls.model_config.get("json_schema_extra") is not None or any(_is_rule(it, seen) for it in cls.__pydantic_ready__().values())


def _is_rule(kind: Kind, seen: set[type[Any]]) -> bool:
    if type(kind) is Kind or id(kind) in _PLAIN or isinstance(kind, Choice):
        return False
    if isinstance(kind, Member):
        return not all(isinstance(it.value, (str, int, float)) for it in kind.cls)
    if isinstance(kind, OfModel):
        return _has_rules(kind.cls, seen)
    if isinstance(kind, Limited):
        return _is_rule(kind.inner, seen)
    if isinstance(kind, Many):
        # Not everything can be in a set.
        return kind.cls in (set, frozenset) and id(kind.item) not in _PLAIN or _is_rule(kind.item, seen)
    if isinstance(kind, Keyed):
        # Of its keys a schema says that they are texts.
        return kind.key is not SCALARS[str] and type(kind.key) is not Kind or _is_rule(kind.item, seen)
    if isinstance(kind, (Either, Fixed)):
        return any(_is_rule(it, seen) for it in (kind.kinds if isinstance(kind, Either) else kind.items))
    # As a time, which a schema only hints at, or a function.
    return True
