"""The state of a run: what a step that is alone does to it, and what steps do beside each other."""

from __future__ import annotations

import asyncio
import copy
import json
import random
from typing import Any

import pytest
from border_host import Err, Failure, Host, run_step
from pydantic import BaseModel, Field, field_validator
from wf_guest.invoke import Failed
from workflows import Context, Workflow, step
from workflows.context.state_store import DictState
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent


class Beside(Host):
    """A host on which others write, too: what they have committed lies below what the step has written."""

    def __init__(self, state: dict[str, Any] | None = None) -> None:
        super().__init__()
        self.committed: dict[str, Any] = copy.deepcopy(state or {})
        self.own: list[tuple[str, list[str], Any]] = []
        self.values = copy.deepcopy(self.committed)

    def other(self, verb: str, path: str, value: Any = None) -> None:
        """Another step commits a write."""
        apply(self.committed, verb, path.split("."), value)
        self.values = copy.deepcopy(self.committed)
        for write in self.own:
            apply(self.values, *write)

    def commit(self) -> None:
        for write in self.own:
            apply(self.committed, *write)
        self.own.clear()

    def _write(self, verb: str, path: str, text: str) -> None:
        if "__edited__" in path:
            return
        self.told.append((verb, path, text))
        value = json.loads(text, parse_constant=refuse) if text else None
        *before, last = path.split(".")
        around: Any = self.values
        for key in before:
            around = child(around, key)
        target = None if around is None else child(around, last)
        is_in_the_way = around is not None and not isinstance(around, (dict, list)) or verb == "push" and not isinstance(target, (list, type(None)))
        if is_in_the_way and verb != "delete":
            refuse(f"`{path}` cannot be set")
        self.own.append((verb, path.split("."), value))
        apply(self.values, verb, path.split("."), value)

    def set(self, path: str, value: str) -> None:
        self._write("set", path, value)

    def push(self, path: str, value: str) -> None:
        self._write("push", path, value)

    def delete(self, path: str) -> None:
        self._write("delete", path, "")


def refuse(message: str) -> Any:
    raise Err(Failure("invalid", message, "{}"))


def child(value: Any, key: str) -> Any:
    if isinstance(value, list):
        return value[int(key)] if key.isdigit() and int(key) < len(value) else None
    return value.get(key) if isinstance(value, dict) else None


def apply(state: dict[str, Any], verb: str, keys: list[str], value: Any) -> None:
    """The last one wins: what is in the way is replaced."""
    *before, last = keys
    around: Any = state
    for key in before:
        if not isinstance(child(around, key), (dict, list)):
            if verb == "delete":
                return
            around[int(key) if isinstance(around, list) else key] = {}
        around = child(around, key)
    place: Any = int(last) if isinstance(around, list) else last
    if verb == "delete":
        around.pop(place, None)
    elif verb == "set":
        around[place] = copy.deepcopy(value)
    else:
        if not isinstance(child(around, last), list):
            around[place] = []
        around[place].append(copy.deepcopy(value))


def play(body: Any, state: dict[str, Any] | None = None, host: Any = None) -> Any:
    """What is there after a step."""

    class Flow(Workflow):
        @step
        async def use(self, ctx: Context, ev: StartEvent) -> StopEvent:
            await body(ctx, host)
            return StopEvent()

    host = host or Beside(state)
    run_step(Flow(), "use", ("StartEvent", {}), host=host)
    return host


class Doc(BaseModel):
    number: int = 0
    tags: list[Any] = []
    about: dict[str, Any] = {}


class Note(Event):
    pass


LISTS, DICTS = ("l", "d.l", "d.e.l"), ("k", "d.k", "d.e.k")
FULL = {"l": ["a", "b"], "k": {"a": 1}, "d": {"l": ["a"], "k": {"a": 1}, "e": {"l": [], "k": {}}}}
STYLES = ["in place", "in place, and set", "a copy, and set", "a key", "a block", "the whole", "the whole, and set", "over a wait", "held", "set again"]


