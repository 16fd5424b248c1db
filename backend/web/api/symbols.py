"""`GET /api/symbols`: what a market lists, and what is stored of it, listed or not."""

from __future__ import annotations

from backend.web.api import sync_shapes, sync_views
from backend.web.server.common_parameters import EXCHANGE, MARKET, MARKET_NAME
from backend.web.server.handler import ApiHandler


class SymbolsHandler(ApiHandler):
    async def get(self) -> None:
        values = self.query(MARKET_NAME)
        exchange, market = values[EXCHANGE], values[MARKET]
        listings = await self.service.markets.named(exchange, market).symbols()
        stored = await self.service.reading.queries.stored_symbols(exchange, market)
        symbols = [
            sync_views.listing(listings[symbol], symbol in stored)
            if symbol in listings
            else sync_views.unlisted(symbol)
            for symbol in sorted(stored | listings.keys())
        ]
        self.answer(
            sync_shapes.ListingAnswer(exchange=exchange, market=market, count=len(symbols), symbols=symbols)
        )
