"""Ships an order: waits for both of two, and then for the first two of three."""

import asyncio
from typing import Annotated

from workflows import Context, Workflow, step
from workflows.collect import Collect, Take
from workflows.events import Event, StartEvent, StopEvent


class Charge(Event):
    """Money is to be taken."""

    cents: int


class Pack(Event):
    """Goods are to be packed."""

    item: str


class Paid(Event):
    """The money is there."""

    cents: int


class Packed(Event):
    """The goods are ready."""

    item: str


class Ask(Event):
    """A carrier is to say what it asks."""

    carrier: str


class Offer(Event):
    """What it asks."""

    carrier: str
    cents: int


class Joins(Workflow):
    """Ships an order: waits for both of two, and then for the first two of three."""

    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Pack | Charge:
        """Begins two things at once."""
        ctx.send_event(Charge(cents=ev.get("cents", 1_000)))
        return Pack(item=ev.get("item", "a lamp"))

    @step
    async def charge(self, ev: Charge) -> Paid:
        return Paid(cents=ev.cents)

    @step
    async def pack(self, ev: Pack) -> Packed:
        return Packed(item=ev.item)

    @step
    async def ship(self, ctx: Context, paid: Paid, packed: Packed) -> list[Ask]:
        """Runs when there are both, whichever comes first."""
        await ctx.store.set("order", {"item": packed.item, "cents": paid.cents})
        return [Ask(carrier=carrier) for carrier in ("Ant", "Bee", "Cat")]

    @step
    async def offer(self, ev: Ask) -> Offer:
        """The third takes its time."""
        cents, seconds = {"Ant": (700, 0), "Bee": (500, 0), "Cat": (100, 3_600)}[ev.carrier]
        await asyncio.sleep(seconds)
        return Offer(carrier=ev.carrier, cents=cents)

    @step
    async def choose(self, ctx: Context, offers: Annotated[list[Offer], Collect(Take(2))]) -> StopEvent:
        """Runs with the first two offers, and waits for no third."""
        best = min(offers, key=lambda it: it.cents)
        order = await ctx.store.get("order")
        return StopEvent(result={"order": order, "carrier": best.carrier, "shipping": best.cents})


workflow = Joins(timeout=None)
