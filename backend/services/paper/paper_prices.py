"""The real markets in which paper accounts trade, from what the service knows and asks anyway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from backend.clock import Clock
from backend.core.quotes import FundingPaid, FundingRate, OrderBook, Ticker
from backend.core.series import Listing, Series
from backend.core.windows import MINUTE, Window
from backend.errors import ExchangeRefused
from backend.services.orders.facts import series_of
from backend.services.paper.ports import RulesSource
from backend.services.ports import CandleStore
from backend.services.reading.quotes import Quotes
from backend.services.syncing.markets import Markets
from backend.trading.paper.paper_book import Instrument
from backend.trading.paper.paper_time import Bar
from backend.trading.rows import Product

LEVELS = 50
"""Offers of a side that an order may take; what is beyond them is as good as not offered."""
RULES_SECONDS = 600.0
MOST_MARKETS = 1000


class _Known(NamedTuple):
    instrument: Instrument
    until: float


class MarketPrices:
    """Fits `services.paper.ports.PaperPrices`."""

    def __init__(
        self, *, markets: Markets, quotes: Quotes, candles: CandleStore, rules: RulesSource, clock: Clock
    ) -> None:
        self._markets = markets
        self._quotes = quotes
        self._candles = candles
        self._rules = rules
        self._clock = clock
        self._known: dict[tuple[str, Product, str], _Known] = {}

    async def instrument(self, venue: str, product: Product, symbol: str) -> Instrument:
        """A market, believed for ten minutes."""
        key, now = (venue, product, symbol), self._clock.monotonic()
        known = self._known.get(key)
        if known is None or known.until < now:
            if len(self._known) >= MOST_MARKETS:
                self._known.clear()
            known = self._known[key] = _Known(await self._ask(venue, product, symbol), now + RULES_SECONDS)
        return known.instrument

    async def ticker(self, venue: str, product: Product, symbol: str) -> Ticker:
        return (await self._quotes.ticker(_series(venue, product, symbol))).said

    async def offers(self, venue: str, product: Product, symbol: str) -> OrderBook:
        return (await self._quotes.order_book(_series(venue, product, symbol), LEVELS)).said

    async def funding(self, venue: str, product: Product, symbol: str) -> FundingRate | None:
        return (await self._quotes.funding(_series(venue, product, symbol))).said

    async def funding_paid(
        self, venue: str, product: Product, symbol: str, start: int, end: int
    ) -> Sequence[FundingPaid]:
        return await self._quotes.funding_paid(_series(venue, product, symbol), start, end)

    async def bars(
        self, venue: str, product: Product, symbol: str, start: int, end: int
    ) -> AsyncIterator[Bar]:
        if start >= end:
            return
        window = Window(start, end)
        columns = self._candles.columns(_series(venue, product, symbol), window)
        try:
            async for part in columns:
                for place in range(len(part)):
                    prices = (part.open, part.high, part.low, part.close, part.volume)
                    yield Bar(
                        int(part.open_time[place]) + MINUTE,
                        *(Decimal(repr(float(column[place]))) for column in prices),
                    )
        finally:
            await columns.aclose()

    async def _ask(self, venue: str, product: Product, symbol: str) -> Instrument:
        series = _series(venue, product, symbol)
        listing: Listing | None = (await self._markets.source(series).symbols()).get(series.symbol)
        if listing is None or listing.native != symbol:
            raise ExchangeRefused(f"{venue} lists no market {symbol} of {product}")
        return Instrument(
            product=product,
            symbol=symbol,
            base=listing.base,
            quote=listing.quote,
            rules=await self._rules.rules(venue, product, symbol),
        )


def _series(venue: str, product: Product, symbol: str) -> Series:
    try:
        return series_of(venue, product, symbol)
    except (KeyError, ValueError) as error:
        raise ExchangeRefused(f"{venue} lists no market {symbol[:50]!r} of {product}") from error
