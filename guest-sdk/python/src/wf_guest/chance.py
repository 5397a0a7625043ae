"""Chance that is each run's own.

What was made when the component was built is the same in every instance, the state of `random`
included. So it is seeded anew at every entry, from what the host derives of the run.
"""

from __future__ import annotations

import os
import random
import weakref

_unseeded: weakref.WeakSet[random.Random] = weakref.WeakSet()


def watch() -> None:
    """Remembers generators that are made without a seed, such as those of a module."""
    seed = random.Random.seed

    def remember(self: random.Random, a: object = None, version: int = 2) -> None:
        seed(self, a, version)
        if a is None:
            _unseeded.add(self)
        else:
            _unseeded.discard(self)

    random.Random.seed = remember


def reseed() -> None:
    """Seeds all of them."""
    random.seed(int.from_bytes(os.urandom(32), "big"))
    for generator in list(_unseeded):
        generator.seed()
