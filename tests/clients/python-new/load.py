"""Load for `tests/crash.rs`: runs of many kinds through `llama_agents.client`, over every crash of the server.

load.py SEED. Each line of stdin says where the server listens from now on; when stdin ends, no run is begun any more,
and those that have begun are brought to their ends. Each line of stdout is a JSON object: what was `asked`, and
what became of it: `acknowledged`, `unanswered` (it is asked again, with the same key), `hung` or `refused`.
"""

import asyncio
import contextvars
import itertools
import json
import random
import sys

import httpx
from llama_agents.client import WorkflowClient

# Runs at any time.
PLAYERS = 8
# Between two runs of a player, and before a request is made again.
PAUSE = 0.05
# An answer that takes longer is a fault of the server.
ANSWER_SECONDS = 40
# So is a run that has not ended so long after the end of stdin.
SETTLE_SECONDS = 50

KEY = contextvars.ContextVar("key", default=None)


async def keyed(request):
    if KEY.get() is not None:
        request.headers["Idempotency-Key"] = KEY.get()



def status(error):
    """Of an answer that the client made an exception of."""
    return error.response.status_code


class Life:
    """A handler, from its first run's start to its last run's end."""

    def __init__(self, kind, number, url):
        # Its own connections: where one breaks, a pool that many share may lose count of them.
        self.http = httpx.AsyncClient(base_url=url, timeout=ANSWER_SECONDS, event_hooks={"request": [keyed]}, verify=False)
        self.client = WorkflowClient(httpx_client=self.http)
        self.kind = kind
        self.handler = f"load-{kind}-{number}"
        self.keys = itertools.count()
        self.cursor = -1
        self.last = None

    def say(self, said, what, **about):
        self.last = json.dumps({"said": said, "what": what, "kind": self.kind, "handler": self.handler, **about})
        print(self.last, flush=True)

    async def ask(self, what, call, key=None, ends=(), **about):
        """Asks until there is an answer. An answer of a status in `ends` is none of the client's results: it is given as such."""
        self.say("asked", what, key=key, **about)
        token = KEY.set(key)
        try:
            while True:
                try:
                    return await call()
                except httpx.HTTPStatusError as error:
                    if status(error) in ends:
                        return error.response
                    if status(error) != 503:
                        self.say("refused", what, reason=str(error))
                        raise
                    self.say("unanswered", what, reason=str(error))
                except httpx.ReadTimeout:
                    self.say("hung", what, key=key, **about)
                except httpx.TransportError as error:
                    self.say("unanswered", what, reason=repr(error))
                await asyncio.sleep(PAUSE)
        finally:
            KEY.reset(token)

    async def start(self, workflow, event, to_end=False):
        """Starts a run; with `to_end` the answer is held until it has ended. What a failed run answers is a result, too."""
        key = f"{self.handler}-{next(self.keys)}"
        call = self.client.run_workflow if to_end else self.client.run_workflow_nowait
        answer = await self.ask("start", lambda: call(workflow, handler_id=self.handler, start_event=event), key, ends=(500,))
        data = answer.json() if isinstance(answer, httpx.Response) else answer.model_dump()
        self.say("acknowledged", "start", key=key, run=data["run_id"])
        if to_end:
            self.over(data)

    async def send(self, name, value):
        key = f"{self.handler}-{next(self.keys)}"
        await self.ask("send", lambda: self.client.send_event(self.handler, {"type": name, "value": value}), key)
        self.say("acknowledged", "send", key=key)

    async def cancel(self, purge=False):
        # An answer that was lost makes the second one a 404.
        await self.ask("cancel", lambda: self.client.cancel_handler(self.handler, purge=purge), ends=(404,), purge=purge)
        self.say("acknowledged", "cancel", purge=purge)

    async def look(self):
        answer = await self.ask("look", lambda: self.client.get_handler(self.handler), ends=(500,))
        return answer.json() if isinstance(answer, httpx.Response) else answer.model_dump()

    def over(self, data):
        result = data["result"] and data["result"]["value"]
        self.say("acknowledged", "end", run=data["run_id"], status=data["status"], result=result, error=data["error"])

    async def ended(self):
        while (data := await self.look())["status"] == "running":
            await asyncio.sleep(PAUSE)
        self.over(data)

    async def read(self, to=None):
        """Reads on behind the cursor, up to a frame of that type; says whether it came, or without a type whether the stream had an end."""
        stream = self.client.get_workflow_events(self.handler, after_sequence=self.cursor, max_reconnect_attempts=0)
        try:
            async for event in stream:
                self.cursor = stream.last_sequence
                self.say("acknowledged", "frame", sequence=self.cursor, type=event.type, value=event.value)
                if event.type == to:
                    return True
        except (httpx.HTTPStatusError, httpx.TransportError, ConnectionError, TimeoutError) as error:
            self.say("unanswered", "frame", reason=repr(error))
            return False
        finally:
            await stream.aclose()
        return to is None

    async def read_to(self, name):
        while not await self.read(name):
            await asyncio.sleep(PAUSE)

    async def read_to_the_end(self):
        """A graceful stop ends streams, too: the last one is read when the run is known to have ended."""
        await self.ended()
        while not await self.read():
            await asyncio.sleep(PAUSE)


