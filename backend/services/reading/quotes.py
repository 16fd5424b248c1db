"""What the prices of a market are now: asked of its exchange, at most once a second."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.clock import Clock
from backend.core.quotes import FundingPaid, FundingRate, MarketTrade, OrderBook, Ticker
from backend.core.series import Series
from backend.services.shared_answers import SharedAnswer, SharedAnswers
from backend.services.venue_ports import QuoteSource

MOST_LEVELS = 1000
"""Offers of each side of an order book."""


class Quotes:
    """All may raise ExchangeError or UnknownSymbol."""

    def __init__(self, sources: Mapping[str, Mapping[str, QuoteSource]], clock: Clock) -> None:
        self._sources = sources
        self._answers = SharedAnswers(clock)

    async def ticker(self, series: Series) -> SharedAnswer[Ticker]:
        source = self._sources[series.exchange][series.market]
        return await self._answers.of(("ticker", series), lambda: source.ticker(series.symbol))

    async def order_book(self, series: Series, levels: int) -> SharedAnswer[OrderBook]:
        """The best offers, up to `levels` a side where the venue tells so many."""
        source = self._sources[series.exchange][series.market]
        question = ("order book", series, levels)
        return await self._answers.of(question, lambda: source.order_book(series.symbol, levels))

    async def trades(self, series: Series) -> SharedAnswer[Sequence[MarketTrade]]:
        """The newest trades, the newest first."""
        source = self._sources[series.exchange][series.market]
        return await self._answers.of(("trades", series), lambda: source.trades(series.symbol))

    async def funding(self, series: Series) -> SharedAnswer[FundingRate | None]:
        """What positions pay next, None where nothing is paid."""
        source = self._sources[series.exchange][series.market]
        return await self._answers.of(("funding", series), lambda: source.funding(series.symbol))

    async def funding_paid(self, series: Series, start: int, end: int) -> Sequence[FundingPaid]:
        """What positions paid in `[start, end)`, ascending; empty where nothing is paid."""
        return await self._sources[series.exchange][series.market].funding_paid(series.symbol, start, end)
