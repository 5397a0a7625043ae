"""Steps that are plain functions, and functions that are called in threads and pools."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from workflows import Workflow, step
from workflows.events import Event, StartEvent, StopEvent

pool = ThreadPoolExecutor(max_workers=2)


class Computed(Event):
    data: str


class Stripped(Event):
    data: str


def stripped(data: str) -> str:
    for _ in range(1_000):
        data = data.strip()
    return data


def doubled(data: str, times: int = 2) -> str:
    return data * times


class AsyncWorkflow(Workflow):
    @step
    def compute(self, ev: StartEvent) -> Computed:
        return Computed(data=ev.input_data.upper())

    @step
    async def in_a_pool(self, ev: Computed) -> Stripped:
        loop = asyncio.get_running_loop()
        return Stripped(data=await loop.run_in_executor(pool, stripped, ev.data))

    @step
    async def in_a_thread(self, ev: Stripped) -> StopEvent:
        twice, thrice = await asyncio.gather(asyncio.to_thread(doubled, ev.data), asyncio.to_thread(doubled, ev.data, times=3))
        return StopEvent(result=f"{twice} {thrice}")


workflow = AsyncWorkflow()
