"""Retry policies: when there is another attempt, and after how long."""

from __future__ import annotations

import random

import pytest
from border_host import Host, run_step
from wf_guest.invoke import Failed
from workflows import Workflow, step
from workflows.events import StartEvent, StopEvent
from workflows.retry_policy import (
    ConstantDelayRetryPolicy,
    ExponentialBackoffRetryPolicy,
    retry_all,
    retry_always,
    retry_any,
    retry_if_exception,
    retry_if_exception_cause_type,
    retry_if_exception_message,
    retry_if_exception_type,
    retry_if_not_exception_message,
    retry_if_not_exception_type,
    retry_never,
    retry_policy,
    retry_unless_exception_type,
    stop_after_attempt,
    stop_after_delay,
    stop_all,
    stop_any,
    stop_before_delay,
    stop_never,
    wait_chain,
    wait_combine,
    wait_exponential,
    wait_exponential_jitter,
    wait_fixed,
    wait_full_jitter,
    wait_incrementing,
    wait_none,
    wait_random,
    wait_random_exponential,
)

#: What the original's policies say after the first, second, third, fifth and eighth failure, one second after the first,
#: where their chance is seeded with `SEED`: `next(1.0, failures, error, seed=SEED)`, to nine digits.
FAILURES = (1, 2, 3, 5, 8)
SEED = 7
TWICE = [5.0, 5.0, None, None, None]
ALWAYS = [5.0] * 5
NEVER = [None] * 5


def waiting(wait):
    """A policy that never gives up."""
    return retry_policy(wait=wait, stop=stop_never())


def stopping(stop):
    return retry_policy(stop=stop)


def trying(condition):
    """A policy that is asked which errors it tries again; three attempts."""
    return retry_policy(retry=condition)


def failing(policy):
    class Flow(Workflow):
        @step(retry_policy=policy)
        async def fail(self, ev: StartEvent) -> StopEvent:
            raise OSError("no luck") from KeyError("cause")

    return Flow()


