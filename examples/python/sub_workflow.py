"""Greets everybody, by a run of another workflow for each: on this server, or on any that it may reach."""

import asyncio
import os

import httpx
from workflows import Workflow, step
from workflows.events import Event, StartEvent, StopEvent
from workflows.retry_policy import retry_if_exception_type, retry_policy, stop_after_attempt, wait_fixed


class Call(Event):
    """Another workflow is to run."""

    number: int
    name: str


class Called(Event):
    """What came of it."""

    number: int
    result: str


class ChildFailed(Exception):
    """The other run has ended without a result."""


class SubWorkflow(Workflow):
    """Greets everybody, by a run of another workflow for each: on this server, or on any that it may reach."""

    @step
    async def split(self, ev: StartEvent) -> list[Call]:
        return [Call(number=number, name=name) for number, name in enumerate(ev.get("names", []))]

    @step(num_workers=8, retry_policy=retry_policy(retry=retry_if_exception_type(httpx.HTTPError), wait=wait_fixed(1), stop=stop_after_attempt(10)))
    async def call(self, ev: Call) -> Called:
        """Starts a run, and looks at it until it has ended. It sleeps in between, out of memory."""
        async with httpx.AsyncClient(base_url=server(), timeout=60) as client:
            # The key is the same after a crash and in the next attempt: there is one run, however often it is asked for.
            start, once = {"start_event": {"name": ev.name}}, {"idempotency_key": "call"}
            begun = await client.post("/workflows/greeting/run-nowait", json=start, extensions=once)
            handler = begun.raise_for_status().json()["handler_id"]
            while True:
                run = (await client.get(f"/results/{handler}")).json()
                if run["status"] == "completed":
                    return Called(number=ev.number, result=run["result"])
                if run["status"] != "running":
                    raise ChildFailed(run.get("error") or run["status"])
                await asyncio.sleep(1)

    @step
    async def gather(self, all: list[Called]) -> StopEvent:
        return StopEvent(result=[it.result for it in sorted(all, key=lambda it: it.number)])


def server() -> str:
    """Where the other workflow is. It is read in a step: while this file is built there are no variables."""
    if url := os.getenv("FLOWS_URL"):
        return url
    raise ChildFailed("grant it `FLOWS_URL`")


workflow = SubWorkflow(timeout=None)