@pytest.mark.parametrize("state", [FULL, {}], ids=["of what is there", "from nothing"])
@pytest.mark.parametrize("styles", [[it] for it in STYLES] + [STYLES], ids=lambda it: it[0] if len(it) == 1 else "all of them")
def test_of_steps_that_add_beside_each_other_none_loses_what_another_adds(styles, state):
    for seed in range(60):
        chance, added = random.Random(f"{seed} {styles}"), []

        def word() -> str:
            added.append(f"w{len(added)}")
            return added[-1]

        def others(host: Any, path: str) -> None:
            host.other("push", path, word()) if path.endswith("l") else host.other("set", f"{path}.{word()}", 1)

        async def adding(ctx: Context, host: Any) -> None:
            for _ in range(chance.randint(1, 8)):
                if chance.random() < 0.4:
                    others(host, chance.choice(LISTS + DICTS))
                    continue
                style, path = chance.choice(styles), chance.choice(LISTS + DICTS)
                empty: Any = [] if path.endswith("l") else {}
                if style == "set again" and not state:
                    # What is set empty is there as a whole.
                    style = "a copy, and set"
                if style == "a block":
                    async with ctx.store.edit_state() as whole:
                        add(down(whole, path, empty), word())
                elif style in ("the whole", "the whole, and set"):
                    whole = await ctx.store.get_state()
                    if chance.random() < 0.5:
                        others(host, path)
                    add(down(whole, path, empty), word())
                    if "set" in style:
                        await ctx.store.set_state(whole)
                elif style == "a key" and path.endswith("k"):
                    await ctx.store.set(f"{path}.{word()}", 1)
                else:
                    held = await ctx.store.get(path, default=empty)
                    is_new = held is empty
                    if style == "held":
                        others(host, path)
                        if not is_new and chance.random() < 0.5:
                            await ctx.store.get(path.split(".")[0])
                    if style == "a copy, and set":
                        held = copy.copy(held)
                    if style != "set again":
                        add(held, word())
                    if is_new or "set" in style:
                        await ctx.store.set(path, held)
                    if style == "over a wait":
                        await asyncio.sleep(5)
                        host.commit()

        there = json.dumps(play(adding, state).values)
        assert [it for it in added if there.count(f'"{it}"') != 1] == [], (seed, there)


def add(held: Any, word: str) -> None:
    if isinstance(held, list):
        held.append(word)
    else:
        held[word] = 1


def down(value: Any, path: str, empty: Any) -> Any:
    """What lies at a path, begun where nothing does."""
    *before, last = path.split(".")
    for key in before:
        if key not in value:
            value[key] = {}
        value = value[key]
    if last not in value:
        value[last] = empty
    return value[last]


def test_a_step_alone_has_what_a_dictionary_would_have():
    """Reads, sets and changes where it lies, by chance, of values that are held twice, too."""
    for seed in range(400):
        chance, state = random.Random(seed), {}
        state = {key: some(chance) for key in "abc" if chance.random() < 0.6}

        async def body(ctx: Context, host: Any) -> None:
            plain, held = copy.deepcopy(state), []
            for _ in range(chance.randint(3, 25)):
                does = chance.choice(["get", "change", "change", "set", "set held", "send", "sleep", "whole", "block"])
                path = ".".join([chance.choice("abc"), *(chance.choice(["a", "0", "é", "n"]) for _ in range(chance.choice([0, 0, 1, 2])))])
                if does == "get":
                    ours, theirs = await ctx.store.get(path, default=None), found(plain, path)
                    assert sorted_json(ours) == sorted_json(theirs)
                    if type(ours) in (list, dict):
                        held.append((ours, theirs))
                elif does == "change" and held:
                    ours, theirs = chance.choice(held)
                    dice = chance.random()
                    change(random.Random(dice), ours)
                    change(random.Random(dice), theirs)
                elif does in ("set", "set held"):
                    dice = chance.random()
                    ours, theirs = some(random.Random(dice)), some(random.Random(dice))
                    if does == "set held" and held:
                        ours, theirs = chance.choice(held)
                    trial = copy.deepcopy((plain, theirs))
                    try:
                        put(trial[0], path, trial[1])
                        sorted_json(trial[0])
                    except (ValueError, TypeError, IndexError, RecursionError):
                        continue
                    await ctx.store.set(path, ours)
                    put(plain, path, theirs)
                    if type(ours) in (list, dict):
                        held.append((ours, theirs))
                elif does == "send":
                    ctx.send_event(Note())
                elif does == "sleep":
                    await asyncio.sleep(5)
                    assert sorted_json(host.values) == sorted_json(plain)
                elif does == "whole":
                    assert sorted_json(dict((await ctx.store.get_state()).items())) == sorted_json(plain)
                elif does == "block":
                    plain = json.loads(json.dumps(plain))
                    held.clear()
                    async with ctx.store.edit_state() as whole:
                        whole["a"], plain["a"] = seed, seed
            assert sorted_json(dict((await ctx.store.get_state()).items())) == sorted_json(plain), seed

        play(body, state)


