"""Steps: what they are given, what they may do, and what becomes of it."""

from __future__ import annotations

import asyncio
import copy
import json
import logging
import random
import sys
import time
from typing import Annotated, Any

import pytest
from border_host import Host, run_step
from pydantic import BaseModel, Field
from wf_guest import logs, loop
from wf_guest.invoke import Failed
from wf_guest.manifest import manifest
from workflows import Context, Workflow
from workflows import step as real_step
from workflows.errors import WorkflowConfigurationError, WorkflowRuntimeError, WorkflowValidationError
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from workflows.resource import Resource

asyncio.run = loop.run


def step(function=None, **said):
    """Decorates a function as the method that it is going to be."""

    def decorate(it):
        it.__qualname__ = f"Flow.{it.__name__}"
        return real_step(**said)(it)

    return decorate(function) if function is not None else decorate


class Part(Event):
    number: int


class Ask(InputRequiredEvent):
    question: str = "?"


class Answer(HumanResponseEvent):
    text: str


class Tally(BaseModel):
    count: int = 0
    names: list[str] = []


def flow(function, *more, **said):
    """A workflow with the given steps."""
    namespace = {it.__name__: it for it in (function, *more)}
    return type("Flow", (Workflow,), namespace)(timeout=10)


def test_a_file_that_is_not_there_says_that_there_are_none():
    @step
    async def go(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=open("/nothing/here").read())

    with pytest.raises(Failed) as failed:
        run_step(flow(go), "go", ("StartEvent", {}))
    assert str(failed.value) == "[Errno 2] No such file or directory: '/nothing/here'", "as the original says it"
    assert "the folders that it is granted" in failed.value.details["trace"]


def test_a_plain_answer_that_is_waited_for_is_declared():
    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        answer = await ctx.wait_for_event(HumanResponseEvent, waiter_event=InputRequiredEvent(prefix="?"))
        return StopEvent(result=answer.response)

    said = manifest(flow(ask), "flow", [], [])
    assert said["additional_events"] == ["HumanResponseEvent"] and [it["kind"] for it in said["events"]] == ["human-response"]


def test_sleeps_are_the_hosts_and_beside_each_other():
    @step
    async def nap(self, ev: StartEvent) -> StopEvent:
        await asyncio.gather(asyncio.sleep(2), asyncio.sleep(1), asyncio.sleep(2))
        return StopEvent(result="slept")

    host = Host()
    assert run_step(flow(nap), "nap", ("StartEvent", {}), host=host) == [("StopEvent", {"result": "slept"})]
    assert 2 <= sum(host.slept) < 2.1, host.slept


def test_a_timeout_of_asyncio_ends_what_takes_too_long():
    @step
    async def nap(self, ev: StartEvent) -> StopEvent:
        try:
            async with asyncio.timeout(0.5):
                await asyncio.sleep(60)
        except TimeoutError:
            pass
        try:
            await asyncio.wait_for(asyncio.sleep(60), 0.5)
        except asyncio.TimeoutError:
            return StopEvent(result="late")

    host = Host()
    assert run_step(flow(nap), "nap", ("StartEvent", {}), host=host) == [("StopEvent", {"result": "late"})]
    assert sum(host.slept) < 2


def test_tasks_that_are_left_behind_end_before_the_step_does():
    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
        async def later():
            await asyncio.sleep(1)
            ctx.write_event_to_stream(Part(number=1))

        asyncio.create_task(later())
        return StopEvent(result=await asyncio.to_thread(lambda: 3))

    host = Host()
    assert run_step(flow(begin), "begin", ("StartEvent", {}), host=host) == [("StopEvent", {"result": 3})]
    assert host.published == [("Part", {"number": 1})]


def test_generators_that_nobody_reads_to_their_end_are_closed_before_the_step_is():
    kept = []

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
        async def numbers():
            try:
                yield 1
                yield 2
            finally:
                await asyncio.sleep(0.5)
                ctx.write_event_to_stream(Part(number=3))

        kept.append(numbers())
        await anext(kept[0])
        async for number in numbers():
            return StopEvent(result=number)

    host = Host()
    assert run_step(flow(begin), "begin", ("StartEvent", {}), host=host) == [("StopEvent", {"result": 1})]
    assert host.published == [("Part", {"number": 3})] * 2 and host.logged == []


