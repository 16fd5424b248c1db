"""How a venue tells the prices of a market now: requests and parsers, as a value. Numbers are exact."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from backend.core.quotes import FundingPaid, FundingRate, Level, MarketTrade, OrderBook, Ticker
from backend.core.windows import HOUR
from backend.errors import MalformedAnswer
from backend.exchanges.base import Request

Pair = tuple[Decimal, Decimal]
"""Price and size, as most venues send an offer."""

LARGEST = Decimal(10) ** 18
MOST_DIGITS, MOST_DECIMALS = 40, 30
"""Bounds of a number that a market can have, far outside of all that there are."""


MOST_FUNDING = Decimal(1)
LONGEST_PERIOD_HOURS = 24 * 7


@dataclass(frozen=True, slots=True)
class FundingQuestion:
    """How a venue tells the funding of a perpetual that comes next."""

    request: Callable[[str], Request]
    parse: Callable[[bytes], FundingRate]


@dataclass(frozen=True, slots=True)
class FundingHistory:
    """How a venue tells the funding that was paid, in pages, the newest first. `request` takes a symbol, the
    first and the last time (ms) that is wanted, and the number of the page, from 1 on: a venue that takes no
    times takes the number."""

    request: Callable[[str, int, int, int], Request]
    parse: Callable[[bytes], Sequence[FundingPaid]]


@dataclass(frozen=True, slots=True)
class TradesQuestion:
    """How a venue tells the newest trades of a market, in any order."""

    request: Callable[[str], Request]
    parse: Callable[[bytes], Sequence[MarketTrade]]


@dataclass(frozen=True, slots=True)
class Quotes:
    """Requests take the venue's spelling of a symbol, and the number of offers a side: one of `depths`, which
    ascend. `funding` and `funding_history` are None where nothing is paid, or nobody here asks for it, and so
    is `trades`.
    Parsers raise MalformedAnswer."""

    ticker_request: Callable[[str], Request]
    parse_ticker: Callable[[bytes], Ticker]
    depths: Sequence[int]
    book_request: Callable[[str, int], Request]
    parse_book: Callable[[bytes], OrderBook]
    funding: FundingQuestion | None = None
    funding_history: FundingHistory | None = None
    trades: TradesQuestion | None = None

    def depth(self, levels: int) -> int:
        """The smallest number of offers that the venue tells and that has so many; its largest otherwise."""
        place = bisect_left(self.depths, levels)
        return self.depths[min(place, len(self.depths) - 1)]


def sound_ticker(venue: str, ticker: Ticker) -> Ticker:
    """The ticker, or MalformedAnswer where a number is none that a market can have."""
    numbers = (
        *(ticker.last, ticker.bid, ticker.bid_size, ticker.ask, ticker.ask_size, ticker.open),
        *(ticker.high, ticker.low, ticker.volume, ticker.quote_volume),
    )
    for number in numbers:
        _check(venue, number)
    return ticker


def sound_funding(venue: str, rate: Decimal, due: int, hours: int) -> FundingRate:
    """The funding, or MalformedAnswer where it is none that a market can have."""
    if not rate.is_finite() or abs(rate) > MOST_FUNDING or not 0 < hours <= LONGEST_PERIOD_HOURS or due <= 0:
        raise MalformedAnswer(f"{venue} sent funding that cannot be: {rate!s:.40}, each {hours} hours")
    return FundingRate(rate, due, hours * HOUR)


def sound_payments(venue: str, rows: Iterable[tuple[int, Decimal]]) -> Sequence[FundingPaid]:
    """Times and rates as they were paid, or MalformedAnswer as for the next funding."""
    return [FundingPaid(time, sound_funding(venue, rate, time, 1).rate) for time, rate in rows]


def sound_trades(venue: str, trades: Sequence[MarketTrade]) -> Sequence[MarketTrade]:
    """The trades, the newest first; or MalformedAnswer as for a ticker."""
    for trade in trades:
        _check(venue, trade.price)
        _check(venue, trade.size)
    return sorted(trades, key=lambda trade: (trade.time, len(trade.id), trade.id), reverse=True)


def sound_book(venue: str, bids: Iterable[Pair], asks: Iterable[Pair], time: int | None) -> OrderBook:
    """The book, the best offers first; or MalformedAnswer as for a ticker."""
    sides = [[Level(*pair) for pair in side] for side in (bids, asks)]
    for level in (*sides[0], *sides[1]):
        _check(venue, level.price)
        _check(venue, level.size)
    return OrderBook(tuple(sorted(sides[0], reverse=True)), tuple(sorted(sides[1])), time)


def _check(venue: str, number: Decimal | None) -> None:
    if number is None:
        return
    sign, digits, exponent = number.as_tuple()
    is_sound = isinstance(exponent, int) and exponent >= -MOST_DECIMALS and len(digits) <= MOST_DIGITS
    if not is_sound or sign or number > LARGEST:
        raise MalformedAnswer(f"{venue} sent a price or a size that cannot be: {number!s:.40}")
