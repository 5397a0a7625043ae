"""Pools of threads, as plain code has them."""

from concurrent.futures import ThreadPoolExecutor, as_completed

from workflows import Workflow, step
from workflows.events import StartEvent, StopEvent


def kneaded(grams: int) -> str:
    if grams < 0:
        raise ValueError("no flour")
    return f"{grams} g"


class PoolsWorkflow(Workflow):
    @step
    def knead(self, ev: StartEvent) -> StopEvent:
        ready: list[str] = []
        with ThreadPoolExecutor(max_workers=1, initializer=ready.append, initargs=("ready",)) as pool:
            mapped = list(pool.map(kneaded, [1, 2, 3]))
            futures = [pool.submit(kneaded, grams=grams) for grams in (4, -1)]
            done = sorted(str(it.exception() or it.result()) for it in as_completed(futures))
        try:
            pool.submit(kneaded, 5)
        except RuntimeError as error:
            done.append(str(error))
        return StopEvent(result=[*mapped, *done, *ready])


workflow = PoolsWorkflow(timeout=10)