def test_what_nothing_will_set_fails_the_step():
    @step
    async def hang(self, ev: StartEvent) -> StopEvent:
        await asyncio.Event().wait()

    with pytest.raises(Failed, match="nothing will ever set"):
        run_step(flow(hang), "hang", ("StartEvent", {}))


@pytest.mark.parametrize("value", ["text", 3, {"a": 1}, [StopEvent()], StopEvent])
def test_what_is_no_event_is_refused(value):
    @step
    async def wrong(self, ev: StartEvent) -> StopEvent:
        return value

    with pytest.raises(Failed, match="Step function wrong returned .* instead of an Event instance"):
        run_step(flow(wrong), "wrong", ("StartEvent", {}))


def test_any_event_may_be_returned_and_none():
    @step
    async def other(self, ev: StartEvent) -> StopEvent | None:
        return Part(number=1) if ev.get("part") else None

    assert run_step(flow(other), "other", ("StartEvent", {"part": True})) == [("Part", {"number": 1})]
    assert run_step(flow(other), "other", ("StartEvent", {})) == []


def test_a_plain_function_is_a_step_too():
    @step
    def plain(self, ctx: Context, ev: StartEvent) -> StopEvent:
        ctx.send_event(Part(number=1))
        time.sleep(0)
        return StopEvent(result=1)

    host = Host()
    run_step(flow(plain), "plain", ("StartEvent", {}), host=host)
    assert host.sent == [("Part", {"number": 1}, {})]


def test_an_event_for_a_step_that_does_not_take_it_is_refused():
    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> StopEvent:
        said = []
        for name in ("nope", "begin"):
            try:
                ctx.send_event(Part(number=1), step=name)
            except WorkflowRuntimeError as error:
                said.append(str(error))
        return StopEvent(result=said)

    [(_, fields)] = run_step(flow(begin), "begin", ("StartEvent", {}))
    assert fields["result"][0] == "Step nope does not exist"
    assert fields["result"][1].startswith("Step begin does not accept event of type")


def test_waits_say_what_they_wait_for():
    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        answer = await ctx.wait_for_event(Answer, waiter_event=Ask(question="who?"), waiter_id="one", requirements={"text": "x"}, timeout=5)
        try:
            await ctx.wait_for_event(Answer)
        except asyncio.TimeoutError as error:
            return StopEvent(result=[answer.text, answer.more, str(error)])

    host = Host(answers=[("Answer", {"text": "x", "more": 1})])
    [(_, fields)] = run_step(flow(ask), "ask", ("StartEvent", {}), host=host)
    assert fields["result"] == ["x", 1, "Timed out waiting for Answer"]
    assert host.waits[0] == {"type": "Answer", "requirements": {"text": "x"}, "id": "one", "timeout": 5, "request": {"name": "Ask", "payload": '{"question":"who?"}'}}
    assert host.waits[1] == {"type": "Answer", "timeout": 2000}


def test_collecting_drops_other_types_and_orders_by_what_is_expected():
    @step
    async def take(self, ctx: Context, ev: StartEvent) -> StopEvent:
        assert ctx.collect_events(ev, []) == []
        assert ctx.collect_events(StopEvent(), [Part]) is None
        assert ctx.collect_events(Part(number=1), [Answer, Part, Part]) is None
        assert ctx.collect_events(Part(number=2), [Answer, Part, Part]) is None
        found = ctx.collect_events(Answer(text="x"), [Answer, Part, Part])
        return StopEvent(result=[type(it).__name__ for it in found])

    [(_, fields)] = run_step(flow(take), "take", ("StartEvent", {}))
    assert fields["result"] == ["Answer", "Part", "Part"]