async def held(life, chance):
    await life.start("greeting", {"name": life.handler}, to_end=True)


async def streamed(life, chance):
    await life.start("greeting", {"name": life.handler, "delay": chance.choice([0.01, 0.3, 1.1])})
    for _ in range(3):
        await life.read("StreamEvent")
    await life.read()
    await life.read_to_the_end()


async def human(life, chance):
    await life.start("hitl", {})
    await life.read_to("RequestEvent")
    await life.send("ResponseEvent", {"response": life.handler})
    await life.read_to_the_end()


async def inbox(life, chance):
    await life.start("inbox", {"n": 4, "delay": chance.choice([0.01, 1.2])})
    for number in range(4):
        await life.send("AnswerEvent", {"text": str(number)})
    await life.ended()


async def timer(life, chance):
    await life.start("slow", {"seconds": chance.choice([0.2, 1.0, 2.5])}, to_end=chance.random() < 0.5)
    await life.ended()


async def retried(life, chance):
    await life.start("retry", {}, to_end=True)
    await life.ended()


async def failing(life, chance):
    await life.start("failing", {"message": life.handler}, to_end=True)
    await life.ended()


async def counted(life, chance):
    for _ in range(3):
        await life.start("counter", {}, to_end=True)


async def cancelled(life, chance):
    await life.start("slow", {"seconds": 600})
    await life.cancel()
    await life.read_to_the_end()


async def purged(life, chance):
    await life.start("slow", {"seconds": 600})
    await life.cancel(purge=True)


KINDS = [held, streamed, human, inbox, timer, retried, failing, counted, cancelled, purged]


async def main():
    chance = random.Random(int(sys.argv[1]))
    numbers = itertools.count()
    stopping = asyncio.Event()
    url, unfinished = None, {}

    async def player(chance):
        while not stopping.is_set():
            kind = chance.choice(KINDS)
            life = Life(kind.__name__, next(numbers), url)
            unfinished[life.handler] = life
            async with life.http:
                await kind(life, chance)
            del unfinished[life.handler]
            await asyncio.sleep(PAUSE)

    url = (await asyncio.to_thread(sys.stdin.readline)).strip()
    players = [asyncio.create_task(player(random.Random(chance.random()))) for _ in range(PLAYERS)]
    while line := await asyncio.to_thread(sys.stdin.readline):
        url = line.strip()
        for life in unfinished.values():
            life.http.base_url = url
    stopping.set()
    done, late = await asyncio.wait(players, timeout=SETTLE_SECONDS)
    for task in done:
        task.result()
    if late:
        sys.exit("not at their ends:\n" + "\n".join(str(life.last) for life in unfinished.values()))


asyncio.run(main())
