"""What is there of a series and what is not: `GET /api/coverage/{symbol}` in windows, `GET /api/map/{symbol}`
in buckets."""

from __future__ import annotations

from backend.core.coverage_map import asked_for, coverage_map
from backend.core.interval import INTERVALS
from backend.core.windows import MINUTE, Window
from backend.web.api import stored_views
from backend.web.server.common_parameters import END_TIME, EXCHANGE, MARKET, START_TIME, interval, time_range
from backend.web.server.handler import ApiHandler

MOST_BUCKETS = 10_000
COVERAGE = (EXCHANGE, MARKET, START_TIME, END_TIME)
INTERVAL = interval(f"How long a bucket is: {', '.join(INTERVALS)}")
MAP = (EXCHANGE, MARKET, INTERVAL, START_TIME, END_TIME)


class CoverageHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        values = self.query(COVERAGE)
        series = self.series(values, symbol)
        window = time_range(values).window()
        known = await self.service.reading.queries.coverage(series)
        self.answer(stored_views.coverage(series, known, window))


class MapHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        values = self.query(MAP)
        series = self.series(values, symbol)
        interval = values[INTERVAL]
        window = time_range(values).window()
        known = await self.service.reading.queries.coverage(series)
        start = interval.start(max(window.start, asked_for(known).start))
        end = interval.start(start + MOST_BUCKETS * interval.least_minutes * MINUTE)
        counts = coverage_map(known, interval, Window(max(start, window.start), min(end, window.end)))
        following = end if end < min(window.end, asked_for(known).end) else None
        self.answer(stored_views.coverage_map(series, interval.name, counts, following))
