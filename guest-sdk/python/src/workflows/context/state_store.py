"""The state of a run, as the steps see it."""

from __future__ import annotations

import asyncio
import copy
import json
from contextlib import asynccontextmanager
from typing import Any, AsyncIterator, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic._functions import Again
from wf_guest import border
from workflows.events import DictLikeModel

from .paths import MAX_DEPTH, Change, all_or_nothing, can_be_told, changes, extends, get_by_path, hollow, plain_child, refilled, set_by_path
from .serializers import JsonSerializer

MODEL_T = TypeVar("MODEL_T", bound=BaseModel)
_JSON = JsonSerializer()
_NOTHING = Ellipsis
_MISSING = object()
#: What is not changed where it lies.
_SINGLE = (str, int, float, bool, type(None))


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


def seeds(state_type: type[BaseModel]) -> dict[str, str]:
    """What a state begins with that steps would each begin with anew, or could not add to beside each other, as JSON.

    What is empty is begun by whoever adds to it first; what has no form is nobody's.
    """
    fields = state_type.__pydantic_fields__
    if not fields:
        return {}
    try:
        state = state_type()
    except ValidationError:
        return {}
    found = {}
    for key, info in fields.items():
        try:
            value = _field(state, key)
        except ValueError:
            continue
        if value not in ([], {}, _NOTHING) and (info.default_factory is not None or isinstance(value, (list, dict))):
            found[key] = json.dumps(value, ensure_ascii=False)
    return found


def text_of(path: str, value: Any) -> str:
    """A value as JSON, or a `ValueError` that says what cannot be kept."""
    try:
        return _JSON.serialize(value)
    except ValueError:
        raise ValueError(f"Failed to serialize state value for key {path}: {type(value)} has no JSON form") from None


def _is_same(one: Any, other: Any) -> bool:
    """Whether two plain values, each perhaps `_NOTHING`, have the same in them: keys that were set beside each other may be in another order."""
    if one is _NOTHING or other is _NOTHING:
        return one is other
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


class _Root:
    """What a step holds of the state by its first segment: as it was when it was last the same here and there.

    `written`: as JSON; none: it has no such form, as a default may. `seen`: what is kept; `_NOTHING`: nothing is.
    """

    def __init__(self, written: Any, seen: Any) -> None:
        self.written, self.seen = written, seen


