"""The first client of the deployment page, of `p01_deployment`: a run that is waited for, and one whose events are read."""

import asyncio
import sys

from llama_agents.client import WorkflowClient
from workflows.events import StartEvent


async def main() -> None:
    client = WorkflowClient(base_url=sys.argv[1])
    await client.is_healthy()
    print("greet" in (await client.list_workflows()).workflows)
    waited = await client.run_workflow("greet", start_event=StartEvent(name="Ada"))
    print(waited.status, waited.result.value)
    handler = await client.run_workflow_nowait("greet", start_event=StartEvent(name="Grace"), context=None)
    stream = client.get_workflow_events(handler_id=handler.handler_id)
    async for event in stream:
        print(event.type, event.value)
    after = stream.last_sequence - 2
    print([event.type async for event in client.get_workflow_events(handler.handler_id, after_sequence=after)])
    print([event.type async for event in client.get_workflow_events(handler.handler_id, after_sequence="now")])
    result = await client.get_handler(handler.handler_id)
    print(result.status, result.result.type, result.result.value)
    print(handler.handler_id in [it.handler_id for it in (await client.get_handlers(workflow_name=["greet"], status=["completed"])).handlers])


asyncio.run(main())
