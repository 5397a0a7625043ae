"""What serves the original. Here the host does; a file may name it all the same."""

from typing import Any

from wf_guest import recording


class Config:
    """Taken, and asked for nothing."""

    def __init__(self, app: Any = None, *_: Any, **__: Any) -> None:
        self.app = app


class Server:
    """As above."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def run(self, *_: Any, **__: Any) -> None:
        recording.asked()

    async def serve(self, *_: Any, **__: Any) -> None:
        recording.asked()


def run(app: Any = None, *_: Any, **__: Any) -> None:
    """What follows would need a server."""
    recording.asked()
