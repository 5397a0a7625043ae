"""Joins, by the older module name; an instance only in `main()`."""

import asyncio

from llama_index.core.workflow import Context, Event, StartEvent, StopEvent, Workflow, step


class Part(Event):
    number: int


class Half(Event):
    number: int


class JoinWorkflow(Workflow):
    @step
    async def split(self, ctx: Context, ev: StartEvent) -> list[Part]:
        return [Part(number=number) for number in range(ev.get("count", 4))]

    @step
    async def halve(self, ev: Part) -> Half | None:
        return None if ev.number == 1 else Half(number=ev.number // 2)

    @step
    async def join(self, ctx: Context, halves: list[Half]) -> StopEvent:
        return StopEvent(result=sorted(half.number for half in halves))


async def main() -> None:
    workflow = JoinWorkflow(timeout=10)
    result = await workflow.run(count=5)
    print(result)


if __name__ == "__main__":
    asyncio.run(main())
