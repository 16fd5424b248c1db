"""`GET /api/coverage/{symbol}`: is a series complete, and if not, where?"""

from __future__ import annotations

from backend.web.api import views
from backend.web.server.handler import ApiHandler

KNOWN = ("exchange", "market")


class CoverageHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        series = self.series(self.query(KNOWN) | {"symbol": symbol})
        known = await self.service.reading.queries.coverage(series)
        about = {"symbol": series.symbol, "exchange": series.exchange, "market": series.market}
        self.answer({"success": True, **about, **views.coverage(known)})
