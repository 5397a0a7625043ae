"""Files: which workflows they have, and what is wrong with them, by line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parent.parent / "src"
FLOW = """
from workflows import Workflow, step
from workflows.events import StartEvent, StopEvent

class One(Workflow):
    @step
    async def go(self, ev: StartEvent) -> StopEvent:
        return StopEvent()
"""


def look(folder: Path, text: str, name: str = "it.py") -> dict:
    (folder / name).write_text(text)
    done = subprocess.run([sys.executable, "-m", "wf_guest.inspect", name], cwd=folder, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(SRC)})
    said = json.loads(done.stdout)
    assert done.returncode == ("error" in said), done.stderr
    return said


def names(said: dict) -> list[str]:
    assert "workflows" in said, said
    return [it["name"] for it in said["workflows"]]


@pytest.mark.parametrize(
    "more, found",
    [
        ("", ["it"]),
        ("workflow = One()", ["it"]),
        ("a, b = One(), One(timeout=1)", ["a", "b"]),
        ("from llama_agents.server import WorkflowServer\nserver = WorkflowServer()\nserver.add_workflow('x.y', One())\nserver.add_workflow('z', One(), additional_events=[StopEvent])", ["x.y", "z"]),
        ("import asyncio\nasync def main():\n    await One(timeout=2).run(a=1)\n    open('/nothing')\nif __name__ == '__main__':\n    asyncio.run(main())", ["it"]),
        ("import asyncio\nasync def main():\n    handler = One().run()\n    async for event in handler.stream_events():\n        print(event)\nasyncio.run(main())", ["it"]),
        ("class Two(One):\n    pass\nimport asyncio\nasync def main():\n    await Two().run()", ["it"]),
        ("import asyncio\nfrom workflows.server import WorkflowServer\nasync def main():\n    server = WorkflowServer()\n    server.add_workflow('made', One())\n    await server.serve(port=1)\nif __name__ == '__main__':\n    asyncio.run(main())", ["made"]),
        ("name = input('name? ')", ["it"]),
        ("one = One()\nimport asyncio\nfrom workflows.server import WorkflowServer\nasync def main():\n    server = WorkflowServer()\n    server.add_workflow('made', one)\n    await server.serve()", ["made"]),
        ("one = One()\nimport uvicorn\nasync def main():\n    import not_there\nif __name__ == '__main__':\n    uvicorn.run(None)", ["it"]),
    ],
)
def test_workflows_are_found(tmp_path, more, found):
    assert names(look(tmp_path, FLOW + more)) == found


def test_additional_events_come_with_their_workflow(tmp_path):
    more = "from llama_agents.server import WorkflowServer\nserver = WorkflowServer()\nserver.add_workflow('x.y', One())\nserver.add_workflow('z', One(), additional_events=[StopEvent])"
    assert [it["additional_events"] for it in look(tmp_path, FLOW + more)["workflows"]] == [[], ["StopEvent"]]


def test_a_file_may_be_called_as_a_module_of_the_standard_library(tmp_path):
    assert names(look(tmp_path, FLOW, "random.py")) == ["random"]
    assert names(look(tmp_path, "import uuid, random\nrandom.random()\n" + FLOW, "json.py")) == ["json"]


@pytest.mark.parametrize(
    "text, line, message",
    [
        ("x = 1", None, "it has no workflow"),
        (FLOW.replace("    @step\n", ""), 5, "`One` has no steps"),
        ("def (:", 1, "it is no Python"),
        ("\nimport not_there_at_all", 2, "there is no module `not_there_at_all`"),
        (FLOW.replace(" -> StopEvent", ""), 6, "must be annotated with their type"),
        (FLOW + "\n1 / 0", 10, "ZeroDivisionError"),
        (FLOW + "from llama_index.core import VectorStoreIndex", 9, "VectorStoreIndex"),
        (FLOW + "from pydantic import RootModel", 9, "RootModel"),
        (FLOW.replace("-> StopEvent", "-> StartEvent"), 5, "StopEvent must be returned"),
    ],
)
def test_what_is_wrong_is_one_error_with_its_line(tmp_path, text, line, message):
    error = look(tmp_path, text)["error"]
    assert message in error["message"] and error["hint"], error
    assert error["file"].endswith("it.py") and error["line"] == line, error


def test_a_workflow_that_never_ends_is_told_to(tmp_path):
    error = look(tmp_path, FLOW.replace("-> StopEvent", "-> StartEvent") + "one = One()\n")["error"]
    assert "StopEvent must be returned" in error["message"] and error["hint"] == "let a step end the run: `-> StopEvent`", error


def test_what_is_not_awaited_is_said_by_line(tmp_path):
    body = "ctx.store.set('a', 1)\n        await ctx.store.get('a')\n        ctx.wait_for_event(StopEvent)\n        later = ctx.store.get('a')\n        self.store.get('a')\n        asyncio.sleep(1)\n        {}.get('a')\n        return StopEvent()"
    said = [(it["line"], it["message"], it["hint"]) for it in look(tmp_path, FLOW.replace("return StopEvent()", body))["warnings"]]
    names = {8: "ctx.store.set", 10: "ctx.wait_for_event", 12: "self.store.get", 13: "asyncio.sleep"}
    assert said == [(line, f"`{name}` is not awaited, and does nothing", f"write `await {name}(…)`") for line, name in names.items()], said


def test_a_module_that_is_not_there_is_not_taken_for_another(tmp_path):
    for name, said in (("urllib3", "httpx"), ("html5lib", "requirements.txt"), ("jsons", "requirements.txt"), ("math.jsn", "requirements.txt")):
        assert said in look(tmp_path, f"import {name}")["error"]["hint"], name


@pytest.mark.parametrize(
    "text, meant",
    [
        ("from workflows import Workfow", "Workflow"),
        ("import workflows\nworkflows.Workfow", "Workflow"),
        ("import workflow", "workflows"),
        ("import workflows.eventz", "workflows.events"),
        (FLOW.replace("@step", "@stepp"), "step"),
        (FLOW.replace("ev: StartEvent", "ev: StartEvnt"), "StartEvent"),
        (FLOW + "pritn(1)", "print"),
    ],
)
def test_a_name_that_is_misspelt_has_the_one_that_was_meant(tmp_path, text, meant):
    assert look(tmp_path, text)["error"]["hint"] == f"did you mean `{meant}`?"


def test_what_ends_main_before_it_made_a_workflow_is_said(tmp_path):
    two = FLOW.replace("class One(Workflow):", "class Two(Workflow):\n    def __init__(self, model):\n        super().__init__()")
    main = "async def main():\n    import not_there\n    await Two(not_there).run()\nif __name__ == '__main__':\n    import asyncio; asyncio.run(main())\n"
    error = look(tmp_path, two + main)["error"]
    assert (error["message"], error["line"]) == ("there is no module `not_there`", 12), error
    said = look(tmp_path, FLOW + two + main)
    assert names(said) == ["it"]
    [warning] = said["warnings"]
    assert warning["line"] == 13 and warning["message"].startswith("`Two` is not served: it cannot be made: "), warning
    assert warning["message"].endswith("; and `main()` ended with ModuleNotFoundError: No module named 'not_there'"), warning


def test_what_a_file_beside_does_is_said_by_line(tmp_path):
    (tmp_path / "helper.py").write_text("from threading import Thread\nfrom workflows import Workflow, step\nfrom workflows.events import StartEvent, StopEvent\nclass Base(Workflow):\n    @step\n    async def go(self, ev: StartEvent) -> StopEvent:\n        self.a, self.b = 1, 2\n        return StopEvent()\n")
    said = look(tmp_path, "from helper import Base\nclass One(Base): ...\nworkflow = One()\n")
    assert [(Path(it["file"]).name, it["line"], it["message"]) for it in said["warnings"]] == [
        ("helper.py", 1, "`threading.Thread` fails where it starts in a workflow"),
        ("helper.py", 7, "step `go` writes `self.a`, which is gone when the step ends"),
        ("helper.py", 7, "step `go` writes `self.b`, which is gone when the step ends"),
    ]


def test_what_a_workflow_cannot_do_is_said_by_line(tmp_path):
    text = FLOW.replace("return StopEvent()", "self.count = 1\n        self.seen['a'] += 1\n        return StopEvent()") + "\nimport threading\nthreading.Thread\nfrom socket import socket\nthreading.Lock()\n"
    warnings = look(tmp_path, text)["warnings"]
    assert [it["line"] for it in warnings] == [8, 9, 13, 14]
    assert "`self.count`" in warnings[0]["message"] and "asyncio.to_thread" in warnings[2]["hint"]
    assert warnings[2]["message"] == "`threading.Thread` fails where it starts in a workflow"
    pools = "from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor\nimport concurrent.futures\nconcurrent.futures.ProcessPoolExecutor\nfrom threading import Lock, Timer as T\n"
    warnings = look(tmp_path, pools + FLOW)["warnings"]
    process = "`concurrent.futures.ProcessPoolExecutor` fails where it starts a process in a workflow"
    assert [(it["line"], it["message"]) for it in warnings] == [(1, process), (3, process), (4, "`threading.Timer` fails where it starts in a workflow")]


def test_what_is_gone_when_a_step_ends_and_what_begins_processes_is_said_by_line(tmp_path):
    body = "global SEEN\n        SEEN = 1\n        self.items.append(2)\n        self.of['a'] = 3\n        ev.get('a', []).append(4)\n        os.system('true')\n        return StopEvent()"
    warnings = look(tmp_path, "import os\n" + FLOW.replace("return StopEvent()", body))["warnings"]
    assert [(it["line"], it["message"]) for it in warnings] == [
        (9, "step `go` writes the global `SEEN`, which is gone when the step ends"),
        (11, "step `go` writes `self.items`, which is gone when the step ends"),
        (12, "step `go` writes `self.of`, which is gone when the step ends"),
        (14, "`os.system` fails in a workflow, where there are no processes"),
    ]


def test_what_a_step_has_others_write_is_said_where_they_write_it(tmp_path):
    before = "from collections import Counter\nSEEN, CACHE = [], {}\nCOUNTS: Counter = Counter()\nOTHERS = list()\ndef remember(what):\n    OTHERS.append(what)\n    what.append(1)\n"
    body = "self._add()\n        remember(ev)\n        CACHE2 = {}\n        CACHE2['a'] = 1\n        COUNTS['a'] += 1\n        del COUNTS['a']\n        OTHERS[0].name = 1\n        return StopEvent()"
    method = "    def _add(self):\n        self.items.append(1)\n        self._add()\n    def unused(self):\n        self.other = 1\n"
    warnings = look(tmp_path, before + FLOW.replace("return StopEvent()", body) + method)["warnings"]
    assert [(it["line"], it["message"].removesuffix(", which is gone when the step ends")) for it in warnings] == [
        (6, "step `go` writes the global `OTHERS`"),
        (19, "step `go` writes the global `COUNTS`"),
        (20, "step `go` writes the global `COUNTS`"),
        (21, "step `go` writes the global `OTHERS`"),
        (24, "step `go` writes `self.items`"),
    ]
    assert all("ctx.store.set" in it["hint"] for it in warnings)


def test_what_a_class_is_given_in_a_step_is_said_by_line(tmp_path):
    before = "class Helper:\n    n = 0\n    made = []\n    def add(it): ...\n"
    body = "One.total = 1\n        Helper.n += 1\n        Helper.made.append(1)\n        type(self).total = 2\n        setattr(self, 'x', 3)\n        Helper.add(1)\n        class Local: ...\n        Local.x = 1\n        return StopEvent()"
    warnings = look(tmp_path, before + FLOW.replace("return StopEvent()", body))["warnings"]
    said = [it["message"].removesuffix(", which is gone when the step ends").removeprefix("step `go` writes ") for it in warnings]
    assert said == ["the global `One`", "the global `Helper`", "the global `Helper`", "`self.total`", "to `self` what is gone when the step ends"], warnings


def test_what_is_no_workflow_and_no_event_is_said_by_name(tmp_path):
    server = "from llama_agents.server import WorkflowServer\n" + FLOW + "server = WorkflowServer()\nserver.add_workflow('one', One)\n"
    error = look(tmp_path, server)["error"]
    assert (error["message"], error["line"], error["hint"]) == ("`add_workflow` is given the class `One`", 11, "give it an instance: `One()`"), error
    error = look(tmp_path, "from __future__ import annotations\n" + FLOW.replace("ev: StartEvent", "ev: StratEvent"))["error"]
    assert "Missing name: StratEvent" in error["message"] and error["hint"] == "did you mean `StartEvent`?", error
    error = look(tmp_path, "from __future__ import annotations\n" + FLOW.replace("ev: StartEvent", "ev: Elsewhere"))["error"]
    assert "Missing name: Elsewhere" in error["message"] and error["hint"] == "import it, or correct its name", error
    error = look(tmp_path, FLOW + "one = One()\none.add_workflows(inner=One())\n")["error"]
    assert "add_workflows" in error["message"] and "a run of its own" in error["hint"], error


def test_what_is_said_beside_an_event_says_nothing(tmp_path):
    text = "from typing import Annotated\n" + FLOW.replace("-> StopEvent:", "-> Annotated[StopEvent, 'the end']:")
    assert names(look(tmp_path, text)) == ["it"]


def test_what_a_client_is_asked_is_no_change(tmp_path):
    init = "    names: list[str] = []\n    def __init__(self, client=None):\n        super().__init__()\n        self.client = client\n        self.seen = set()\n        self.cache = {}\n    @step\n"
    body = "self.client.update(1)\n        self.client.items.remove(2)\n        self.seen.add(1)\n        self.cache['a'].update(b=1)\n        self.names.insert(0, 1)\n        return StopEvent()"
    warnings = look(tmp_path, FLOW.replace("    @step\n", init).replace("return StopEvent()", body))["warnings"]
    assert [it["message"].split("`")[3] for it in warnings] == ["self.seen", "self.cache", "self.names"], warnings


def test_connections_and_threads_of_asyncio_and_below_are_said_by_line(tmp_path):
    text = "import asyncio\nimport _thread\nfrom asyncio import start_server\n" + FLOW.replace("return StopEvent()", "await asyncio.open_connection('a.b', 80)\n        return StopEvent()")
    warnings = look(tmp_path, text)["warnings"]
    assert [(it["line"], it["message"].split("`")[1]) for it in warnings] == [(2, "_thread"), (3, "asyncio.start_server"), (11, "asyncio.open_connection")], warnings


def test_a_workflow_that_a_step_runs_is_said_by_line(tmp_path):
    other = "class Other(Workflow):\n    @step\n    async def go(self, ev: StartEvent) -> StopEvent:\n        return StopEvent()\nother = Other()\n"
    body = "await Other(timeout=1).run()\n        mine = Other()\n        await mine.run()\n        await other.run(a=1)\n        await ev.run()\n        await self.child.run()\n        return StopEvent()"
    text = "from workflows import Workflow, step\nfrom workflows.events import StartEvent, StopEvent\n" + other + FLOW.replace("return StopEvent()", body).replace("    @step\n", "    def __init__(self):\n        super().__init__()\n        self.child = Other()\n    @step\n") + "workflow = One()"
    said = look(tmp_path, text)
    assert [(it["line"], it["message"]) for it in said["warnings"]] == [(line, "step `go` runs a workflow within itself, which fails") for line in (18, 20, 21, 23)]
    assert "a run of its own" in said["warnings"][0]["hint"]


@pytest.mark.parametrize(
    "text, line, message",
    [
        ("from llama_agents.server import WorkflowServer\n" + FLOW + "server = WorkflowServer()\nfor _ in '12':\n    server.add_workflow('same', One())\n", 12, "a second workflow of the name `same`"),
        ("from llama_agents.server import WorkflowServer\n" + FLOW + "def main():\n    server = WorkflowServer()\n    server.add_workflow('same', One())\n    server.add_workflow('same', One())\n", 13, "a second workflow of the name `same`"),
    ],
)
def test_two_of_one_name_are_one_error(tmp_path, text, line, message):
    error = look(tmp_path, text)["error"]
    assert (error["message"], error["line"], error["hint"]) == (message, line, "give one of them another name"), error


def test_what_nobody_serves_is_in_no_other_workflow(tmp_path):
    events = "class Own(Event): ...\nclass Named(Event): ...\nclass Free(Event): ...\n"
    steps = "    @step\n    async def more(self, ev: Named) -> None: ...\n    def __new__(cls, model): ...\n"
    two = FLOW + events + FLOW.replace("class One", "class Two").replace("-> StopEvent:", "-> StopEvent:\n        Own()") + steps
    text = "from workflows.events import Event\nfrom llama_agents.server import WorkflowServer\n" + two + "server = WorkflowServer()\nserver.add_workflow('one', One())\n"
    (tmp_path / "it.py").write_text(text)
    script = "from wf_guest.find import find_all\nprint([[one.__name__ for one in it.others] for it in find_all('it')])"
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": f"{SRC}:{tmp_path}"})
    assert done.stdout == "[['Free']]\n", done.stderr


def test_a_dotenv_that_is_not_there_is_said_by_line(tmp_path):
    (tmp_path / "dotenv.py").write_text("def load_dotenv(): ...")
    warnings = look(tmp_path, "import dotenv\nfrom dotenv import load_dotenv\nload_dotenv()\ndotenv.load_dotenv()\n" + FLOW)["warnings"]
    assert [(it["line"], it["message"]) for it in warnings] == [(line, "`load_dotenv` finds no `.env` in a workflow") for line in (3, 4)]


@pytest.mark.parametrize("line", ["KEY = os.environ['KEY']", "raise RuntimeError('set the OPENAI_API_KEY environment variable')"])
def test_what_wants_a_variable_as_it_is_imported_is_told_to_wait_for_a_step(tmp_path, line):
    error = look(tmp_path, FLOW + "import os\n" + line)["error"]
    assert error["line"] == 10 and error["hint"].startswith("read it, and make what needs it, in a step: there it is what `allow_env`"), error
    error = look(tmp_path, FLOW + "import os\n{}['a']")["error"]
    assert error["line"] == 10 and error["hint"].startswith("mend the line"), error


@pytest.mark.parametrize(
    "model, line, message",
    [
        ("class A(BaseModel, strict=True):\n    a: int", 2, "`strict` in the configuration of a model is not there"),
        ("class A(BaseModel):\n    model_config = ConfigDict(str_strip_whitespace=True)\n    a: str", 2, "`str_strip_whitespace` in the configuration"),
        ("class A(BaseModel):\n    model_config = ConfigDict(alias_generator=str.upper)\n    a: str", 2, "`alias_generator` in the configuration"),
        ("class A(BaseModel):\n    a: int = Field(strict=True)", 3, "`strict` in `Field` is not there in a workflow"),
        ("class A(BaseModel):\n    a: int = Field('1', validate_default=True)", 3, "`validate_default` in `Field`"),
        ("class A(BaseModel):\n    a: int | str = Field(discriminator='kind')", 3, "`discriminator` in `Field`"),
        ("class A(BaseModel):\n    a: int = 1\n    b: int = Field(default_factory=lambda made: made['a'])", 4, "a `default_factory` that takes the other fields"),
        ("class A(BaseModel):\n    @computed_field\n    @cached_property\n    def a(self) -> int: ...", 3, "`computed_field` of a `cached_property`"),
        ("class A(BaseModel):\n    a: IPv4Address", 2, "`A`: Unable to generate pydantic-core schema for <class 'ipaddress.IPv4Address'>"),
        ("class A(StartEvent):\n    a: deque[int]\nclass B(Workflow):\n    @step\n    async def go(self, ev: A) -> StopEvent: ...\nworkflow = B()", 2, "the fields of event `A` cannot be described: Cannot generate a JsonSchema"),
        ("class A(BaseModel):\n    a: deque[int]", 2, "`A`: Unable to generate pydantic-core schema for <class 'collections.deque'>"),
        ("from pydantic import conlist", 2, "cannot import name 'conlist' from 'pydantic'"),
        ("import pydantic\nA = pydantic.HttpUrl", 3, "`pydantic.HttpUrl` is not there in a workflow: use str"),
        ("import pydantic\nA = pydantic.AliasPath", 3, "module 'pydantic' has no attribute 'AliasPath'"),
        ("from pydantic.dataclasses import dataclass", 2, "there is no module `pydantic.dataclasses`"),
    ],
)
def test_what_this_pydantic_lacks_is_said_by_line(tmp_path, model, line, message):
    imports = "from collections import deque; from functools import cached_property; from ipaddress import IPv4Address; from pydantic import *; from workflows import *; from workflows.events import *\n"
    error = look(tmp_path, imports + model + "\n" + FLOW)["error"]
    assert message in error["message"] and error["line"] == line, error
    wanted = "a type of plain values" if "Unable to generate" in message else "do without it: a workflow has what models of plain fields need of pydantic"
    assert wanted in error["hint"], error


def test_what_is_said_of_models_and_changes_nothing_is_taken(tmp_path):
    models = """