def some(chance: random.Random, depth: int = 0) -> Any:
    dice = chance.random()
    if depth > 2 or dice < 0.4:
        return chance.choice([0, 1, 1.0, True, None, "s", 2**70, "é", ""])
    if dice < 0.7:
        return [some(chance, depth + 1) for _ in range(chance.randint(0, 4))]
    return {chance.choice(["a", "0", "x.y", "", "é", "\n", "q" * 400]): some(chance, depth + 1) for _ in range(chance.randint(0, 3))}


def change(chance: random.Random, value: Any) -> None:
    does = chance.randrange(6)
    if isinstance(value, list):
        if does < 2 or not value:
            value.append(some(chance))
        elif does == 2:
            value[chance.randrange(len(value))] = some(chance)
        elif does == 3:
            value.pop(chance.randrange(len(value)))
        else:
            value.insert(chance.randrange(len(value)), some(chance))
    elif does < 3 or not value:
        value[chance.choice(["a", "b", "x.y", "", "0"])] = some(chance)
    else:
        value.pop(chance.choice(sorted(value)))


def found(value: Any, path: str) -> Any:
    try:
        for key in path.split("."):
            value = value[int(key)] if isinstance(value, (list, str)) else value[key]
    except (KeyError, IndexError, ValueError, TypeError):
        return None
    return value


def put(value: Any, path: str, item: Any) -> None:
    *before, last = path.split(".")
    for key in before:
        if isinstance(value, dict):
            if key not in value:
                value[key] = {}
            value = value[key]
        else:
            value = value[int(key)]
    if not isinstance(value, (dict, list)):
        raise ValueError(path)
    value[int(last) if isinstance(value, list) else last] = item


def sorted_json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def test_what_lies_in_a_model_is_written():
    async def first(ctx: Context, host: Any) -> None:
        await ctx.store.set("doc", Doc(tags=["a"], about={"by": []}))
        await ctx.store.set("note", Note(things=[1]))

    async def second(ctx: Context, host: Any) -> None:
        doc = await ctx.store.get("doc")
        doc.tags.append("b")
        doc.about["by"].append("c")
        (await ctx.store.get("note")).things.append(2)

    there = play(second, play(first).values).values
    assert there["doc"]["value"] == {"number": 0, "tags": ["a", "b"], "about": {"by": ["c"]}} and there["note"]["value"] == {"_data": {"things": [1, 2]}}


def test_a_model_is_one_value():
    """Of two that are set beside each other one is there, and none that nobody made."""
    state = play(set_doc(1, ["a"])).values

    async def later(ctx: Context, host: Any) -> None:
        await ctx.store.get("doc")
        host.other("set", "doc", {**host.values["doc"], "value": {"number": 8, "tags": ["z"], "about": {}}})
        await ctx.store.set("doc", Doc(number=1, tags=["a", "b"]))

    assert play(later, state).values["doc"]["value"] == {"number": 1, "tags": ["a", "b"], "about": {}}