class StateStore(Generic[MODEL_T]):
    """The state of a run: shared by its steps, and durable.

    What a step was given of it, or has set, it may change where it lies: that is written when the step waits, collects,
    sleeps a second or more, asks for the same again, or ends.
    """

    def __init__(self, state_type: type[BaseModel] | None = None) -> None:
        self._type = state_type or DictState
        #: The task whose block has the state, and what others of the same step queue for.
        self._editor: asyncio.Task[Any] | None = None
        self._turn = asyncio.Lock()
        #: As much of the state as the step has asked for, and of which parts.
        self._mirror: Any = None
        self._roots: dict[str, _Root] = {}
        #: The paths that were asked for since an event was sent.
        self._fresh: dict[str, None] = {}
        #: The paths where it found nothing.
        self._absent: dict[str, bool] = {}
        #: The copy of all of it that was asked for last.
        self._given: Any = None

    @property
    def state_type(self) -> type[BaseModel]:
        return self._type

    async def get(self, path: str, default: Any = _NOTHING) -> Any:
        """The value at a path; a `ValueError`, where there is none and no default."""
        segments = path.split(".") if path else []
        if len(segments) > MAX_DEPTH:
            raise ValueError(f"Path length exceeds {MAX_DEPTH} segments")
        if not segments:
            return await self.get_state()
        self._load(path)
        return get_by_path(self._mirror, path, default)

    async def set(self, path: str, value: Any) -> None:
        """Sets the value at a path; what lies before it is made."""
        if not path:
            raise ValueError("Path cannot be empty")
        segments = path.split(".")
        if len(segments) > MAX_DEPTH:
            raise ValueError(f"Path length exceeds {MAX_DEPTH} segments")
        first = segments[0]
        if len(segments) > 1 and first not in self._roots:
            self._load(first)
        was_absent = self._absent.pop(path, False)
        self._ask_for(path)
        if first in self._roots and not isinstance(value, _SINGLE) and value is get_by_path(self._mirror, path, _MISSING):
            # It was read, and perhaps changed where it lies.
            self._settle_part(path)
            return
        around = self._part(path, parent=True)
        is_part = around is not None
        known: Any = _NOTHING
        if around is not None:
            known = _NOTHING if around[1] is _NOTHING else plain_child(around[1], segments[-1])
        elif first in self._roots:
            known = self._roots[first].seen
        with all_or_nothing(self._mirror, path):
            if is_part:
                now = json.loads(text_of(path, value))
            set_by_path(self._mirror, path, value)
            if not is_part:
                now = self._plain(first)
            if not is_part and len(segments) > 1:
                # Within a model or a list.
                self._write(first, now)
                return
            if known is _NOTHING and was_absent:
                known = _beginning(now)
            # What only adds to what was read leaves what others add; anything else is the value that there is to be.
            _tell(path, known if extends(now, known) else _NOTHING, now)
        if is_part:
            self._note(path, now)
        else:
            self._roots[first] = _Root(now, now)

    def _load(self, path: str) -> None:
        """Holds what is kept: the same objects, while nobody else has changed it."""
        self._settle_part(path)
        found = self._part(path)
        first = path.split(".", 1)[0]
        if found is None or not self._is_as_kept(path, found[1]):
            self._settle_root(first)
            text = border.state_get(first) if first else None
            self._ask_for(path)
            self._take(first, _NOTHING if text is None else json.loads(text))
            found = self._part(path)
        written = found[1] if found is not None else self._roots[first].seen if first == path else None
        if written is _NOTHING:
            self._absent[path] = True

    def _is_as_kept(self, path: str, written: Any) -> bool:
        text = border.state_get(path)
        self._ask_for(path)
        return _is_same(written, _NOTHING if text is None else json.loads(text))

    def _ask_for(self, path: str) -> None:
        if self._mirror is None:
            self._mirror = self._new()
        self._fresh[path] = None
        border.before = self._settle

    def _part(self, path: str, parent: bool = False) -> tuple[Any, Any] | None:
        """A part as it is held, and as it is written, each perhaps `_NOTHING`; none: only its root can be told of.

        `parent`: what it is set in, `_NOTHING` where that is made. It must be plain, here and there.
        """
        first, *others = path.split(".")
        root = self._roots.get(first)
        is_told = others and root is not None and root.written is root.seen and can_be_told(path)
        if not is_told or first in self._type.__pydantic_ready__() or not isinstance(self._mirror, DictLikeModel):
            return None
        held, written = self._mirror._data.get(first, _NOTHING), root.written
        try:
            for segment in others[:-1] if parent else others:
                if held is _NOTHING and written is _NOTHING:
                    break
                held, written = plain_child(held, segment), plain_child(written, segment)
            if parent and held is not _NOTHING:
                plain_child(held, others[-1]), plain_child(written, others[-1])
        except LookupError:
            return None
        if (held is _NOTHING) != (written is _NOTHING) or parent and type(held) is not type(written):
            return None
        return held, written

    def _note(self, path: str, now: Any) -> None:
        """What was written of a part."""
        first = path.split(".", 1)[0]
        root = self._roots[first]
        written = {} if root.written is _NOTHING else {first: root.written}
        set_by_path(written, path, now)
        root.written = root.seen = written[first]

    def _write(self, first: str, now: Any) -> None:
        """Writes what of a root has become another than it was kept as."""
        root = self._roots.get(first)
        before = _NOTHING if root is None else root.seen
        # Where nothing was, others may begin as well.
        if before is _NOTHING and (root is None or root.written in (_NOTHING, [], {})):
            before = _beginning(now)
        _tell(_root(first), before, now)
        self._roots[first] = _Root(now, now)

    def _take(self, first: str, kept: Any) -> None:
        root = self._roots.get(first)
        if root is not None and _is_same(root.seen, kept):
            return
        if kept is not _NOTHING:
            # A copy: models keep of it what they are given.
            self._place(self._mirror, first, json.loads(json.dumps(kept)), True)
        elif root is not None:
            self._forget(first)
        try:
            written = self._plain(first)
        except ValueError:
            written = None
        self._roots[first] = _Root(kept if repr(written) == repr(kept) else written, kept)

    def _forget(self, first: str) -> None:
        """Lets go of what was held: it is what it was in the beginning."""
        self._roots.pop(first, None)
        self._mirror.__dict__.pop(first, None)
        self._mirror.__dict__.update({key: it for key, it in self._new().__dict__.items() if key == first})
        getattr(self._mirror, "_data", {}).pop(first, None)

    def _plain(self, first: str) -> Any:
        """What is held, as JSON; `_NOTHING`: nothing is."""
        return _field(self._mirror, first)

    def _settle(self, all_of_it: bool) -> None:
        """Writes what was changed: all, or what was asked for since this was last called."""
        fresh, self._fresh = self._fresh, {}
        held = list(getattr(self._mirror, "_data", ())) if all_of_it else []
        for first in dict.fromkeys([*self._roots, *held]) if all_of_it else ():
            self._settle_root(first)
        for path in () if all_of_it else fresh:
            self._settle_part(path)

    def _settle_part(self, path: str) -> None:
        """Writes what was changed at a path; of what is not plain, of its root."""
        found = self._part(path)
        if found is None:
            self._settle_root(path.split(".", 1)[0])
            return
        if found[0] is _NOTHING:
            return
        now = json.loads(text_of(path, found[0]))
        if repr(now) != repr(found[1]):
            _tell(path, found[1], now)
            self._note(path, now)

    def _settle_root(self, first: str) -> None:
        root = self._roots.get(first)
        if root is None and first not in getattr(self._mirror, "_data", ()):
            # Nobody has asked for it.
            return
        try:
            now = self._plain(first)
        except ValueError:
            if root is not None and root.written is None:
                return
            raise
        if root is None:
            root = _Root(_NOTHING, _NOTHING)
        # 1 is equal to 1.0 and to True, and not the same.
        if repr(now) != repr(root.written):
            self._write(first, now)

    async def get_state(self) -> Any:
        """A copy of the whole state, whose fields hold what the state itself holds."""
        kept = _kept()
        if self._mirror is None:
            self._mirror = self._new()
        for first in dict.fromkeys([*kept, *self._roots, *self._mirror.__dict__]):
            self._ask_for(first)
            self._take(first, kept.get(first, _NOTHING))
        border.before = self._settle
        self._given = self._mirror.model_copy()
        return self._given

    async def set_state(self, state: Any) -> None:
        """Replaces the whole state; one of a parent type replaces the fields that it has."""
        current = self._model(_kept())
        begun = {**_objects(current), **_objects(self._mirror)}
        if not isinstance(state, type(current)):
            if not isinstance(current, type(state)):
                raise ValueError(f"State must be of type {type(current).__name__} or a parent type, got {type(state).__name__}")
            state = type(current).model_validate({**current.model_dump(), **state.model_dump()})
            begun |= {key: it for key, it in _objects(state).items() if it is _objects(current).get(key)}
        if state is self._given:
            # Others may have changed what this step has not.
            read = {key: root.seen for key, root in self._roots.items() if root.seen is not _NOTHING}
            fields, same = _fields(state, begun), _same(begun, state)
            self._let_go()
            _change(read, fields, same)
        else:
            self._replace(state, begun)

    async def clear(self) -> None:
        """Makes the state what it was in the beginning."""
        state = self._new()
        self._replace(state, _objects(state))

    def _replace(self, state: Any, begun: dict[str, Any]) -> None:
        fields = _fields(state, begun)
        self._let_go()
        _change(_kept(), fields, _same(begun, state))

    def _let_go(self) -> None:
        """What was read before is nobody's any more."""
        self._mirror = self._given = None
        self._roots.clear()
        self._fresh.clear()
        self._absent.clear()

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
                begun = _objects(state)
                yield state
                if _change(kept, _fields(state, begun), _same(begun, state)):
                    self._let_go()
            finally:
                self._editor = None
                border.state_release(version)

    def _new(self) -> Any:
        try:
            return self._type()
        except ValidationError:
            raise ValueError("State must have defaults for all fields") from None

    def _model(self, kept: dict[str, Any]) -> Any:
        state = self._new()
        for key, value in kept.items():
            self._place(state, key, value)
        return state

    def _place(self, state: Any, key: str, value: Any, again: bool = False) -> None:
        """Puts what is kept where it belongs. What is not declared has no place in a state of plain fields.

        `again`: into what is held, if it can be.
        """
        kinds = self._type.__pydantic_ready__()
        if key not in kinds and not isinstance(state, DictLikeModel):
            return
        place = state.__dict__ if key in kinds else state._data
        value = _read(kinds, key, value) if key in kinds else _JSON.deserialize_value(value)
        place[key] = refilled(place.get(key), value) if again else value

    def to_dict(self, serializer: Any = None) -> dict[str, Any]:
        return {"state_data": {"_data": {key: json.dumps(value) for key, value in _kept().items()}}, "state_type": self._type.__name__, "state_module": self._type.__module__}