from pydantic import BaseModel, ConfigDict, Field

class A(BaseModel):
    model_config = ConfigDict(strict=False, validate_by_alias=True, ser_json_bytes="utf8", defer_build=True, str_min_length=0)
    a: int = Field(1, strict=None, union_mode="smart", validate_default=False)
    later: "list[B]" = Field(default_factory=list)

class B(A):
    made: dict = Field(default_factory=lambda kept={}: kept)
"""
    assert names(look(tmp_path, models + FLOW)) == ["it"]


@pytest.mark.parametrize(
    "line, hint",
    [
        ("from llama_index.llms.openai import OpenAI", "a workflow has `llama_index.core.workflow`; what integrations do, do with `openai` or `httpx`"),
        ("from llama_index.core.llms import ChatMessage", "a workflow has `llama_index.core.workflow`"),
        ("import aiohttp", "make requests with `httpx`"),
        ("import workflows.runtime.control_loop", "a workflow has what files import of it"),
        ("import yaml", "add `pyyaml` to requirements.txt"),
        ("from llama_index.core.workflow.checkpointer import WorkflowCheckpointer", "a workflow has `llama_index.core.workflow`"),
        ("import not_there.at_all", "add `not_there` to requirements.txt"),
        ("import tiktoken.core", "`tiktoken` is native code, which does not run in a workflow"),
    ],
)
def test_a_module_that_cannot_be_had_has_a_hint_of_its_own(tmp_path, line, hint):
    error = look(tmp_path, line + "\n" + FLOW)["error"]
    assert error["line"] == 1 and hint in error["hint"], error


def test_all_modules_that_are_not_there_are_said_at_once(tmp_path):
    text = "import json\nimport one_of_nobody\nfrom two_of_nobody.part import it\ntry:\n    import three_of_nobody\nexcept ImportError: ...\n"
    error = look(tmp_path, text + FLOW)["error"]
    assert (error["line"], error["message"]) == (2, "there is no module `one_of_nobody`, and no `two_of_nobody` (line 3)"), error


def test_a_file_in_another_encoding_is_one_error_with_its_line(tmp_path):
    (tmp_path / "it.py").write_bytes(b"# coding: latin-1\nA = '\xe9'\n" + FLOW.encode())
    done = subprocess.run([sys.executable, "-m", "wf_guest.inspect", "it.py"], cwd=tmp_path, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(SRC)})
    error = json.loads(done.stdout)["error"]
    assert (error["message"], error["line"], error["hint"]) == ("it is not UTF-8", 2, "save it as UTF-8")


def test_a_handler_of_what_is_not_there_has_its_line_and_what_to_do(tmp_path):
    step = "    @catch_error(for_steps=['typo'])\n    async def caught(self, ev: StepFailedEvent) -> StopEvent: ...\n"
    text = "from workflows import catch_error\nfrom workflows.events import StepFailedEvent\n" + FLOW + step
    error = look(tmp_path, text)["error"]
    assert "lists unknown step 'typo' in for_steps" in error["message"], error
    assert (error["line"], error["hint"]) == (7, "name steps that are there, each in one handler"), error


def test_states_of_which_none_derives_from_the_others_are_refused(tmp_path):
    states = "from pydantic import BaseModel\nfrom workflows import Context\nclass A(BaseModel): ...\nclass B(A): ...\nclass C(A): ...\n"
    step = "    @step\n    async def more(self, ctx: Context[B], ev: StartEvent) -> StopEvent: ...\n"
    sound = FLOW.replace("self, ev", "self, ctx: Context[A], ev") + step
    assert names(look(tmp_path, states + sound)) == ["it"]
    error = look(tmp_path, states + sound.replace("Context[A]", "Context[C]"))["error"]
    assert (error["line"], error["hint"]) == (10, "let one state derive from the others, or name one state in all steps"), error
    assert "Multiple state types are not in a compatible inheritance hierarchy" in error["message"] and "C, B" in error["message"], error


def test_what_makes_connections_of_its_own_is_told_what_takes_its_place(tmp_path):
    (tmp_path / "aiohttp.py").write_text("")
    said = look(tmp_path, FLOW + "\nimport aiohttp\nimport httpx, requests, urllib.request\nfrom http import client\n")
    assert [(it["line"], it["message"]) for it in said["warnings"]] == [(10, "`aiohttp` reaches nothing from a workflow")]
    assert "`httpx`" in said["warnings"][0]["hint"]
    error = look(tmp_path, "import boto3\n" + FLOW)["error"]
    assert error["message"] == "there is no module `boto3`" and "`httpx`" in error["hint"]
    error = look(tmp_path, "import openai\n" + FLOW)["error"]
    assert error["message"] == "there is no module `openai`" and "add `openai` to requirements.txt" in error["hint"]
    (tmp_path / "openai.py").write_text("")
    assert look(tmp_path, "import openai\n" + FLOW)["warnings"] == []


def test_variables_that_are_read_too_early_are_said_by_line(tmp_path):
    text = FLOW.replace("    @step", "    key = os.getenv('A')\n    def __init__(self):\n        super().__init__()\n        self.b = os.environ.get('B')\n    @step")
    text = text.replace("return StopEvent()", "return StopEvent(result=os.environ['IN_A_STEP'])")
    text = "import os\n" + text + "\nos.environ['SET'] = 'x'\nC = {}.get('c') or os.getenv('C', 'c')\nif __name__ == '__main__':\n    print(os.environ['MAIN'])\n"
    warnings = look(tmp_path, text)["warnings"]
    assert [it["message"].split("`")[1] for it in warnings] == ["A", "B", "C"], warnings
    assert all("read it in a step" in it["hint"] for it in warnings)


def test_a_step_that_imports_what_is_not_there_is_said_while_it_is_built(tmp_path):
    body = "import json, not_there.at_all\n        try:\n            import nor_this\n        except ImportError:\n            pass\n        return StopEvent()"
    warnings = look(tmp_path, FLOW.replace("return StopEvent()", body))["warnings"]
    assert [it["message"] for it in warnings] == ["step `go` imports `not_there`, which is not there: it will fail"], warnings
    assert "add `not_there` to requirements.txt" in warnings[0]["hint"]


@pytest.mark.parametrize(
    "main",
    [
        "async with server.contextmanager():\n        await asyncio.Event().wait()",
        "while True:\n        await asyncio.sleep(1)",
        "await server.start()\n    await asyncio.Event().wait()",
        "print(input('go on?'))",
    ],
)
def test_a_main_that_would_never_end_is_not_waited_for(tmp_path, main):
    text = FLOW + f"\nimport asyncio\nfrom llama_agents.server import WorkflowServer\nasync def main():\n    server = WorkflowServer()\n    server.add_workflow('one', One())\n    {main}\n"
    assert names(look(tmp_path, text)) == ["one"]


def test_a_resource_may_be_a_file_beside_the_workflow(tmp_path):
    more = """
