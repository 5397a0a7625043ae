"""Goes through every call of `workflows.client` (llama-index-workflows 2.11): drive.py URL [--original]"""

import asyncio
import sys
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "python"))

from calls import Calls, everything, headers, reached  # noqa: E402
from workflows.client import WorkflowClient  # noqa: E402


async def main():
    url, original = sys.argv[1], "--original" in sys.argv
    async with reached(url) as where:
        calls = Calls(WorkflowClient(**where), original)
        await everything(calls)
    async with httpx.AsyncClient(base_url=url, headers=headers()) as shared:
        data = await WorkflowClient(httpx_client=shared).run_workflow("greeting", start_event={"name": "Ada"})
        calls.equal("a client over a given httpx client", data.result.value, {"result": "Hello, Ada!"})
    print(f"{calls.count} calls answered as they should")


asyncio.run(main())