def _kept() -> dict[str, Any]:
    """The whole state as plain data."""
    border.settle()
    kept = json.loads(border.state_all())
    kept.pop(border.EDITED, None)
    return kept


def _change(kept: dict[str, Any], fields: dict[str, Any], same: set[str]) -> bool:
    """Writes what has become another; whether there is any. `same`: the keys of what was changed where it lies."""
    changed = [key for key in dict.fromkeys([*kept, *fields]) if repr(kept.get(key, _NOTHING)) != repr(fields.get(key, _NOTHING))]
    for key in changed:
        now = fields.get(key, _NOTHING)
        before = kept[key] if key in kept and (key in same or now is _NOTHING) else _NOTHING if key in kept else _beginning(now)
        _tell(_root(key), before, now)
    return bool(changed)


def _beginning(now: Any) -> Any:
    """What a value is begun from, where nothing is so far; `_NOTHING`: it is there as a whole."""
    before = hollow(now)
    return before if extends(now, before) else _NOTHING


def _root(key: str) -> str:
    """A key of the state itself, as a path."""
    if "." in key:
        raise ValueError(f"Failed to serialize state value for key {key}: a key of the state has no dot in it")
    return key


def _tell(path: str, before: Any, after: Any) -> None:
    """Tells the host what makes one value of another, each perhaps `_NOTHING`; of nothing, the value as a whole."""
    if after is _NOTHING:
        border.state_delete(path)
        return
    parts = [Change("set", path, after)] if before is _NOTHING else changes(path, before, after)
    try:
        for it in parts:
            _tell_part(it)
    except border.Refused:
        # Others have put something there that has no such parts: the later one wins.
        if parts[0].path == path and parts[0].verb == "set":
            raise
        border.state_set(path, json.dumps(after, ensure_ascii=False))


