"""Does in the outside what it is told, as the guest of that name in Rust does."""

import os
import random
import secrets
import urllib.request
import uuid

import httpx
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent
from workflows.retry_policy import retry_policy, stop_after_attempt, wait_fixed


#: Made when the component is built.
DICE = random.Random()


class Part(Event):
    """A part of an answer, as it came."""

    text: str


class Outside(Workflow):
    @step(retry_policy=retry_policy(wait=wait_fixed(0.05), stop=stop_after_attempt(4)))
    async def work(self, ctx: Context, ev: StartEvent) -> StopEvent:
        told = []
        for task in ev.get("tasks"):
            try:
                told.append(await self.told(ctx, task))
            except Exception as error:
                if task.get("fails"):
                    raise
                told.append({"kind": type(error).__name__, "message": str(error)})
        return StopEvent(result={"told": told, "attempt": ctx.retry_info().retry_number})

    async def told(self, ctx: Context, task: dict):
        if "chance" in task:
            drawn = [random.random(), DICE.random(), random.Random().random(), str(uuid.uuid4()), secrets.token_hex(8)]
            # Who is entered again, and draws others, says another thing than it said.
            ctx.write_event_to_stream(Part(text=str(drawn)))
            return drawn
        if "variable" in task:
            return os.getenv(task["variable"])
        if "read" in task:
            return open(task["read"]).read()
        if "write" in task:
            path, text = task["write"]
            with open(path, "w") as file:
                file.write(text)
            return None
        if "list" in task:
            return sorted(os.listdir(task["list"]))
        for name in task.get("fill", []):
            task = {key: self.filled(value, name) for key, value in task.items()}
        if task.get("urllib"):
            with urllib.request.urlopen(task["url"]) as answer:
                return {"status": answer.status, "body": answer.read().decode()}
        async with httpx.AsyncClient(timeout=task.get("timeout", 60)) as client:
            label = {"idempotency_key": task["label"]} if "label" in task else None
            given = {"headers": task.get("headers"), "content": task.get("body", ""), "extensions": label}
            async with client.stream(task.get("method", "GET"), task["url"], **given) as response:
                if task.get("fails"):
                    response.raise_for_status()
                body = ""
                async for text in response.aiter_text():
                    if task.get("publish"):
                        ctx.write_event_to_stream(Part(text=text))
                    body += text
                return {"status": response.status_code, "headers": response.headers.multi_items(), "body": body}

    def filled(self, value, name: str):
        if isinstance(value, dict):
            return {key: self.filled(it, name) for key, it in value.items()}
        return value.replace(f"{{{name}}}", os.environ[name]) if isinstance(value, str) else value
