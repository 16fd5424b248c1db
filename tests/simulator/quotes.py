"""What a market's prices are by the clock: the last 24 hours, and an order book around the last price."""

from __future__ import annotations

from decimal import Decimal

from tests.simulator.archive import Archive
from tests.simulator.intervals import MINUTES
from tests.simulator.markets import Market
from tests.simulator.rows import Row, merged
from tests.simulator.times import DAY

Offers = list[tuple[str, str]]
"""Price and size, the best first."""

DEEPEST = 1000


def day_of(market: Market, archive: Archive) -> Row | None:
    """Return the last 24 hours as one candle, up to the clock's moment; None where nothing traded."""
    now = archive.clock.now()
    closed = archive.minutes(market, now - DAY, archive.finished_until(MINUTES))
    rows = [*closed, *filter(None, [archive.forming(market, MINUTES)])]
    return merged(rows[0].open_time, rows) if rows else None


def book_of(market: Market, archive: Archive, levels: int = DEEPEST) -> tuple[Offers, Offers]:
    """Return bids and asks: a tick apart from the last price, then a tick between them, ever larger."""
    day = day_of(market, archive)
    if day is None:
        return [], []
    last, tick = Decimal(day.close), Decimal(1).scaleb(-market.price_decimals)
    lot = Decimal(1).scaleb(-market.volume_decimals)
    steps = range(1, levels + 1)
    bids = [(f"{last - step * tick:f}", f"{step * lot:f}") for step in steps if last > step * tick]
    return bids, [(f"{last + step * tick:f}", f"{(step + 1) * lot:f}") for step in steps]
