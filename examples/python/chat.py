"""A model that calls tools, with a budget and a person who approves; what it says is shown while it says it."""

import json
import os

import httpx
from pydantic import BaseModel
from workflows import Context, Workflow, step
from workflows.events import Event, HumanResponseEvent, InputRequiredEvent, StartEvent, StopEvent
from workflows.retry_policy import retry_if_exception, retry_policy, stop_after_attempt, wait_exponential

#: Most calls that one answer may ask for.
CALLS_MAX = 16
PARAMETERS = {"type": "object", "properties": {"order": {"type": "integer"}}, "required": ["order"]}
TOOLS = [
    {"type": "function", "function": {"name": name, "description": about, "parameters": PARAMETERS}}
    for name, about in {"look_up_order": "Says where an order is.", "refund": "Gives the money for an order back."}.items()
]


class Token(Event):
    """A piece of the model's answer, as it comes."""

    text: str


class Turn(Event):
    """It is the model's turn."""


class ToolCalls(Event):
    """The model asks for something to be done."""

    calls: list[dict]


class ApprovalRequest(InputRequiredEvent):
    """Asks a person whether something may be done that cannot be undone."""

    what: str


class ApprovalResponse(HumanResponseEvent):
    """What the person decides."""

    approved: bool


class Talk(BaseModel):
    messages: list[dict] = []
    budget: int = 10_000
    tokens: int = 0


class CutAnswer(Exception):
    """The model's answer ended before its end."""


def passes(error: BaseException) -> bool:
    """Whether another time could do better."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code in (408, 425, 429) or error.response.is_server_error
    return isinstance(error, (CutAnswer, httpx.TransportError))


class Chat(Workflow):
    """Answers a customer with a model that may look up orders, and refund them where a person approves."""

    @step
    async def begin(self, ctx: Context[Talk], ev: StartEvent) -> Turn:
        """Takes a question; `budget` is the most tokens that it may cost."""
        question = ev.get("question", "Where is my order 7?")
        talk = [{"role": "system", "content": "You help customers of a shop."}, {"role": "user", "content": question}]
        await ctx.store.set_state(Talk(messages=talk, budget=ev.get("budget", 10_000)))
        return Turn()

    @step(retry_policy=retry_policy(retry=retry_if_exception(passes), wait=wait_exponential(multiplier=0.2, max=20), stop=stop_after_attempt(6)))
    async def ask(self, ctx: Context[Talk], ev: Turn) -> ToolCalls | StopEvent:
        """Asks the model, and shows what it says while it says it. An answer that is cut, put off or does not come is asked for again."""
        talk = await ctx.store.get_state()
        if talk.tokens >= talk.budget:
            raise RuntimeError(f"{talk.tokens} tokens of {talk.budget} are spent")
        said, calls = "", []
        async for part in parts(talk.messages):
            talk.tokens += (part.get("usage") or {}).get("total_tokens", 0)
            for choice in part["choices"][:1]:
                if text := choice["delta"].get("content"):
                    said += text
                    ctx.write_event_to_stream(Token(text=text))
                for call in choice["delta"].get("tool_calls") or []:
                    add(calls, call)
        message = {"role": "assistant", "content": said or None}
        talk.messages.append(message | {"tool_calls": calls} if calls else message)
        await ctx.store.set_state(talk)
        return ToolCalls(calls=calls) if calls else StopEvent(result={"answer": said, "tokens": talk.tokens})

    @step
    async def call(self, ctx: Context[Talk], ev: ToolCalls) -> Turn:
        """Does what the model asks for. What cannot be undone waits for a person, for as long as that takes."""
        talk = await ctx.store.get_state()
        for call in ev.calls:
            name, order = call["function"]["name"], json.loads(call["function"]["arguments"] or "{}").get("order")
            result = f"`{name}` cannot be called like this"
            if name == "look_up_order" and order:
                result = f"order {order} is on its way, and comes tomorrow"
            elif name == "refund" and order:
                what = f"refund order {order}"
                decision = await ctx.wait_for_event(ApprovalResponse, waiter_event=ApprovalRequest(what=what), waiter_id=call["id"], timeout=None)
                result = f"done: {what}" if decision.approved else "a person has refused it"
            talk.messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})
        await ctx.store.set_state(talk)
        return Turn()


async def parts(messages: list[dict]):
    """What the model sends, as it comes. The variable `CHAT_URL` says where it is, `CHAT_MODEL` who, and `CHAT_PATIENCE` for how
    many seconds nothing may come."""
    url = os.getenv("CHAT_URL", "https://api.openai.com/v1")
    body = {"model": os.getenv("CHAT_MODEL", "gpt-5-mini"), "messages": messages, "tools": TOOLS, "stream": True, "stream_options": {"include_usage": True}}
    headers = {"Authorization": f"Bearer {os.environ['OPENAI_API_KEY']}"}
    patience = float(os.getenv("CHAT_PATIENCE", "60"))
    async with httpx.AsyncClient(timeout=patience) as client, client.stream("POST", f"{url}/chat/completions", json=body, headers=headers) as response:
        response.raise_for_status()
        async for line in response.aiter_lines():
            if line == "data: [DONE]":
                return
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))
    raise CutAnswer("the model's answer ended before its end")


def add(calls: list[dict], part: dict) -> None:
    """Puts together what comes of a call."""
    if part["index"] >= CALLS_MAX:
        return
    while len(calls) <= part["index"]:
        calls.append({"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
    call = calls[part["index"]]
    call["id"] += part.get("id") or ""
    for key, text in (part.get("function") or {}).items():
        call["function"][key] += text or ""


workflow = Chat(timeout=None)
