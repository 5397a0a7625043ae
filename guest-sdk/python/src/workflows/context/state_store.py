"""The state of a run, as the steps see it."""

from __future__ import annotations

import asyncio
import copy
import json
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from wf_guest import border
from workflows.events import DictLikeModel

from .paths import MAX_DEPTH, get_by_path, set_by_path
from .serializers import JsonSerializer

MODEL_T = TypeVar("MODEL_T", bound=BaseModel)
_JSON = JsonSerializer()
_NOTHING = Ellipsis
#: Keys that stand inside of a model that is kept as JSON.
_WRAPPING = {"__is_pydantic", "value", "qualified_name"}


class DictState(DictLikeModel):
    """A state that declares nothing."""

    def __init__(self, **params: Any) -> None:
        super().__init__(**params)


def infer_state_type(workflow: Any) -> type[BaseModel]:
    """The type of a workflow's state: the most derived that its steps name."""
    named = dict.fromkeys(it._step_config.context_state_type for it in workflow._get_steps().values())
    types = [it for it in named if isinstance(it, type) and issubclass(it, BaseModel) and it is not DictState]
    for it in types:
        if all(issubclass(it, other) for other in types):
            return it
    if types:
        found = ", ".join(it.__name__ for it in types)
        raise ValueError(
            "Multiple state types are not in a compatible inheritance hierarchy. "
            f"All state types must share a common inheritance chain. Found: {found}"
        )
    return DictState


def text_of(path: str, value: Any) -> str:
    """A value as JSON, or a `ValueError` that says what cannot be kept."""
    try:
        return _JSON.serialize(value)
    except ValueError:
        raise ValueError(f"Failed to serialize state value for key {path}: {type(value)} has no JSON form") from None


class StateStore(Generic[MODEL_T]):
    """The state of a run: shared by its steps, and durable."""

    def __init__(self, state_type: type[BaseModel] | None = None) -> None:
        self._type = state_type or DictState
        #: The task whose block has the state, and what others of the same step queue for.
        self._editor: asyncio.Task[Any] | None = None
        self._turn = asyncio.Lock()

    @property
    def state_type(self) -> type[BaseModel]:
        return self._type

    @property
    def _is_typed(self) -> bool:
        return not issubclass(self._type, DictState)

    async def get(self, path: str, default: Any = _NOTHING) -> Any:
        """The value at a path; a `ValueError`, where there is none and no default."""
        segments = path.split(".") if path else []
        if len(segments) > MAX_DEPTH:
            raise ValueError(f"Path length exceeds {MAX_DEPTH} segments")
        if not segments or self._is_typed:
            return get_by_path(await self.get_state(), path, default)
        if len(segments) == 1 or not _WRAPPING.intersection(segments) and all(segments):
            text = border.state_get(path)
            if text is not None:
                return _JSON.deserialize(text)
        if len(segments) > 1:
            text = border.state_get(segments[0])
            if text is not None:
                return get_by_path({segments[0]: _JSON.deserialize(text)}, path, default)
        return get_by_path({}, path, default)

    async def set(self, path: str, value: Any) -> None:
        """Sets the value at a path; what lies before it is made."""
        if not path:
            raise ValueError("Path cannot be empty")
        segments = path.split(".")
        if len(segments) > MAX_DEPTH:
            raise ValueError(f"Path length exceeds {MAX_DEPTH} segments")
        first = segments[0]
        if self._is_typed:
            state = await self.get_state()
            set_by_path(state, path, value)
            border.state_set(first, json.dumps(_fields(state)[first], ensure_ascii=False))
        elif len(segments) == 1:
            border.state_set(path, text_of(path, value))
        else:
            root = border.state_get(first)
            held = {} if root is None else {first: _JSON.deserialize(root)}
            set_by_path(held, path, value)
            border.state_set(first, text_of(first, held[first]))

    async def get_state(self) -> Any:
        """A copy of the whole state."""
        return self._model(_kept())

    async def set_state(self, state: Any) -> None:
        """Replaces the whole state; one of a parent type replaces the fields that it has."""
        current = await self.get_state()
        if not isinstance(state, type(current)):
            if not isinstance(current, type(state)):
                raise ValueError(f"State must be of type {type(current).__name__} or a parent type, got {type(state).__name__}")
            state = type(current).model_validate({**current.model_dump(), **state.model_dump()})
        self._replace(state)

    async def clear(self) -> None:
        """Makes the state what it was in the beginning."""
        try:
            state = self._type()
        except ValidationError:
            raise ValueError("State must have defaults for all fields") from None
        self._replace(state)

    def _replace(self, state: Any) -> None:
        _change(_kept(), _fields(state))

    @asynccontextmanager
    async def edit_state(self) -> AsyncIterator[Any]:
        """A copy of the whole state, to be changed by this step alone; kept when the block ends well.

        The block must not wait, nor sleep a second or more.
        """
        task = asyncio.current_task()
        if self._editor is task:
            raise RuntimeError("edit_state() cannot be used inside of another: the block holds the state alone, change it there")
        async with self._turn:
            self._editor = task
            version = border.state_hold()
            try:
                kept = _kept()
                state = self._model(kept)
                yield state
                _change(kept, _fields(state))
            finally:
                self._editor = None
                border.state_release(version)

    def _model(self, kept: dict[str, Any]) -> Any:
        if not self._is_typed:
            return self._type(**{key: _JSON.deserialize_value(value) for key, value in kept.items()})
        try:
            state = self._type()
        except ValidationError:
            raise ValueError("State must have defaults for all fields") from None
        kinds = self._type.__pydantic_ready__()
        if isinstance(state, DictLikeModel):
            for key, value in kept.items():
                setattr(state, key, _read(kinds, key, value))
        else:
            for key, value in kept.items():
                if key in kinds:
                    state.__dict__[key] = _read(kinds, key, value)
        return state

    def to_dict(self, serializer: Any = None) -> dict[str, Any]:
        return {"state_data": {"_data": {key: json.dumps(value) for key, value in _kept().items()}}, "state_type": self._type.__name__, "state_module": self._type.__module__}


