"""The second client of the deployment page, of `p16_servers`: it answers what a run asks, from its own input."""

import asyncio
import sys

from llama_agents.client import WorkflowClient
from workflows.events import HumanResponseEvent, InputRequiredEvent, StopEvent


class RequestEvent(InputRequiredEvent):
    prompt: str


class ResponseEvent(HumanResponseEvent):
    response: str


class OutEvent(StopEvent):
    output: str


async def main() -> None:
    client = WorkflowClient(base_url=sys.argv[1])
    handler = await client.run_workflow_nowait("asking")
    async for event in client.get_workflow_events(handler_id=handler.handler_id):
        loaded = event.load_event(registry=[RequestEvent, OutEvent])
        print(type(loaded).__name__, event.value)
        if isinstance(loaded, RequestEvent):
            sent = await client.send_event(handler_id=handler.handler_id, event=ResponseEvent(response=input(loaded.prompt).capitalize().strip()))
            print(sent.status)
    result = await client.get_handler(handler.handler_id)
    print(result.status, OutEvent.model_validate(result.result.value).output)
    cancelled = await client.run_workflow_nowait("asking")
    print(await client.cancel_handler(cancelled.handler_id))
    print(cancelled.handler_id in [it.handler_id for it in (await client.get_handlers(status=["cancelled"])).handlers])


asyncio.run(main())
