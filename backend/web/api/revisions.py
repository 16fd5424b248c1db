"""`GET /api/revisions/{symbol}`: stored candles that the exchange later told differently."""

from __future__ import annotations

from backend.web.api import views
from backend.web.server import params
from backend.web.server.handler import ApiHandler

KNOWN = ("exchange", "market", "start_time", "end_time", "limit")
PAGE = 1000
LARGEST_PAGE = 10_000


class RevisionsHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        values = self.query(KNOWN) | {"symbol": symbol}
        series = self.series(values)
        window = params.time_range(values).window()
        limit = params.limit(values, LARGEST_PAGE) or PAGE
        found = await self.service.reading.queries.revisions(series, window, limit + 1)
        rows = [views.revision(revision) for revision in found[:limit]]
        following = found[limit].open_time if len(found) > limit else None
        about = {"success": True, "symbol": series.symbol, "count": len(rows)}
        self.answer(about | {"revisions": rows, "next": following})