from typing import Annotated
from pydantic import BaseModel
from typing_extensions import TypedDict, override
from workflows.resource import ResourceConfig

class Config(BaseModel):
    words: list[str]

class Two(Workflow):
    @step
    async def go(self, ev: StartEvent, config: Annotated[Config, ResourceConfig("config.json", path_selector="inner")]) -> StopEvent:
        return StopEvent(result=config.words)

workflow = Two()
"""
    assert "No such file: config.json" in look(tmp_path, FLOW + more)["error"]["message"]
    (tmp_path / "config.json").write_text('{"inner": {"words": "none"}}')
    assert "Input should be a valid list" in look(tmp_path, FLOW + more)["error"]["message"]
    (tmp_path / "config.json").write_text('{"inner": {"words": ["a"]}}')
    assert names(look(tmp_path, FLOW + more)) == ["it"]


def test_two_workflows_of_one_name(tmp_path):
    again = FLOW + "\nrun = One().run\n" + FLOW + "\nimport asyncio\nasync def main():\n    run()\n    await One().run()\n"
    error = look(tmp_path, again)["error"]
    assert "two workflows are called `One`" in error["message"] and error["line"]


def test_of_a_class_that_is_written_twice_the_later_counts(tmp_path):
    said = look(tmp_path, "class A: ...\nclass A: ...\n" + FLOW + FLOW)
    assert names(said) == ["it"]
    assert [(it["line"], it["message"]) for it in said["warnings"]] == [(15, "a second workflow `One`, which hides the one in line 7")]
