"""`GET /api/revisions/{symbol}`: stored candles that the exchange later told differently."""

from __future__ import annotations

from backend.web.api import stored_views
from backend.web.api.stored_shapes import RevisionsAnswer
from backend.web.server.common_parameters import END_TIME, EXCHANGE, MARKET, START_TIME, time_range
from backend.web.server.handler import ApiHandler
from backend.web.server.parameters import whole

LIMIT = whole("limit", "Most entries in the answer", highest=10_000, default=1000)
PARAMETERS = (EXCHANGE, MARKET, START_TIME, END_TIME, LIMIT)


class RevisionsHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        values = self.query(PARAMETERS)
        series = self.series(values, symbol)
        window, limit = time_range(values).window(), values[LIMIT]
        revisions = await self.service.reading.queries.revisions(series, window, limit + 1)
        rows = [stored_views.revision(revision) for revision in revisions[:limit]]
        following = revisions[limit].open_time if len(revisions) > limit else None
        self.answer(RevisionsAnswer(symbol=series.symbol, count=len(rows), revisions=rows, next=following))
