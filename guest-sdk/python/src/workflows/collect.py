"""How much of a fan-out a join takes."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cardinality:
    """How much is taken: `All()` or `Take(n)`."""


@dataclass(frozen=True)
class All(Cardinality):
    """Everything that the fan-out gave rise to."""


@dataclass(frozen=True)
class Take(Cardinality):
    """The first `n` to arrive."""

    n: int

    def __post_init__(self) -> None:
        if not isinstance(self.n, int) or self.n < 1:
            raise ValueError("Take(n) requires an integer n >= 1")


@dataclass(frozen=True)
class Collect:
    """Said of a parameter `list[E]`, in `Annotated`."""

    cardinality: Cardinality = field(default_factory=All)