@pytest.mark.parametrize(
    "policy, expected",
    [
        (None, NEVER),
        (ConstantDelayRetryPolicy(), TWICE),
        (ConstantDelayRetryPolicy(maximum_attempts=3, delay=0.5), [0.5, 0.5, None, None, None]),
        (retry_policy(wait=wait_none()), [0.0, 0.0, None, None, None]),
        (waiting(wait_exponential(multiplier=2, exp_base=3, max=20, min=3)), [3.0, 6.0, 18.0, 20.0, 20.0]),
        (waiting(wait_exponential()), [1.0, 2.0, 4.0, 16.0, 60.0]),
        (waiting(wait_incrementing(start=1, increment=2, max=6)), [1.0, 3.0, 5.0, 6.0, 6.0]),
        (waiting(wait_incrementing()), [0.0, 100.0, 200.0, 400.0, 700.0]),
        (waiting(wait_random(min=1, max=5)), [2.295331059, 2.295331059, 2.295331059, 2.295331059, 2.295331059]),
        (waiting(wait_exponential_jitter(initial=2, exp_base=3, max=10, jitter=2)), [2.64766553, 6.64766553, 10.0, 10.0, 10.0]),
        (waiting(wait_exponential_jitter()), [1.323832765, 2.323832765, 4.323832765, 16.323832765, 60.0]),
        (waiting(wait_random_exponential()), [0.323832765, 0.64766553, 1.295331059, 5.181324237, 19.42996589]),
        (waiting(wait_full_jitter(multiplier=3, min=1)), [1.64766553, 2.619163824, 4.562160413, 16.220139947, 20.106133125]),
        (waiting(wait_chain(wait_fixed(1), wait_fixed(4))), [1.0, 4.0, 4.0, 4.0, 4.0]),
        (waiting(wait_combine(wait_fixed(1), wait_random())), [1.323832765, 1.323832765, 1.323832765, 1.323832765, 1.323832765]),
        (stopping(stop_after_delay(1.0)), NEVER),
        (stopping(stop_after_delay(1.1)), ALWAYS),
        (stopping(stop_before_delay(6)), NEVER),
        (stopping(stop_before_delay(6.1)), ALWAYS),
        (stopping(stop_any(stop_after_attempt(2), stop_after_delay(9))), [5.0, None, None, None, None]),
        (stopping(stop_after_attempt(2) & stop_after_delay(9)), ALWAYS),
        (stopping(stop_all(stop_after_attempt(2), stop_after_delay(1))), [5.0, None, None, None, None]),
        (stopping(stop_after_attempt(2) | stop_after_delay(1)), NEVER),
        (trying(retry_if_exception(lambda error: "luck" in str(error))), TWICE),
        (trying(retry_if_exception(lambda error: False)), NEVER),
        (trying(retry_if_exception_message(message="no luck")), TWICE),
        (trying(retry_if_exception_message(message="luck")), NEVER),
        (trying(retry_if_exception_message(match="luck")), TWICE),
        (trying(retry_if_exception_message(match="^luck")), NEVER),
        (trying(retry_if_exception_cause_type(KeyError)), TWICE),
        (trying(retry_if_exception_cause_type(ValueError)), NEVER),
        (trying(retry_if_not_exception_type(OSError)), NEVER),
        (trying(retry_if_not_exception_type(ValueError)), TWICE),
        (trying(retry_unless_exception_type(OSError)), NEVER),
        (trying(retry_unless_exception_type(ValueError)), TWICE),
        (trying(retry_if_not_exception_message(message="no luck")), NEVER),
        (trying(retry_if_not_exception_message(match="x")), TWICE),
        (trying(retry_any(retry_if_exception_type(OSError), retry_never())), TWICE),
        (trying(retry_all(retry_if_exception_type(OSError), retry_never())), NEVER),
        (trying(retry_always()), TWICE),
        (trying(retry_never()), NEVER),
        (trying(retry_if_exception_type(OSError) & retry_always()), TWICE),
        (trying(retry_if_exception_type(OSError) | retry_never()), TWICE),
        (ExponentialBackoffRetryPolicy(), [0.323832765, 0.64766553, 1.295331059, None, None]),
        (ExponentialBackoffRetryPolicy(jitter=False), [1.0, 2.0, 4.0, None, None]),
        (ExponentialBackoffRetryPolicy(maximum_attempts=9, initial_delay=2, multiplier=3, max_delay=20, jitter=False), [2.0, 6.0, 18.0, 20.0, 20.0]),
        (trying(retry_if_exception_type((ValueError, KeyError))), NEVER),
    ],
)
def test_policies_say_when_there_is_another_attempt(monkeypatch, policy, expected):
    monkeypatch.setattr(random, "getrandbits", lambda _: SEED)
    for failures, after in zip(FAILURES, expected, strict=True):
        with pytest.raises(Failed) as failed:
            run_step(failing(policy), "fail", ("StartEvent", {}), host=Host(retry={"attempts": failures - 1, "elapsed": 1.0, "last_failure": None}))
        details = failed.value.details
        assert (failed.value.kind, failed.value.message) == ("builtins.OSError", "no luck")
        assert details["retryable"] == (after is not None), failures
        assert details.get("retry_after") == (None if after is None else pytest.approx(after, abs=1e-9)), failures


def test_chance_differs_from_attempt_to_attempt():
    drawn = set()
    for _ in range(3):
        with pytest.raises(Failed) as failed:
            run_step(failing(waiting(wait_random())), "fail", ("StartEvent", {}))
        drawn.add(failed.value.details["retry_after"])
    assert len(drawn) == 3


def test_a_policy_that_fails_fails_the_run():
    class Broken:
        def next(self, elapsed_time, attempts, error):
            raise LookupError("policy")

    with pytest.raises(Failed, match="policy") as failed:
        run_step(failing(Broken()), "fail", ("StartEvent", {}))
    assert failed.value.details["retryable"] is False
