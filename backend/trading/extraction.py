"""An extraction: a job that reads an account's history. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backend.core.job import OVER, Failure, Status
from backend.trading.rows import Product


class Stage(StrEnum):
    """What an extraction does, one after the other. A whole one reads the symbols of a product as soon as it
    knows them, while it still looks for those of others."""

    COORDINATOR = "coordinator"
    """Reads what is told of all symbols at once, and finds the symbols."""
    SYMBOLS = "symbols"
    """Reads what has to be asked symbol by symbol, or order by order."""
    COLLECTOR = "collector"
    """Compares what came."""


ALL_STAGES = tuple(Stage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Extraction:
    """Moments are in ms UTC. Without `products` all that the account has are meant; without `since` all of
    the past; without `symbols` all of them.

    `done` and `total` count questions about windows: more are found on the way. `rows` are new ones.
    """

    id: str
    account: str
    created: int
    products: tuple[Product, ...] = ()
    since: int | None = None
    symbols: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ALL_STAGES
    status: Status = "queued"
    stage: Stage | None = None
    started: int | None = None
    finished: int | None = None
    done: int = 0
    total: int = 0
    rows: int = 0
    requests: int = 0
    found_symbols: tuple[str, ...] = ()
    failure: Failure | None = None
    cancelling: bool = False

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.status in OVER

    def asks_the_same(self, other: Extraction) -> bool:
        """Whether the other extraction does everything that this one requests."""
        return (self.account, self.products, self.since, self.symbols, self.stages) == (
            other.account,
            other.products,
            other.since,
            other.symbols,
            other.stages,
        )

    def seconds_left(self, now: int) -> float | None:
        """How long the rest takes at the pace so far; None when that cannot be said."""
        if self.status != "running" or self.started is None or not self.done:
            return None
        return (now - self.started) / 1000 / self.done * (self.total - self.done)