def _kept() -> dict[str, Any]:
    """The whole state as plain data."""
    kept = json.loads(border.state_all())
    kept.pop(border.EDITED, None)
    return kept


def _change(kept: dict[str, Any], fields: dict[str, Any]) -> None:
    """Writes what has become another, so that what others set meanwhile stays."""
    for key in kept:
        if key not in fields:
            border.state_delete(key)
    for key, value in fields.items():
        # 1 is equal to 1.0 and to True, and not the same.
        if key not in kept or repr(kept[key]) != repr(value):
            border.state_set(key, json.dumps(value, ensure_ascii=False))


def _read(kinds: dict[str, Any], key: str, value: Any) -> Any:
    """A field's value from JSON. What does not fit is kept as it is: a state's values are not checked."""
    value = _JSON.deserialize_value(value)
    if key not in kinds:
        return value
    try:
        return kinds[key].check(value, True)
    except Exception:
        return value


def _fields(state: Any) -> dict[str, Any]:
    """A state as JSON, by its keys."""
    kinds = type(state).__pydantic_ready__()
    fields = {}
    for key, kind in kinds.items():
        if key in state.__dict__:
            try:
                fields[key] = kind.dump(state.__dict__[key], True)
            except ValueError as error:
                raise ValueError(f"Failed to serialize state value for key {key}: {error}") from None
    if isinstance(state, DictLikeModel):
        fields |= {key: json.loads(text_of(key, value)) for key, value in state._data.items()}
    return fields


class InMemoryStateStore(Generic[MODEL_T]):
    """A state outside of any run: what `main()` may make and look at."""

    def __init__(self, initial_state: Any) -> None:
        self._state = initial_state

    async def get(self, path: str, default: Any = _NOTHING) -> Any:
        return get_by_path(self._state, path, default)

    async def set(self, path: str, value: Any) -> None:
        set_by_path(self._state, path, value)

    async def get_state(self) -> Any:
        return copy.copy(self._state)

    async def set_state(self, state: Any) -> None:
        self._state = state

    async def clear(self) -> None:
        self._state = type(self._state)()

    @asynccontextmanager
    async def edit_state(self) -> AsyncIterator[Any]:
        state = copy.deepcopy(self._state)
        yield state
        self._state = state
