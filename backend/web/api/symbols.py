"""`GET /api/symbols`: what a market lists, and what is stored of it, listed or not."""

from __future__ import annotations

from backend.services.syncing.markets import DEFAULT_EXCHANGE, DEFAULT_MARKET
from backend.web.api import views
from backend.web.server import params
from backend.web.server.handler import ApiHandler

KNOWN = ("exchange", "market")


class SymbolsHandler(ApiHandler):
    async def get(self) -> None:
        values = self.query(KNOWN)
        exchange = params.text(values, "exchange", DEFAULT_EXCHANGE)
        market = params.text(values, "market", DEFAULT_MARKET)
        listings = await self.service.markets.named(exchange, market).symbols()
        stored = await self.service.reading.queries.stored_symbols(exchange, market)
        symbols = [
            views.listing(listings[symbol], symbol in stored)
            if symbol in listings
            else views.unlisted(symbol)
            for symbol in sorted(stored | listings.keys())
        ]
        self.answer(
            {
                "success": True,
                "exchange": exchange,
                "market": market,
                "count": len(symbols),
                "symbols": symbols,
            }
        )
