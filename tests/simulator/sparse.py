"""Markets that trade in few minutes, so that years of them cost little."""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.simulator.markets import Market, default_markets
from tests.simulator.rows import Row
from tests.simulator.times import BLOCK, MINUTE

STEP = 250
"""Minutes from one trade to the next: every day has some."""


@dataclass(frozen=True, slots=True)
class SparseMinutes:
    """Four candles a block, each at a price of its own."""

    def block(self, number: int) -> list[Row]:
        return [_row(number * BLOCK + minute * MINUTE) for minute in range(0, BLOCK // MINUTE, STEP)]


def sparse_markets() -> list[Market]:
    """The default markets, with few candles."""
    return [replace(market, minutes=SparseMinutes()) for market in default_markets()]


def _row(open_time: int) -> Row:
    price = f"{100 + open_time // MINUTE % 97}.00000000"
    return Row(open_time, price, price, price, price, "1.00000000", price, 1, "0.00000000", "0.00000000")