def test_a_typed_state_has_defaults_and_is_edited_alone():
    @step
    async def count(self, ctx: Context[Tally], ev: StartEvent) -> StopEvent:
        assert (await ctx.store.get("count"), await ctx.store.get("nothing", default=1)) == (0, 1)
        async with ctx.store.edit_state() as state:
            state.count += 1
            state.names.append("a")
            with pytest.raises(RuntimeError):
                async with ctx.store.edit_state():
                    pass
        with pytest.raises(ValueError):
            await ctx.store.set("unknown", 1)
        try:
            async with ctx.store.edit_state() as state:
                state.count = 99
                raise KeyError
        except KeyError:
            pass
        state = await ctx.store.get_state()
        return StopEvent(result=[type(state).__name__, state.count, state.names])

    host = Host()
    [(_, fields)] = run_step(flow(count), "count", ("StartEvent", {}), host=host)
    assert fields["result"] == ["Tally", 1, ["a"]] and host.values == {"count": 1, "names": ["a"]} and not host.held


def test_edits_of_one_step_beside_each_other_take_turns():
    @step
    async def count(self, ctx: Context, ev: StartEvent) -> StopEvent:
        async def one():
            async with ctx.store.edit_state() as state:
                count = state.get("count", 0)
                await asyncio.sleep(0.01)
                state["count"] = count + 1

        await asyncio.gather(*(one() for _ in range(5)))
        return StopEvent(result=await ctx.store.get("count"))

    host = Host()
    [(_, fields)] = run_step(flow(count), "count", ("StartEvent", {}), host=host)
    assert fields["result"] == 5 and not host.held


def test_a_step_runs_no_other_workflow():
    @step
    async def begin(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=await flow(begin).run())

    with pytest.raises(Failed, match="a step cannot run `Flow` within itself: .* start it as a run of its own") as failed:
        run_step(flow(begin), "begin", ("StartEvent", {}))
    assert failed.value.kind == "workflows.errors.ContextStateError"


