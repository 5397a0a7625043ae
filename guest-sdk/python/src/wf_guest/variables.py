"""`os.environ` as far as the workflow is granted variables: asked of the host when a step first looks.

While a component is built there are none: what a module reads then is what it would read for ever.
"""

from __future__ import annotations

import os
from typing import Any

from . import border


class Missing(KeyError):
    """There is no such variable."""

    hint = "read it in a step: there it is what the workflow is granted"

    def __str__(self) -> str:
        name = self.args[0]
        if not border.live:
            return f"`{name}` is read while the component is built, where there are no variables"
        workflow = border.workflow()
        return (
            f"`{workflow}` has no variable `{name}`: add `allow_env = [\"{name}\"]` to `[workflows.{workflow}]` in wf-host.toml, or start the host "
            f"with `--allow-env {name}`; where it is a secret, add `secrets = [\"{name}=env:{name}@https://HOST\"]`, or `--secret {name}=env:{name}@https://HOST`"
        )


# As the original names it.
Missing.__module__, Missing.__qualname__ = "builtins", "KeyError"


class Variables(os._Environ):
    """In the place of the class of `os.environ`."""

    _asked: dict[Any, Any] | None = None
    #: What the modules have set when they were imported.
    _own: dict[Any, Any] = {}

    @property
    def _data(self) -> dict[Any, Any]:
        if not border.live:
            return Variables._own
        if Variables._asked is None:
            given = border.variables()
            Variables._asked = {**Variables._own, **{os.fsencode(name): os.fsencode(value) for name, value in given.items()}}
        return Variables._asked

    def __getitem__(self, key: Any) -> Any:
        try:
            return super().__getitem__(key)
        except KeyError:
            raise Missing(os.fsdecode(key)) from None


def install() -> None:
    """Makes it the environment of everything in the component."""
    for environment in (os.environ, os.environb):
        environment.__class__ = Variables


def begin() -> None:
    """A step begins: what an earlier one was told, or has set, is gone."""
    # To set anything in a class makes Python forget what it knows of it.
    if Variables._asked is not None:
        Variables._asked = None
