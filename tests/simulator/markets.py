"""Markets that the simulator trades: names, life span, and where their candles come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tests.simulator.rows import Row
from tests.simulator.synthetic import SyntheticMinutes
from tests.simulator.times import parse_instant


class Minutes(Protocol):
    """A source of one-minute candles, in blocks of `times.BLOCK` ms aligned to the epoch."""

    def block(self, number: int) -> Sequence[Row]:
        """Return the candles that open in [number x BLOCK, (number + 1) x BLOCK), oldest first."""


@dataclass(frozen=True, slots=True)
class Market:
    """A tradable pair.

    `listed` is the open time of its first minute and `delisted` the end of its last one (ms UTC, None for
    never).
    """

    symbol: str
    base: str
    quote: str
    minutes: Minutes
    listed: int
    delisted: int | None = None
    price_decimals: int = 8
    volume_decimals: int = 8

    def until(self, delisted: int) -> Market:
        """Return the market with an end (ms UTC)."""
        return replace(self, delisted=delisted)


def synthetic_market(
    base: str, quote: str, listed: str | int, *, price: float, volume: float, decimals: tuple[int, int]
) -> Market:
    """Return an invented market: typical price and minute volume, decimals of its tick and of its lot."""
    symbol = base + quote
    minutes = SyntheticMinutes(symbol, price, volume, *decimals)
    return Market(
        symbol,
        base,
        quote,
        minutes,
        parse_instant(listed),
        price_decimals=decimals[0],
        volume_decimals=decimals[1],
    )


def default_markets() -> list[Market]:
    """Return five invented markets that carry the real pairs' names and first minutes on Binance spot."""
    return [
        synthetic_market("BTC", "USDT", "2017-08-17T04:00Z", price=30_000, volume=20, decimals=(2, 5)),
        synthetic_market("ETH", "USDT", "2017-08-17T04:00Z", price=1_800, volume=150, decimals=(2, 4)),
        synthetic_market("BNB", "USDT", "2017-11-06T03:00Z", price=250, volume=90, decimals=(2, 3)),
        synthetic_market("XRP", "USDT", "2018-05-04T08:00Z", price=0.6, volume=90_000, decimals=(4, 1)),
        synthetic_market("SOL", "USDT", "2020-08-11T06:00Z", price=80, volume=900, decimals=(2, 3)),
    ]
