"""What a market's prices are now: the last trade, the best offers, and the order book. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, NamedTuple


class Level(NamedTuple):
    """An offer: `price` in the quote currency, `size` in the base currency."""

    price: Decimal
    size: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticker:
    """The last price, and what happened in 24 hours. None where the venue does not say.

    `open` is the price 24 hours ago. `volume` is in the base currency, `quote_volume` in the quote currency.
    `time` is the venue's moment of all this, ms UTC.
    """

    last: Decimal
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None
    open: Decimal | None = None
    high: Decimal | None = None
    low: Decimal | None = None
    volume: Decimal | None = None
    quote_volume: Decimal | None = None
    time: int | None = None


@dataclass(frozen=True, slots=True)
class FundingRate:
    """What long positions of a perpetual pay to short ones next: `rate` is a part of their value, below zero
    it is the other way round. It is paid at `due` (ms UTC), then each `every` ms."""

    rate: Decimal
    due: int
    every: int


@dataclass(frozen=True, slots=True)
class FundingPaid:
    """What long positions paid to short ones at a time (ms UTC): a part of their value."""

    time: int
    rate: Decimal


@dataclass(frozen=True, slots=True)
class MarketTrade:
    """A trade of anybody's at `time` (ms UTC). `side` is that of the one who took the offer; `kind` is the
    venue's own word ("TRADE", "LIQUIDATION")."""

    id: str
    time: int
    side: Literal["buy", "sell"]
    price: Decimal
    size: Decimal
    kind: str


@dataclass(frozen=True, slots=True)
class OrderBook:
    """`bids` from the highest price down, `asks` from the lowest up. `time` as of a ticker."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]
    time: int | None = None

    def first(self, levels: int) -> OrderBook:
        """The best offers of each side."""
        return OrderBook(self.bids[:levels], self.asks[:levels], self.time)
