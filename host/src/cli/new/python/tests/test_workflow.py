from pathlib import Path

import pytest

from wf_testing import Harness, fail


@pytest.fixture(scope="module")
def harness():
    with Harness(Path(__file__).parent.parent / "workflow.py") as harness:
        yield harness


def test_it_greets_wherever_the_host_is_restarted(harness):
    run = harness.start({"name": "Ada"}, restart_at="every").finish()
    assert run.result == "Hello, Ada!"
    assert run.types == ["Progress", "Progress", "Progress", "StopEvent"]


def test_it_asks_where_it_is_told_nobody(harness):
    run = harness.start(answers={"Ask": lambda ask: ("Answer", {"name": "Grace"})})
    assert run.events[0].question == "Who are you?"
    assert run.result == "Hello, Grace!"


def test_a_question_may_wait_for_a_month(harness):
    run = harness.start().advance(30 * 86400)
    assert run.send("Answer", {"name": "Grace"}).result == "Hello, Grace!"


def test_a_step_that_fails_fails_the_run(harness):
    run = harness.start({"name": "Ada"}, fail=[fail("begin", "no tea")]).finish()
    assert run.failure == "no tea"
