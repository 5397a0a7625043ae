"""A step that takes subclasses, events handed to one step by name, and a stop of one's own with a result."""

from workflows import Context, Workflow, step
from workflows.events import Event, StartEvent, StopEvent


class Shape(Event):
    name: str


class Circle(Shape):
    radius: int


class Square(Shape):
    side: int


class Area(Event):
    text: str


class Total(StopEvent):
    texts: list[str]


class ShapesWorkflow(Workflow):
    @step
    async def begin(self, ctx: Context, ev: StartEvent) -> Circle | Square | None:
        ctx.send_event(Circle(name="c", radius=2), step="measure")
        ctx.send_event(Square(name="s", side=3))
        return None

    @step(accept_event_subclasses=True)
    async def measure(self, ctx: Context, ev: Shape) -> Area:
        size = ev.radius * 3 if isinstance(ev, Circle) else ev.side * ev.side
        return Area(text=f"{ev.name} {size}")

    @step
    async def end(self, ctx: Context, ev: Area) -> Total | None:
        areas = ctx.collect_events(ev, [Area, Area])
        return None if areas is None else Total(texts=sorted(it.text for it in areas))


workflow = ShapesWorkflow(timeout=20)