def set_doc(number: int, tags: list[str]) -> Any:
    async def body(ctx: Context, host: Any) -> None:
        await ctx.store.set("doc", Doc(number=number, tags=tags))

    return body


@pytest.mark.parametrize("is_set", [True, False])
def test_the_later_one_wins_where_others_have_put_something_else(is_set):
    async def body(ctx: Context, host: Any) -> None:
        items = await ctx.store.get("items")
        await ctx.store.get("status", default=None)
        host.other("set", "items", "none")
        host.other("set", "status", "x")
        items.append(2)
        if is_set:
            await ctx.store.set("items", items)
        await ctx.store.set("status", {"a": 1})

    assert play(body, {"items": [1]}).values == {"items": [1, 2], "status": {"a": 1}}


def test_an_item_is_not_written_where_another_may_lie_now():
    async def body(ctx: Context, host: Any) -> None:
        items = await ctx.store.get("items")
        host.other("set", "items", [{"id": 2}])
        items[1]["done"] = True

    assert play(body, {"items": [{"id": 1}, {"id": 2}]}).values == {"items": [{"id": 1}, {"id": 2, "done": True}]}


def test_a_set_that_fails_leaves_all_as_it_was():
    async def body(ctx: Context, host: Any) -> None:
        d = await ctx.store.get("d")
        d["m"] = {"a": 1}
        for path, value in (("d.m.x", object()), ("d.l", [float("nan")]), ("d.new.deep", object()), ("n", float("inf")), ("d.m.a.b", 1)):
            with pytest.raises(Exception):
                await ctx.store.set(path, value)
        d["l"].append(1)
        assert await ctx.store.get("d") == {"l": [0, 1], "m": {"a": 1}} and await ctx.store.get("n") == 1

    assert play(body, {"d": {"l": [0]}, "n": 1}).values == {"d": {"l": [0, 1], "m": {"a": 1}}, "n": 1}


def test_a_key_of_the_state_with_a_dot_is_refused():
    async def body(ctx: Context, host: Any) -> None:
        (await ctx.store.get_state())["a.b"] = 1

    with pytest.raises(Failed, match="a.b: a key of the state has no dot in it"):
        play(body)
    # One that was there, from outside, is in the way of nothing.
    host = Beside({"n": 1})
    host.values["a.b"] = host.committed["a.b"] = 1

    async def count(ctx: Context, host: Any) -> None:
        async with ctx.store.edit_state() as state:
            state["n"] += 1

    assert play(count, host=host).values == {"n": 2, "a.b": 1}


def test_what_is_held_is_what_others_have_made_of_it():
    async def body(ctx: Context, host: Any) -> None:
        items, deep = await ctx.store.get("items"), await ctx.store.get("deep")
        first = items[0]
        host.other("set", "items", [{"id": 0}, {"id": 1}])
        host.other("set", "deep.a", {"b": 2})
        assert await ctx.store.get("items") is items and await ctx.store.get("deep") is deep
        assert items[1] is first and deep == {"a": {"b": 2}}
        first["id"] = 5

    assert play(body, {"items": [{"id": 1}], "deep": {}}).values["items"] == [{"id": 0}, {"id": 5}]


class Stats(BaseModel):
    by_name: dict[str, int] = {}
    tags: list[str] = []


class Begun(BaseModel):
    stats: Stats = Stats()
    seeded: dict[str, int] = {"a": 1}
    words: list[str] = ["first"]
    born: float = Field(default_factory=random.random)
    empty: list[str] = []
    count: int = 3