def _tell_part(change: Change) -> None:
    if change.verb == "delete":
        border.state_delete(change.path)
    else:
        write = border.state_push if change.verb == "push" else border.state_set
        write(change.path, json.dumps(change.value, ensure_ascii=False))


def _objects(state: Any) -> dict[str, Any]:
    """What a state holds, by its keys."""
    return {} if state is None else {**state.__dict__, **getattr(state, "_data", {})}


def _read(kinds: dict[str, Any], key: str, value: Any) -> Any:
    """A field's value from JSON. What does not fit is kept as it is: a state's values are not checked."""
    value = _JSON.deserialize_value(value)
    if key not in kinds:
        return value
    try:
        with Again():
            return kinds[key].check(value, True)
    except Exception:
        return value


def _field(state: Any, key: str) -> Any:
    """A part of a state as JSON; `_NOTHING`, where it has none."""
    kinds = type(state).__pydantic_ready__()
    if key in kinds and key in state.__dict__:
        try:
            return kinds[key].dump(state.__dict__[key], True)
        except ValueError as error:
            raise ValueError(f"Failed to serialize state value for key {key}: {error}") from None
    if isinstance(state, DictLikeModel) and key in state._data:
        return json.loads(text_of(key, state._data[key]))
    return _NOTHING


def _same(begun: dict[str, Any], state: Any) -> set[str]:
    """The keys under which it holds what it held: if that is another now, it was changed where it lies."""
    return {key for key, it in _objects(state).items() if it is begun.get(key)}


def _fields(state: Any, begun: dict[str, Any]) -> dict[str, Any]:
    """A state as JSON, by its keys. `begun`: what its fields had; what of that has no JSON form is a default, and stays one."""
    fields = {}
    for key in (*type(state).__pydantic_ready__(), *(state._data if isinstance(state, DictLikeModel) else ())):
        try:
            fields[key] = _field(state, key)
        except ValueError:
            if key not in _same(begun, state):
                raise
    return {key: it for key, it in fields.items() if it is not _NOTHING}


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
