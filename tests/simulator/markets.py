"""Markets that the simulator trades: names, kind, life span, and where their candles come from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tests.simulator.rows import Row
from tests.simulator.synthetic import NOTHING, SyntheticMinutes
from tests.simulator.times import parse_instant

MARK, INDEX = "perpetual-mark", "perpetual-index"
KINDS = ("spot", "perpetual", MARK, INDEX)
"""Mark and index prices have candles of their own around the prices of the trades, without volumes."""


class Minutes(Protocol):
    """A source of one-minute candles, in blocks of `times.BLOCK` ms aligned to the epoch."""

    def __hash__(self) -> int:
        """Sources that are equal have the same candles."""

    def block(self, number: int) -> Sequence[Row]:
        """Return the candles that open in [number x BLOCK, (number + 1) x BLOCK), oldest first."""


@dataclass(frozen=True, slots=True)
class Untraded:
    """Candles of a price that nobody trades at."""

    minutes: Minutes

    def block(self, number: int) -> Sequence[Row]:
        nothing = (NOTHING, NOTHING, 0, NOTHING, NOTHING)
        return [Row(*row[:5], *nothing) for row in self.minutes.block(number)]


@dataclass(frozen=True, slots=True)
class Market:
    """A tradable pair.

    `listed` is the open time of its first minute and `delisted` the end of its last one (ms UTC, None for
    never). `symbol` is base + quote on every exchange, whatever its own spelling is; `kind` is "spot" or
    "perpetual". `venue` is the only exchange that trades it, None for all of them.
    """

    symbol: str
    base: str
    quote: str
    minutes: Minutes
    listed: int
    delisted: int | None = None
    price_decimals: int = 8
    volume_decimals: int = 8
    kind: str = "spot"
    venue: str | None = None

    def at(self, venue: str) -> Market:
        """Return the market with the exchange's own candles. Those of a file are the same everywhere."""
        if not isinstance(self.minutes, SyntheticMinutes) or (venue, self.kind) == ("binance", "spot"):
            return self
        return replace(self, minutes=replace(self.minutes, seed=f"@{venue}.{self.kind}"))

    def until(self, delisted: int) -> Market:
        """Return the market with an end (ms UTC)."""
        return replace(self, delisted=delisted)


def markets_of(venue: str, kind: str, markets: Iterable[Market]) -> list[Market]:
    """Return an exchange's markets of a kind; one of its own comes before a general one of its symbol."""
    if kind in (MARK, INDEX):
        traded = [replace(market, kind=kind) for market in markets if market.kind == "perpetual"]
        return [replace(one, minutes=Untraded(one.minutes)) for one in _own(venue, traded)]
    return _own(venue, [market for market in markets if market.kind == kind])


def _own(venue: str, markets: Iterable[Market]) -> list[Market]:
    of_kind = [market for market in markets if market.venue in (None, venue)]
    own = {market.symbol for market in of_kind if market.venue}
    return [market.at(venue) for market in of_kind if market.venue or market.symbol not in own]


def synthetic_market(
    base: str,
    quote: str,
    listed: str | int,
    *,
    price: float,
    volume: float,
    decimals: tuple[int, int],
    kind: str = "spot",
    venue: str | None = None,
    flat_share: float = 0.02,
) -> Market:
    """Return an invented market: typical price and minute volume, decimals of its tick and of its lot,
    share of minutes without a trade."""
    symbol = base + quote
    quote_decimals = 8 if kind == "spot" else sum(decimals)
    minutes = SyntheticMinutes(
        symbol, price, volume, *decimals, quote_decimals=quote_decimals, flat_share=flat_share
    )
    return Market(
        symbol,
        base,
        quote,
        minutes,
        parse_instant(listed),
        price_decimals=decimals[0],
        volume_decimals=decimals[1],
        kind=kind,
        venue=venue,
    )


def default_markets() -> list[Market]:
    """Return invented markets that carry real pairs' names and first minutes: spot ones, then perpetuals."""
    return [*_spot_markets(), *_perpetual_markets()]


def _spot_markets() -> list[Market]:
    """The first minutes are those of Binance."""
    return [
        synthetic_market("BTC", "USDT", "2017-08-17T04:00Z", price=30_000, volume=20, decimals=(2, 5)),
        synthetic_market("ETH", "USDT", "2017-08-17T04:00Z", price=1_800, volume=150, decimals=(2, 4)),
        synthetic_market("BNB", "USDT", "2017-11-06T03:00Z", price=250, volume=90, decimals=(2, 3)),
        synthetic_market("XRP", "USDT", "2018-05-04T08:00Z", price=0.6, volume=90_000, decimals=(4, 1)),
        synthetic_market("SOL", "USDT", "2020-08-11T06:00Z", price=80, volume=900, decimals=(2, 3)),
    ]


def _perpetual_markets() -> list[Market]:
    """The first minutes are Binance's for BTCUSDT, Bitget's for its own; the others are invented."""

    def perpetual(
        base: str, listed: str, price: float, volume: float, places: str, quote: str = "USDT", venue: str = ""
    ) -> Market:
        tick, lot = map(int, places.split("/"))
        return synthetic_market(
            base,
            quote,
            listed,
            price=price,
            volume=volume,
            decimals=(tick, lot),
            kind="perpetual",
            venue=venue or None,
        )

    return [
        perpetual("BTC", "2019-09-08T17:57Z", 30_000, 120, "2/3"),
        perpetual("ETH", "2019-11-27T07:45Z", 1_800, 900, "2/3"),
        perpetual("XRP", "2020-01-06T08:20Z", 0.6, 400_000, "4/1"),
        perpetual("SOL", "2020-09-14T07:00Z", 80, 5_000, "3/1"),
        perpetual("BTC", "2019-07-10T11:49Z", 30_000, 60, "2/3", venue="bitget"),
        perpetual("BTC", "2024-01-02T10:00Z", 30_000, 3, "2/3", quote="USD", venue="extended"),
        perpetual("ETH", "2024-01-02T10:00Z", 1_800, 30, "2/3", quote="USD", venue="extended"),
        perpetual("SOL", "2024-02-01T10:00Z", 80, 200, "3/1", quote="USD", venue="extended"),
    ]
