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


def test_what_a_workflow_cannot_do_is_said_by_line(tmp_path):
    text = FLOW.replace("return StopEvent()", "self.count = 1\n        self.seen['a'] += 1\n        return StopEvent()") + "\nimport threading\nfrom socket import socket\n"
    warnings = look(tmp_path, text)["warnings"]
    assert [it["line"] for it in warnings] == [8, 9, 12, 13]
    assert "`self.count`" in warnings[0]["message"] and "threads" in warnings[2]["hint"]


def test_what_is_gone_when_a_step_ends_and_what_begins_processes_is_said_by_line(tmp_path):
    body = "global SEEN\n        SEEN = 1\n        self.items.append(2)\n        self.of['a'] = 3\n        ev.get('a', []).append(4)\n        os.system('true')\n        return StopEvent()"
    warnings = look(tmp_path, "import os\n" + FLOW.replace("return StopEvent()", body))["warnings"]
    assert [(it["line"], it["message"]) for it in warnings] == [
        (9, "step `go` writes the global `SEEN`, which is gone when the step ends"),
        (11, "step `go` writes `self.items`, which is gone when the step ends"),
        (12, "step `go` writes `self.of`, which is gone when the step ends"),
        (14, "`os.system` does nothing in a workflow"),
    ]


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
        ("import not_there.at_all", "add `not_there` to requirements.txt"),
    ],
)
def test_a_module_that_cannot_be_had_has_a_hint_of_its_own(tmp_path, line, hint):
    error = look(tmp_path, line + "\n" + FLOW)["error"]
    assert error["line"] == 1 and hint in error["hint"], error


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
    assert names(look(tmp_path, FLOW + FLOW)) == ["it"]