@pytest.mark.parametrize("value", [time, {1, 2}, b"x"])
def test_what_has_no_json_form_cannot_be_kept(value):
    @step
    async def keep(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await ctx.store.set("it", value)

    with pytest.raises(Failed, match="Failed to serialize state value for key it"):
        run_step(flow(keep), "keep", ("StartEvent", {}))


def test_older_spellings_of_the_store():
    @step(pass_context=True)
    async def use(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await ctx.set("a", 1)
        ctx.data["b"] = 2
        return StopEvent(result=[await ctx.get("a"), await ctx.get("c", default=None), ctx.data["b"], ctx.data.get("c")])

    [(_, fields)] = run_step(flow(use), "use", ("StartEvent", {}))
    assert fields["result"] == [1, None, 2, None]


def test_resources_are_made_once_for_an_entry():
    made = []

    def box() -> list:
        made.append(1)
        return made

    async def word(it: Annotated[list, Resource(box)]) -> str:
        return f"word {len(it)}"

    @step
    async def use(self, ev: StartEvent, a: Annotated[list, Resource(box)], b: Annotated[list, Resource(box)], c: Annotated[str, Resource(word)]) -> StopEvent:
        return StopEvent(result=[a is b, c])

    assert run_step(flow(use), "use", ("StartEvent", {})) == [("StopEvent", {"result": [True, "word 1"]})]


def test_a_traceback_names_the_users_own_file_and_line():
    @step
    async def fail(self, ev: StartEvent) -> StopEvent:
        raise OSError("no luck")

    with pytest.raises(Failed) as failed:
        run_step(flow(fail), "fail", ("StartEvent", {}))
    trace = failed.value.details["trace"]
    assert 'File "test_steps.py", line' in trace and 'raise OSError("no luck")' in trace and "invoke.py" not in trace


def test_what_came_before_is_known():
    @step
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        info = ctx.retry_info()
        return StopEvent(result=[info.retry_number, info.elapsed_seconds, type(info.last_exception).__name__, str(info.last_exception), info.last_failed_at])

    host = Host(retry={"attempts": 2, "elapsed": 1.5, "last_failure": {"kind": "builtins.ValueError", "message": "again", "at": 1_500_000}})
    [(_, fields)] = run_step(flow(ask), "ask", ("StartEvent", {}), host=host)
    assert fields["result"] == [2, 1.5, "ValueError", "again", "1970-01-01T00:00:01.500000Z"]


def test_print_goes_to_the_run(monkeypatch):
    @step
    async def say(self, ev: StartEvent) -> StopEvent:
        print("one\ntwo", 3)
        print("no end", end="")
        print("trouble", file=sys.stderr)
        return StopEvent()

    monkeypatch.setattr(sys, "stdout", logs.Lines("stdout", None))
    monkeypatch.setattr(sys, "stderr", logs.Lines("stderr", None))
    host = Host()
    run_step(flow(say), "say", ("StartEvent", {}), host=host)
    out, err = {"stream": "stdout"}, {"stream": "stderr"}
    assert host.logged == [("info", "one", out), ("info", "two 3", out), ("info", "trouble", err), ("info", "no end", out)]


def test_logging_goes_to_the_run():
    @step
    async def say(self, ev: StartEvent) -> StopEvent:
        record = logging.getLogger("mine").makeRecord("mine", logging.WARNING, __file__, 1, "careful %s", ("now",), None)
        logs.write(record)
        return StopEvent()

    host = Host()
    run_step(flow(say), "say", ("StartEvent", {}), host=host)
    assert host.logged == [("warn", "careful now", {"logger": "mine"})]


def test_a_mistake_in_a_call_of_logging_is_told_and_fails_nothing(monkeypatch):
    @step
    async def say(self, ev: StartEvent) -> StopEvent:
        logger = logging.getLogger("mistaken")
        logger.addHandler(logging.StreamHandler())
        logger.propagate = False
        logger.warning("%d loaves", "no number")
        logger.warning("%d loaves", 2)
        return StopEvent(result="went on")

    for it, name in ((logging.StreamHandler, "emit"), (sys, "stdout"), (sys, "stderr")):
        monkeypatch.setattr(it, name, getattr(it, name))
    logs.install()
    host = Host()
    assert run_step(flow(say), "say", ("StartEvent", {}), host=host) == [("StopEvent", {"result": "went on"})]
    said = [message for _, message, _ in host.logged]
    assert said[0] == "--- Logging error ---" and "Message: '%d loaves'" in said and said[-1] == "2 loaves", said


def test_chance_is_seeded_anew_at_each_entry():
    @step
    async def draw(self, ev: StartEvent) -> StopEvent:
        return StopEvent(result=random.random())

    drawn = {run_step(flow(draw), "draw", ("StartEvent", {}))[0][1]["result"] for _ in range(3) if random.seed(1) is None}
    assert len(drawn) == 3


def test_what_is_wrong_with_a_step_is_said_when_it_is_decorated():
    with pytest.raises(WorkflowValidationError, match="at least one parameter annotated as type Event"):

        @step
        async def nothing(self, ctx: Context) -> StopEvent: ...

    with pytest.raises(WorkflowValidationError, match="must be annotated with their type"):

        @step
        async def unsaid(self, ev: StartEvent): ...

    with pytest.raises(WorkflowValidationError, match="num_workers must be an integer greater than 0"):

        @step(num_workers=0)
        async def none(self, ev: StartEvent) -> StopEvent: ...


def test_what_is_wrong_with_a_workflow_is_said_in_the_originals_words():
    @step
    async def begin(self, ev: StartEvent) -> Part: ...

    @step
    async def end(self, ev: Answer) -> StopEvent: ...

    @step
    async def lost(self, ev: Part) -> StopEvent: ...

    with pytest.raises(WorkflowConfigurationError, match="At least one Event of type StopEvent"):
        flow(begin)
    with pytest.raises(WorkflowConfigurationError, match="At least one Event of type StartEvent"):
        flow(lost)
    with pytest.raises(WorkflowValidationError, match="The following events are produced but never consumed: Part"):
        flow(begin, end).validate()
    with pytest.raises(WorkflowValidationError, match="The following events are consumed but never produced: Part"):

        @step
        async def whole(self, ev: StartEvent) -> StopEvent: ...

        flow(whole, lost).validate()
    assert flow(begin, lost).validate() is False


class Client:
    """What has no JSON form."""


class Equipped(BaseModel):
    client: Any = Field(default_factory=Client)
    names: list[str] = []


def test_a_default_that_has_no_form_is_in_the_way_of_nothing_but_itself():
    @step
    async def use(self, ctx: Context[Equipped], ev: StartEvent) -> StopEvent:
        (await ctx.store.get("names")).append("Ada")
        await ctx.store.set("names", [*await ctx.store.get("names"), "Grace"])
        return StopEvent(result=[type((await ctx.store.get_state()).client).__name__, await ctx.store.get("names")])

    host = Host()
    [(_, fields)] = run_step(flow(use), "use", ("StartEvent", {}), host=host)
    assert (fields["result"], host.values) == (["Client", ["Ada", "Grace"]], {"names": ["Ada", "Grace"]})

    @step
    async def keep(self, ctx: Context[Equipped], ev: StartEvent) -> StopEvent:
        (await ctx.store.get("names")).append(Client())
        return StopEvent()

    with pytest.raises(Failed, match="Failed to serialize state value for key names"):
        run_step(flow(keep), "keep", ("StartEvent", {}))


def test_a_default_that_has_no_form_is_not_in_the_way_of_the_whole():
    @step
    async def use(self, ctx: Context[Equipped], ev: StartEvent) -> StopEvent:
        async with ctx.store.edit_state() as state:
            state.names = ["Ada"]
        state = await ctx.store.get_state()
        state.names = [*state.names, "Grace"]
        await ctx.store.set_state(state)
        seen = [await ctx.store.get("names"), type(await ctx.store.get("client")).__name__]
        with pytest.raises(ValueError, match="client"):
            await ctx.store.set_state(Equipped(client=Client(), names=["Eve"]))
        with pytest.raises(ValueError, match="client"):
            async with ctx.store.edit_state() as state:
                state.client, state.names = Client(), ["Eve"]
        seen.append(await ctx.store.get("names"))
        await ctx.store.clear()
        return StopEvent(result=[*seen, await ctx.store.get("names")])

    host = Host()
    [(_, fields)] = run_step(flow(use), "use", ("StartEvent", {}), host=host)
    assert fields["result"] == [["Ada", "Grace"], "Client", ["Ada", "Grace"], []]


def test_what_is_changed_where_it_lies_is_written_before_anybody_looks():
    seen = []

    @step
    async def use(self, ctx: Context, ev: StartEvent) -> StopEvent:
        for name in ("a", "b"):
            await ctx.store.set(name, [])
        (await ctx.store.get("a")).append(1)
        ctx.send_event(Part(number=1))
        seen.append(copy.deepcopy(host.values))
        a = await ctx.store.get("a")
        a.append(2)
        await asyncio.sleep(5)
        seen.append(copy.deepcopy(host.values))
        a.append(3)
        return StopEvent()

    host = Host()
    run_step(flow(use), "use", ("StartEvent", {}), host=host)
    assert [it["a"] for it in seen] == [[1], [1, 2]] and host.values["a"] == [1, 2, 3]


def wrote(state, *lines):
    """What these lines write to such a state, and what is there then."""
    names: dict[str, Any] = {}
    exec("async def body(store):\n" + "".join(f" {line}\n" for line in lines), names)

    @step
    async def use(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await names["body"](ctx.store)
        return StopEvent()

    host = Host(state)
    run_step(flow(use), "use", ("StartEvent", {}), host=host)
    return [f"{verb} {path} {value}".strip() for verb, path, value in host.told if "__edited__" not in path], host.values


WRITTEN = {
    "a part": ({"d": {"a": 1}}, ["await store.set('d.b', 2)"], ["set d.b 2"]),
    "a part of what is not there": ({}, ["await store.set('d.b.c', [1])", "await store.set('d.b.e', 2)"], ["set d.b.c [1]", "set d.b.e 2"]),
    "an item": ({"l": [{"a": 1}, {"a": 1}]}, ["await store.set('l.1.a', 2)"], ['set l [{"a": 1}, {"a": 2}]']),
    "a list that is added to, and set": ({"l": [1]}, ["l = await store.get('l')", "l.append(2)", "await store.set('l', l)"], ["push l 2"]),
    "a list that is added to": ({"l": [1]}, ["(await store.get('l')).extend([2, 3])"], ["push l 2", "push l 3"]),
    "a list within": ({"d": {"l": [1]}}, ["(await store.get('d.l')).append(2)", "await store.get('d.l')"], ["push d.l 2"]),
    "a list that is begun": ({}, ["l = await store.get('l', default=[])", "l.append(1)", "await store.set('l', l)"], ["push l 1"]),
    "a dictionary that is begun": ({}, ["d = await store.get('d', default={})", "d['a'] = 1", "await store.set('d', d)"], ["set d.a 1"]),
    "what is set unseen": ({"l": [1]}, ["await store.set('l', [1, 2])"], ["set l [1, 2]"]),
    "what is set empty": ({}, ["l = await store.get('l', default=[])", "await store.set('l', l)"], ["set l []"]),
    "a list that is another": ({"l": [1, 2]}, ["await store.set('l', [3])"], ["set l [3]"]),
    "a list that is another in most": ({"l": [1, 2, 3]}, ["(await store.get('l')).insert(0, 0)"], ["set l [0, 1, 2, 3]"]),
    "one item of many": ({"l": [1, 2, 3]}, ["(await store.get('l'))[1] = 5"], ["set l [1, 5, 3]"]),
    "keys that come, go and change": ({"d": {"a": 1, "b": 2, "c": 3}}, ["d = await store.get('d')", "d.pop('a'); d['b'] = 4; d['e'] = 5"], ["delete d.a", "set d.b 4", "set d.e 5"]),
    "another order": ({"d": {"a": 1, "b": 2}}, ["d = await store.get('d')", "d['a'] = d.pop('a')"], ['set d {"b": 2, "a": 1}']),
    "a key with a dot": ({"d": {"a": 1}}, ["(await store.get('d'))['x.y'] = 2"], ['set d {"a": 1, "x.y": 2}']),
    "a key that is no path": ({"d": {"a": 1}}, ["(await store.get('d'))[''] = 2"], ['set d {"a": 1, "": 2}']),
    "a key of a line": ({"d": {"a": 1}}, ["(await store.get('d'))['\\n'] = 2"], ['set d {"a": 1, "\\n": 2}']),
    "what is set as it was": ({"n": [1]}, ["n = await store.get('n')", "await store.set('n', n)"], []),
    "a number that is set as it was": ({"n": 1}, ["await store.set('n', await store.get('n'))"], ["set n 1"]),
    "another list with more": ({"n": [1]}, ["await store.set('n', [*await store.get('n'), 2])"], ["push n 2"]),
    "another dictionary with more": ({"d": {"a": 1}}, ["await store.set('d', {**await store.get('d'), 'b': 2})"], ["set d.b 2"]),
    "another dictionary": ({"d": {"a": 1}}, ["await store.set('d', {**await store.get('d'), 'a': 2})"], ['set d {"a": 2}']),
    "another list like it": ({"n": [1]}, ["await store.set('n', [*await store.get('n')])"], ["set n [1]"]),
    "what was absent, and is not any more": (
        {}, ["l = await store.get('l', default=[])", "await store.set('l', l)", "l.append(1)", "await store.get('l')", "await store.set('l', [2])"], ["set l []", "push l 1", "set l [2]"]
    ),
    "a part that was absent": ({"d": {}}, ["l = await store.get('d.l', default=[])", "l.append(1)", "await store.set('d.l', l)"], ["push d.l 1"]),
    "a part that is added to, and set": ({"d": {"l": [1]}}, ["l = await store.get('d.l')", "l.append(2)", "await store.set('d.l', l)"], ["push d.l 2"]),
    "in place, and a part beside": ({"d": {"a": 1}}, ["d = await store.get('d')", "d['x'] = 1", "await store.set('d.y', 2)"], ["set d.y 2", "set d.x 1"]),
    "1 and 1.0": ({"d": {"n": 1}}, ["(await store.get('d'))['n'] = 1.0"], ["set d.n 1.0"]),
    "as a whole": ({"d": {"a": 1}, "n": 1}, ["s = await store.get_state()", "s['d']['b'] = 2"], ["set d.b 2"]),
    "in a block": ({"d": {"a": 1}, "n": 1}, ["async with store.edit_state() as s:\n  s['d']['b'] = 2"], ["set d.b 2"]),
    "very much at once": ({"d": {}}, ["(await store.get('d')).update((str(it), 0) for it in range(1001))"], ["set d " + json.dumps({str(it): 0 for it in range(1001)})]),
    "a part that is changed where it lies, and set beside": (
        {"d": {"l": [1]}}, ["d = await store.get('d')", "d['m'] = {}", "await store.set('d.m.x', 1)", "d['l'].append(2)"], ["set d.m.x 1", "push d.l 2"]
    ),
    "a model": ({"d": {}}, ["from workflows.events import Event", "await store.set('d.e', Event(a=1))", "(await store.get('d.e')).a = 2"], None),
}


@pytest.mark.parametrize("case", WRITTEN)
def test_no_more_is_written_than_has_changed(case):
    """So that what other steps write beside it stays, and a large state costs no more than a small one."""
    state, lines, told = WRITTEN[case]
    there, values = wrote(copy.deepcopy(state), *lines)
    if told is None:
        assert values["d"]["e"]["value"]["_data"] == {"a": 2}, values
    else:
        assert there == told, there
        again = Host(copy.deepcopy(state))
        for verb, path, *value in [it.split(" ", 2) for it in told]:
            getattr(again, verb)(path, *value)
        assert again.values == values


def test_what_a_typed_state_begins_with_is_added_to():
    @step
    async def use(self, ctx: Context[Equipped], ev: StartEvent) -> StopEvent:
        (await ctx.store.get_state()).names.append("Ada")
        return StopEvent()

    host = Host()
    run_step(flow(use), "use", ("StartEvent", {}), host=host)
    assert host.told == [("push", "names", '"Ada"')]


def test_a_part_costs_what_it_is_however_much_lies_beside_it():
    """A thousand sets and reads below one key: the bytes that are written, and read, do not grow with what is there."""
    names = [f"k{it}" for it in range(1000)]

    @step
    async def use(self, ctx: Context, ev: StartEvent) -> StopEvent:
        for name in names:
            await ctx.store.set(f"d.{name}", [0])
            (await ctx.store.get(f"d.{name}")).append(1)
            assert await ctx.store.get(f"d.{name}") == [0, 1]
            await ctx.store.get("d.none", default=None)
            ctx.send_event(Part(number=1))
        return StopEvent()

    host = Host({"d": {f"old{it}": 1 for it in range(1000)}})
    run_step(flow(use), "use", ("StartEvent", {}), host=host)
    written = sum(len(value) for _, _, value in host.told)
    assert (written, len(host.values["d"])) == (4000, 2000) and host.bytes_read < 50_000, (written, host.bytes_read)


def test_what_another_has_changed_is_seen():
    @step
    async def use(self, ctx: Context, ev: StartEvent) -> StopEvent:
        d = await ctx.store.get("d")
        host.values["d"]["a"] = 2
        seen = [await ctx.store.get("d.a"), await ctx.store.get("d.b", default=None)]
        host.values["d"]["b"] = {"c": 3}
        seen += [await ctx.store.get("d.b.c"), d is await ctx.store.get("d"), await ctx.store.get("d.b")]
        await ctx.store.set("d.e", 4)
        host.values["d"]["f"] = 5
        await ctx.store.set("d.e", 6)
        return StopEvent(result=[*seen, await ctx.store.get("d.f")])

    host = Host({"d": {"a": 1}})
    [(_, fields)] = run_step(flow(use), "use", ("StartEvent", {}), host=host)
    assert fields["result"] == [2, None, 3, True, {"c": 3}, 5]
    assert host.values == {"d": {"a": 2, "b": {"c": 3}, "e": 6, "f": 5}}


def test_what_is_read_again_and_again_is_looked_at_once_for_an_event():
    """A list that is held costs an event nothing, unless it was read since."""
    looked = []

    class Counted(list):
        def __iter__(self):
            looked.append(1)
            return super().__iter__()

    @step
    async def use(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await ctx.store.set("many", Counted([1, 2]))
        for number in range(100):
            ctx.send_event(Part(number=number))
        return StopEvent()

    run_step(flow(use), "use", ("StartEvent", {}))
    assert len(looked) < 10, len(looked)


ALIASED = {
    # What a block has written is not written over by what was read before it.
    "before a block": (["n = await store.get('n')", "async with store.edit_state() as s:\n  s['n'].append(2)", "n.append(3)"], {"n": [1, 2]}),
    "within a block": (["async with store.edit_state() as s:\n  n = await store.get('n')\n  n.append(3)\n  s['n'].append(2)"], {"n": [1, 2]}),
    "a block without a change": (["n = await store.get('n')", "async with store.edit_state() as s:\n  pass", "n.append(3)"], {"n": [1, 3]}),
    # The later of two counts.
    "set after the whole": (["s = await store.get_state()", "s['count'] = 1", "await store.set('count', 2)"], {"n": [1], "count": 2}),
    "set after a part": (["s = await store.get_state()", "s['n'].append(3)", "await store.set('n', [])"], {"n": []}),
    # Parts are those of the whole.
    "a part and the whole": (["await store.set('d', {'l': []})", "l = await store.get('d.l')", "l.append('x')", "d = await store.get('d')", "d['more'] = 1"], {"n": [1], "d": {"l": ["x"], "more": 1}}),
    "the whole and a part": (["s = await store.get_state()", "s['n'].append(3)", "n = await store.get('n')", "n.append(4)"], {"n": [1, 3, 4]}),
    "what was set": (["a = {'b': []}", "await store.set('a', a)", "await store.set('a.n', 1)", "a['b'].append(5)"], {"n": [1], "a": {"b": [5], "n": 1}}),
    "what cannot be set": (["n = await store.get('n')", "try:\n  await store.set('m', object())\nexcept ValueError: pass", "n.append(2)"], {"n": [1, 2]}),
    "a key that goes": (["s = await store.get_state()", "s._data.pop('n')", "await store.get_state()", "s['b'] = 1"], {"b": 1}),
}


@pytest.mark.parametrize("case", ALIASED)
def test_what_is_held_twice_is_one(case):
    lines, kept = ALIASED[case]
    text = "async def body(store):\n" + "".join(f" {it}\n" for line in lines for it in line.split("\n"))
    names: dict[str, Any] = {}
    exec(text, names)

    @step
    async def use(self, ctx: Context, ev: StartEvent) -> StopEvent:
        await names["body"](ctx.store)
        return StopEvent()

    host = Host({"n": [1]})
    run_step(flow(use), "use", ("StartEvent", {}), host=host)
    host.values.pop("__edited__", None)
    assert host.values == kept


def test_a_default_that_has_no_form_may_be_set_and_what_cannot_is_let_go():
    @step
    async def use(self, ctx: Context[Equipped], ev: StartEvent) -> StopEvent:
        await ctx.store.set("client", {"a": 1})
        (await ctx.store.get("client"))["b"] = 2
        with pytest.raises(ValueError, match="client"):
            await ctx.store.set("client", object())
        (await ctx.store.get("names")).append("Ada")
        return StopEvent(result=await ctx.store.get("client"))

    host = Host()
    [(_, fields)] = run_step(flow(use), "use", ("StartEvent", {}), host=host)
    assert fields["result"] == {"a": 1, "b": 2} == host.values["client"] and host.values["names"] == ["Ada"]


def test_a_batch_is_collected_after_what_was_changed_is_written():
    @step
    async def use(self, ctx: Context, ev: StartEvent) -> StopEvent:
        (await ctx.store.get("n")).append(2)
        ctx.collect_events(Part(number=1), [Part, Part])
        return StopEvent(result=list(host.values["n"]))

    host = Host({"n": [1]})
    [(_, fields)] = run_step(flow(use), "use", ("StartEvent", {}), host=host)
    assert fields["result"] == [1, 2]