def test_what_a_typed_state_begins_with_is_there_before_others_add_to_it():
    class Flow(Workflow):
        @step
        async def begin(self, ev: StartEvent) -> Note:
            return Note()

        @step
        async def add(self, ctx: Context[Begun], ev: Note) -> StopEvent:
            await ctx.store.set("stats.by_name.mine", 1)
            await ctx.store.set("seeded.mine", 1)
            (await ctx.store.get("words")).append("mine")
            state = await ctx.store.get_state()
            state.stats.tags.append("mine")
            return StopEvent(result=state.born)

    host = Beside()
    run_step(Flow(), "begin", ("StartEvent", {}), host=host)
    host.commit()
    begun = copy.deepcopy(host.values)
    assert {**begun, "born": 0} == {"stats": {"by_name": {}, "tags": []}, "seeded": {"a": 1}, "words": ["first"], "born": 0}
    host.other("set", "stats.by_name.yours", 2)
    host.other("set", "seeded.yours", 2)
    host.other("push", "words", "yours")
    host.other("push", "stats.tags", "yours")
    [(_, fields)] = run_step(Flow(), "add", ("Note", {}), host=host)
    assert fields["result"] == begun["born"]
    assert host.values["stats"] == {"by_name": {"yours": 2, "mine": 1}, "tags": ["yours", "mine"]}
    assert (host.values["seeded"], host.values["words"]) == ({"a": 1, "yours": 2, "mine": 1}, ["first", "yours", "mine"])
    # A handler that goes on has what it had.
    host.commit()
    run_step(Flow(), "begin", ("StartEvent", {}), host=host)
    assert host.values["words"] == ["first", "yours", "mine"]


def test_a_default_of_several_levels_is_begun_by_several():
    async def body(ctx: Context, host: Any) -> None:
        held = await ctx.store.get("a", default={"b": {}, "l": [], "e": {}})
        host.other("set", "a", {"b": {"yours": 1}, "l": ["yours"]})
        held["b"]["mine"] = 1
        held["l"].append("mine")
        await ctx.store.set("a", held)

    assert play(body).values == {"a": {"b": {"yours": 1, "mine": 1}, "l": ["yours", "mine"], "e": {}}}


class Reply(HumanResponseEvent):
    text: str

    @field_validator("text")
    @classmethod
    def polite(cls, value: str) -> str:
        if "damn" in value:
            raise ValueError("be polite")
        return value


def test_an_answer_that_its_class_refuses_ends_nothing():
    class Flow(Workflow):
        @step
        async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
            reply = await ctx.wait_for_event(Reply, waiter_event=InputRequiredEvent(), waiter_id="one")
            return StopEvent(result=reply.text)

        @step
        async def take(self, ev: Reply) -> StopEvent:
            return StopEvent(result=ev.text)

    answers = [("Reply", {"text": "damn"}), ("Reply", {"text": "damn it"}), ("Reply", {"text": "thanks"})]
    host = Host(answers=answers)
    [(_, fields)] = run_step(Flow(), "ask", ("StartEvent", {}), host=host)
    assert fields["result"] == "thanks" and [it["id"] for it in host.waits] == ["one", "one 2", "one 3"]
    assert [(level, "be polite" in text) for level, text, _ in host.logged] == [("warn", True)] * 2
    host = Host()
    assert run_step(Flow(), "take", answers[0], host=host) == [] and "an answer is left out" in host.logged[0][1]
    assert run_step(Flow(), "take", answers[2], host=host)[0][0] == "StopEvent"


def test_a_copy_of_the_state_that_is_set_again_changes_what_it_changed():
    async def body(ctx: Context, host: Any) -> None:
        state = await ctx.store.get_state()
        host.other("set", "d.yours", 2)
        host.other("set", "new", 3)
        state["n"] += 1
        await ctx.store.set_state(state)

    assert play(body, {"d": {"a": 1}, "n": 1}).values == {"d": {"a": 1, "yours": 2}, "n": 2, "new": 3}

    async def anew(ctx: Context, host: Any) -> None:
        await ctx.store.get_state()
        host.other("set", "new", 3)
        await ctx.store.set_state(DictState(n=5))

    assert play(anew, {"d": {"a": 1}, "n": 1}).values == {"n": 5}
