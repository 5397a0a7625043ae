"""Asks a model by its maker's own package, as files that were written for it do."""

import os

from openai import APIConnectionError, AsyncOpenAI, OpenAI, OpenAIError
from pydantic import BaseModel
from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent
from workflows.retry_policy import retry_if_exception_type, retry_policy, stop_after_attempt, wait_fixed

MESSAGES = [{"role": "user", "content": "Where is my order 7?"}]
PARAMETERS = {"type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]}
TOOLS = [{"type": "function", "function": {"name": "look_up_order", "description": "Says where an order is.", "parameters": PARAMETERS}}]


class Token(Event):
    """A piece of an answer, as it came."""

    text: str


class Place(BaseModel):
    """Where an order is."""

    order: int
    towns: list[str] = []


class Ask(Workflow):
    @step(retry_policy=retry_policy(retry=retry_if_exception_type(APIConnectionError), wait=wait_fixed(0.05), stop=stop_after_attempt(3)))
    async def ask(self, ctx: Context, ev: StartEvent) -> StopEvent:
        client = AsyncOpenAI(base_url=os.environ["OPENAI_URL"], **ev.get("client", {}))
        try:
            told = await getattr(self, ev.get("what"))(ctx, client)
        except OpenAIError as error:
            if ev.get("fails"):
                raise
            told = {"kind": type(error).__name__, "message": str(error), "status": getattr(error, "status_code", None), "code": getattr(error, "code", None)}
        return StopEvent(result=told)

    async def calls(self, ctx: Context, client: AsyncOpenAI):
        answer = await client.chat.completions.create(model="small", messages=MESSAGES, tools=TOOLS)
        message = answer.choices[0].message
        call = message.tool_calls[0]
        said = [*MESSAGES, message, {"role": "tool", "tool_call_id": call.id, "content": "on its way"}]
        last = await client.chat.completions.create(model="small", messages=said, tools=TOOLS)
        return {"call": call.function.arguments, "said": last.choices[0].message.content, "tokens": last.usage.total_tokens, "request": last._request_id, "all": last.to_dict()}

    async def streams(self, ctx: Context, client: AsyncOpenAI):
        said = ""
        async for part in await client.chat.completions.create(model="small", messages=MESSAGES, stream=True):
            if part.choices and (text := part.choices[0].delta.content):
                said += text
                ctx.write_event_to_stream(Token(text=text))
        return said

    async def streams_calls(self, ctx: Context, client: AsyncOpenAI):
        async with client.chat.completions.stream(model="small", messages=MESSAGES, tools=TOOLS) as stream:
            kinds = [event.type async for event in stream if event.type != "chunk"]
            call = (await stream.get_final_completion()).choices[0].message.tool_calls[0]
        return {"kinds": kinds, "call": call.function.arguments}

    async def parses(self, ctx: Context, client: AsyncOpenAI):
        answer = await client.chat.completions.parse(model="small", messages=MESSAGES, response_format=Place)
        place = answer.choices[0].message.parsed
        return {"order": place.order, "towns": place.towns}

    async def responds(self, ctx: Context, client: AsyncOpenAI):
        kinds = []
        async for event in await client.responses.create(model="small", input="Where?", stream=True):
            kinds.append(type(event).__name__)
        return {"kinds": kinds, "said": event.response.output_text}

    async def lists(self, ctx: Context, client: AsyncOpenAI):
        return [f"{type(it).__name__} {it.id}" async for it in client.models.list()]

    async def plain(self, ctx: Context, _: AsyncOpenAI):
        client = OpenAI(base_url=os.environ["OPENAI_URL"])
        answer = client.chat.completions.create(model="small", messages=MESSAGES)
        parts = client.chat.completions.create(model="small", messages=MESSAGES, stream=True)
        return [answer.choices[0].message.content, "".join(it.choices[0].delta.content or "" for it in parts)]


workflow = Ask(timeout=None)
