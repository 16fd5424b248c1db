"""`GET /markets/{symbol}/ticker` and `/orderbook`: what the prices of a market are now."""

from __future__ import annotations

from backend.services.reading.quotes import MOST_LEVELS
from backend.web.api import quote_shapes, quote_views
from backend.web.api.common_views import maybe_iso
from backend.web.server.common_parameters import MARKET_NAME
from backend.web.server.handler import ApiHandler
from backend.web.server.parameters import whole

LEVELS = whole("limit", "The most offers of each side", highest=MOST_LEVELS, default=20)
BOOK = (*MARKET_NAME, LEVELS)


class TickerHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        series = self.series(self.query(MARKET_NAME), symbol)
        told = await self.service.reading.quotes.ticker(series)
        self.answer(
            quote_shapes.TickerAnswer(**quote_views.read(series, told), ticker=quote_views.ticker(told.said))
        )


class OrderBookHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        values = self.query(BOOK)
        series = self.series(values, symbol)
        told = await self.service.reading.quotes.order_book(series, values[LEVELS])
        self.answer(
            quote_shapes.OrderBookAnswer(
                **quote_views.read(series, told),
                bids=quote_views.levels(told.said.bids),
                asks=quote_views.levels(told.said.asks),
                time=maybe_iso(told.said.time),
            )
        )
