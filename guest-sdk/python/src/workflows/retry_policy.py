"""When a failed step is tried again, and after how long."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, runtime_checkable

from ._retry_conditions import (  # noqa: F401
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
    retry_unless_exception_type,
)

_Time = int | float | timedelta


def _seconds(value: _Time) -> float:
    return float(value.total_seconds() if isinstance(value, timedelta) else value)


@dataclass(frozen=True)
class RetryInfo:
    """What came before the attempt that is running."""

    retry_number: int
    elapsed_seconds: float
    last_exception: Exception | None
    last_failed_at: datetime | None


@runtime_checkable
class RetryPolicy(Protocol):
    """Anything with `next`: seconds until the next attempt, or None."""

    def next(self, elapsed_time: float, attempts: int, error: Exception, *, seed: int | None = None) -> float | None: ...


class RetryCondition(Protocol):
    """Whether an error is tried again."""

    def __call__(self, error: BaseException) -> bool: ...


class StopCondition(Protocol):
    """Whether there are no more attempts; times in seconds."""

    def __call__(self, attempts: int, elapsed_time: float, *, upcoming_sleep: float = 0.0) -> bool: ...


class WaitStrategy(Protocol):
    """How long until the next attempt, in seconds; the first that is made again has the number 0."""

    def __call__(self, attempts: int, *, seed: int | None = None) -> float: ...


class _Wait:
    def __call__(self, attempts: int, *, seed: int | None = None) -> float:
        raise NotImplementedError

    def __add__(self, other: Any) -> wait_combine:
        return wait_combine(self, other)

    def __radd__(self, other: Any) -> Any:
        return self if other == 0 else wait_combine(other, self)


class wait_fixed(_Wait):
    """The same each time."""

    def __init__(self, wait: _Time) -> None:
        self.wait = _seconds(wait)

    def __call__(self, attempts: int, *, seed: int | None = None) -> float:
        return self.wait


class wait_none(wait_fixed):
    """Not at all."""

    def __init__(self) -> None:
        super().__init__(0)


class wait_exponential(_Wait):
    """Longer by a factor each time, between `min` and `max`."""

    def __init__(self, multiplier: float = 1.0, exp_base: float = 2.0, max: _Time = 60.0, min: _Time = 0.0) -> None:
        self.multiplier, self.exp_base, self.max, self.min = float(multiplier), float(exp_base), _seconds(max), _seconds(min)

    def __call__(self, attempts: int, *, seed: int | None = None) -> float:
        return max(0.0, self.min, min(_power(self.multiplier, self.exp_base, attempts), self.max))


def _power(multiplier: float, base: float, attempts: int) -> float:
    try:
        return multiplier * base**attempts
    except OverflowError:
        return float("inf")


class wait_incrementing(_Wait):
    """Longer by an amount each time."""

    def __init__(self, start: _Time = 0.0, increment: _Time = 100.0, max: _Time = float("inf")) -> None:
        self.start, self.increment, self.max = _seconds(start), _seconds(increment), _seconds(max)

    def __call__(self, attempts: int, *, seed: int | None = None) -> float:
        return max(0.0, min(self.start + self.increment * attempts, self.max))


class wait_random(_Wait):
    """By chance, between `min` and `max`."""

    def __init__(self, min: _Time = 0.0, max: _Time = 1.0) -> None:
        self.min, self.max = _seconds(min), _seconds(max)

    def __call__(self, attempts: int, *, seed: int | None = None) -> float:
        return _chance(seed).uniform(self.min, self.max)


def _chance(seed: int | None) -> Any:
    return random.Random(seed) if seed is not None else random


class wait_exponential_jitter(_Wait):
    """As `wait_exponential`, and a little more by chance."""

    def __init__(self, initial: float = 1.0, exp_base: float = 2.0, max: float = 60.0, jitter: float = 1.0) -> None:
        self.initial, self.exp_base, self.max, self.jitter = initial, exp_base, max, jitter

    def __call__(self, attempts: int, *, seed: int | None = None) -> float:
        base = min(_power(self.initial, self.exp_base, attempts), self.max)
        return min(base + _chance(seed).uniform(0, self.jitter), self.max)


class wait_random_exponential(wait_exponential):
    """By chance, between `min` and what `wait_exponential` waits."""

    def __call__(self, attempts: int, *, seed: int | None = None) -> float:
        return _chance(seed).uniform(self.min, super().__call__(attempts))


def wait_full_jitter(multiplier: float = 1.0, exp_base: float = 2.0, max: _Time = 60.0, min: _Time = 0.0) -> wait_random_exponential:
    """Another name of `wait_random_exponential`."""
    return wait_random_exponential(multiplier, exp_base, max, min)


class wait_chain(_Wait):
    """One after the other; the last again and again."""

    def __init__(self, *strategies: Any) -> None:
        if not strategies:
            raise ValueError("wait_chain requires at least one strategy")
        self.strategies = strategies

    def __call__(self, attempts: int, *, seed: int | None = None) -> float:
        return self.strategies[min(attempts, len(self.strategies) - 1)](attempts, seed=seed)


class wait_combine(_Wait):
    """All of them together."""

    def __init__(self, *strategies: Any) -> None:
        self.strategies = strategies

    def __call__(self, attempts: int, *, seed: int | None = None) -> float:
        return sum(it(attempts, seed=seed) for it in self.strategies)


class _Stop:
    def __call__(self, attempts: int, elapsed_time: float, *, upcoming_sleep: float = 0.0) -> bool:
        raise NotImplementedError

    def __or__(self, other: Any) -> stop_any:
        return stop_any(self, other)

    def __and__(self, other: Any) -> stop_all:
        return stop_all(self, other)

    __ror__, __rand__ = __or__, __and__


class stop_after_attempt(_Stop):
    """After so many attempts."""

    def __init__(self, max_attempt_number: int) -> None:
        self.max_attempt_number = max_attempt_number

    def __call__(self, attempts: int, elapsed_time: float, *, upcoming_sleep: float = 0.0) -> bool:
        return attempts >= self.max_attempt_number


class stop_after_delay(_Stop):
    """After so much time."""

    def __init__(self, max_delay: _Time) -> None:
        self.max_delay = _seconds(max_delay)

    def __call__(self, attempts: int, elapsed_time: float, *, upcoming_sleep: float = 0.0) -> bool:
        return elapsed_time >= self.max_delay


class stop_before_delay(stop_after_delay):
    """Before the next wait would take longer than that in all."""

    def __call__(self, attempts: int, elapsed_time: float, *, upcoming_sleep: float = 0.0) -> bool:
        return elapsed_time + upcoming_sleep >= self.max_delay


class stop_any(_Stop):
    """When one of them says so."""

    def __init__(self, *stops: Any) -> None:
        self.stops = stops

    def __call__(self, attempts: int, elapsed_time: float, *, upcoming_sleep: float = 0.0) -> bool:
        return any(it(attempts, elapsed_time, upcoming_sleep=upcoming_sleep) for it in self.stops)


class stop_all(stop_any):
    """When all of them say so."""

    def __call__(self, attempts: int, elapsed_time: float, *, upcoming_sleep: float = 0.0) -> bool:
        return all(it(attempts, elapsed_time, upcoming_sleep=upcoming_sleep) for it in self.stops)


class stop_never(_Stop):
    """Never."""

    def __call__(self, attempts: int, elapsed_time: float, *, upcoming_sleep: float = 0.0) -> bool:
        return False


class _Policy:
    """A condition, a wait and a stop."""

    def __init__(self, retry: Any, wait: Any, stop: Any) -> None:
        self.retry, self.wait, self.stop = retry, wait, stop

    def next(self, elapsed_time: float, attempts: int, error: Exception, *, seed: int | None = None) -> float | None:
        if self.retry is not None and not self.retry(error):
            return None
        # Attempts count from one, retries from none.
        delay = self.wait(max(attempts - 1, 0), seed=seed)
        return None if self.stop(attempts, elapsed_time, upcoming_sleep=delay) else delay


def retry_policy(retry: Any = None, wait: Any = None, stop: Any = None) -> RetryPolicy:
    """A policy of its parts: any error, after five seconds, three attempts."""
    return _Policy(retry, wait if wait is not None else wait_fixed(5), stop if stop is not None else stop_after_attempt(3))


def ConstantDelayRetryPolicy(maximum_attempts: int = 3, delay: float = 5) -> RetryPolicy:
    """The same delay each time."""
    return _Policy(None, wait_fixed(delay), stop_after_attempt(maximum_attempts))


def ExponentialBackoffRetryPolicy(maximum_attempts: int = 5, initial_delay: float = 1.0, multiplier: float = 2.0, max_delay: float = 60.0, jitter: bool = True) -> RetryPolicy:
    """A delay that grows, by chance shorter where `jitter`."""
    wait = wait_random_exponential if jitter else wait_exponential
    return _Policy(None, wait(initial_delay, multiplier, max_delay), stop_after_attempt(maximum_attempts))


