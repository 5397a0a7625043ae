"""`wf_testing`, on the components of `make guests`: WF_HOST names the program."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "guest-sdk/python/testing"))

from wf_testing import Event, Harness, HarnessError, fail, reply  # noqa: E402

os.environ.setdefault("WF_HOST", str(ROOT / "target/release/wf-host"))
GUESTS = ROOT / "target/guests"


@pytest.fixture(scope="module")
def harness():
    names = ["waiter", "hitl", "retry", "slow", "fanout", "counter"]
    with Harness(*(GUESTS / f"python/{name}.wasm" for name in names)) as harness:
        yield harness


def test_answers_come_when_they_are_asked_for(harness):
    asked = []

    def name(question: Event):
        asked.append(question.question)
        return "AnswerEvent", {"user": "laurie", "answer": "me"}

    run = harness.start({"wait": 60}, workflow="waiter", answers={"AskEvent": name}, restart_at="every")
    assert (run.result, asked, run.types) == ({"answer": "me"}, ["who?"], ["AskEvent", "StopEvent"])
    assert run.restarts > 0
    assert run.replay() == []
    with pytest.raises(AttributeError, match="AskEvent has no `nope`"):
        run.events[0].nope


def test_the_clock_moves_as_far_as_it_is_told(harness):
    run = harness.start({"wait": 3600}, workflow="waiter").advance(3599)
    assert (run.status, run.next, run.now, run.waits[0]["types"]) == ("running", 1, 3599, ["AnswerEvent"])
    assert "AnswerEvent" in run.advance(1).failure
    with pytest.raises(AssertionError, match="the run has not completed\nfailed: (.|\n)*AskEvent"):
        run.result
    run = harness.start(workflow="slow", event={"seconds": 1e6}).finish()
    assert (run.result, run.now) == ("slept 1000000.0", pytest.approx(1e6))


def test_attempts_fail_on_demand(harness):
    run = harness.start(workflow="retry", state={"tries": 2}, fail=[fail("flaky", "not today", kind="Boom")]).finish()
    assert (run.result, run.state()) == ({"tries": 4}, {"tries": 4})
    assert [it.get("failure") for it in run.attempts("flaky")] == [{"kind": "Boom", "message": "not today"}, None]
    run = harness.start(workflow="retry", fail=[fail("flaky", "for good", retryable=False)], state={"tries": 2})
    assert run.failure == "for good"
    assert run.log()[-1]["source"] == "failure"


def test_what_a_server_refuses_is_an_error_with_a_hint(harness):
    with pytest.raises(HarnessError, match="there is no workflow `nope`") as caught:
        harness.start(workflow="nope")
    assert "`waiter`" in caught.value.hint
    run = harness.start(workflow="hitl")
    with pytest.raises(HarnessError, match="unknown event type Nope"):
        run.send("Nope")
    with pytest.raises(TypeError, match="an event is a pair"):
        run.send({"response": "Ada"})
    assert run.send("ResponseEvent", {"response": "Ada"}).result == {"output": "Hello, Ada"}
    run = harness.start(workflow="slow")
    assert run.restart().cancel().status == "cancelled"


def test_requests_are_answered_here():
    with Harness(GUESTS / "rust/outside.wasm") as harness:
        task = {"url": "https://api.example.com/tea", "method": "POST", "body": "hello", "fails": True}
        http = [reply("https://api.*", status=503, times=1), reply("https://api.*", json={"is": "green"})]
        run = harness.start({"tasks": [task]}, http=http).finish()
        assert run.result["told"][0]["body"] == '{"is": "green"}'
        assert [(it["method"], it["text"]) for it in run.requests()] == [("POST", "hello")] * 2


def test_numbers_keep_their_digits(harness):
    large = 12345678901234567890123
    assert harness.start({"by": large}, workflow="counter").result == {"count": large}


def test_what_cannot_be_loaded_says_why(tmp_path):
    with pytest.raises(HarnessError, match="there is no file"):
        Harness(tmp_path / "nope.wasm")
    with pytest.raises(HarnessError, match="cannot be started"):
        Harness("x.wasm", wf_host=tmp_path / "nothing")


def test_a_new_project_passes_its_own_test_which_the_readme_shows(tmp_path):
    host = os.environ["WF_HOST"]
    subprocess.run([host, "new", "hello", "--lang", "python"], cwd=tmp_path, check=True, capture_output=True)
    readme = (ROOT / "guest-sdk/python/README.md").read_text()
    assert (tmp_path / "hello/tests/test_workflow.py").read_text() in readme
    tested = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"], cwd=tmp_path / "hello", capture_output=True, text=True
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
