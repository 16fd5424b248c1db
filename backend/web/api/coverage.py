"""What is there of a series and what is not: `GET /api/coverage/{symbol}` in windows, `GET /api/map/{symbol}`
in buckets, `GET /api/weeks` of many series in a letter a week."""

from __future__ import annotations

import asyncio

from backend.core.coverage_map import asked_for, coverage_map
from backend.core.windows import MINUTE, Window
from backend.formats.reader_request import interval_of
from backend.web.api import views
from backend.web.server import params
from backend.web.server.handler import ApiHandler
from backend.web.streams.stream_request import series_of

KNOWN = ("exchange", "market", "start_time", "end_time")
MOST_BUCKETS = 10_000


class CoverageHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        values = self.query(KNOWN)
        series = self.series(values | {"symbol": symbol})
        window = params.time_range(values).window()
        known = await self.service.reading.queries.coverage(series)
        about = {"symbol": series.symbol, "exchange": series.exchange, "market": series.market}
        self.answer({"success": True, **about, **views.coverage(known, window)})


class MapHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        values = self.query((*KNOWN, "interval"))
        series = self.series(values | {"symbol": symbol})
        interval = interval_of(values)
        window = params.time_range(values).window()
        known = await self.service.reading.queries.coverage(series)
        start = interval.start(max(window.start, asked_for(known).start))
        end = interval.start(start + MOST_BUCKETS * interval.least_minutes * MINUTE)
        found = coverage_map(known, interval, Window(max(start, window.start), min(end, window.end)))
        following = end if end < min(window.end, asked_for(known).end) else None
        about = {"symbol": series.symbol, "exchange": series.exchange, "market": series.market}
        about["interval"] = interval.name
        columns = views.coverage_map(found)
        self.answer({"success": True, **about, "count": len(found.held), **columns, "next": following})


class WeeksHandler(ApiHandler):
    async def get(self) -> None:
        series = series_of(params.text(self.query(("series",)), "series"), self.service.markets)
        ledgers = await asyncio.gather(*map(self.service.reading.queries.known, series))
        found = [views.weeks(one, known) for one, known in zip(series, ledgers, strict=True)]
        self.answer({"success": True, "count": len(found), "weeks": found})
