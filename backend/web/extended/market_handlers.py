"""Markets at `/extended/v1`: the use cases of the routes without the prefix, in Extended's own words.

After https://api.docs.extended.exchange.
"""

from __future__ import annotations

from backend.core.interval import INTERVALS
from backend.core.selection import Selection
from backend.core.windows import Window
from backend.web.extended import extended_views as views
from backend.web.extended.envelope import VENUE, ExtendedHandler
from backend.web.extended.extended_parameters import (
    CANDLE_TYPE,
    CANDLES,
    END,
    FUNDING,
    INTERVAL,
    LIMIT,
    ONLY_MARKET,
    PRICES,
    START,
    UNTIL,
)
from backend.web.streams.long_answer import unless_gone

MOST_LEVELS = 200


class MarketsHandler(ExtendedHandler):
    async def get(self) -> None:
        only = self.query((ONLY_MARKET,))[ONLY_MARKET]
        listings = await self.service.markets.named(VENUE, "perpetual").symbols()
        self.tell([views.market(one) for one in listings.values() if only in ("", one.symbol)])


class StatsHandler(ExtendedHandler):
    async def get(self, symbol: str | None) -> None:
        self.query(())
        series, quotes = self.series_of(symbol), self.service.reading.quotes
        ticker, funding = await quotes.ticker(series), await quotes.funding(series)
        self.tell(views.stats(ticker.said, funding.said))


class BookHandler(ExtendedHandler):
    async def get(self, symbol: str | None) -> None:
        self.query(())
        series = self.series_of(symbol)
        book = await self.service.reading.quotes.order_book(series, MOST_LEVELS)
        self.tell(views.book(series.symbol, book.said))


class MarketTradesHandler(ExtendedHandler):
    """The newest, newest first."""

    async def get(self, symbol: str | None) -> None:
        self.query(())
        series = self.series_of(symbol)
        trades = await self.service.reading.quotes.trades(series)
        self.tell([views.market_trade(series.symbol, one) for one in trades.said])


class CandlesHandler(ExtendedHandler):
    """What is stored, the newest first; whole candles only."""

    async def get(self, symbol: str | None) -> None:
        values = self.query(CANDLES)
        series = self.series_of(symbol, PRICES[values[CANDLE_TYPE]])
        end = values[END]
        wanted = Selection(
            Window(0, 2**50 if end is None else end + 1),
            INTERVALS[values[INTERVAL]],
            values[LIMIT],
            newest=True,
        )
        answer = self.service.reading.mirror.page(series, wanted)
        with self.rooms.data.place(self.client):
            page = await unless_gone(answer, self.gone)
        self.tell(views.candles(page.candles)[::-1])


class FundingHandler(ExtendedHandler):
    """What was paid, the newest first."""

    async def get(self, symbol: str | None) -> None:
        values = self.query(FUNDING)
        series = self.series_of(symbol)
        paid = await self.service.reading.quotes.funding_paid(series, values[START], values[UNTIL] + 1)
        self.tell([views.funding(series.symbol, one) for one in reversed(paid)], count=len(paid))
