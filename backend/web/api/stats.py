"""`GET /api/stats/{symbol}`: how much of a series is stored."""

from __future__ import annotations

from backend.web.api import views
from backend.web.server.handler import ApiHandler

KNOWN = ("exchange", "market")


class StatsHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        series = self.series(self.query(KNOWN) | {"symbol": symbol})
        found = await self.service.reading.queries.statistics(series)
        revisions = await self.service.reading.queries.revision_count(series)
        self.answer({"success": True, "statistics": views.statistics(found) | {"revisions": revisions}})
