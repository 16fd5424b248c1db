"""`GET /api/stats/{symbol}`: how much of a series is stored."""

from __future__ import annotations

from backend.web.api import stored_views
from backend.web.server.common_parameters import MARKET_NAME
from backend.web.server.handler import ApiHandler


class StatsHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        series = self.series(self.query(MARKET_NAME), symbol)
        statistics = await self.service.reading.queries.statistics(series)
        revisions = await self.service.reading.queries.revision_count(series)
        self.answer(stored_views.statistics_answer(statistics, revisions))
