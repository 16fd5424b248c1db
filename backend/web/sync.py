"""`POST /api/sync`: fetch what is missing of a series, answer when that is done."""

from __future__ import annotations

from backend.errors import InvalidRequest
from backend.services.sync import SyncResult
from backend.web import params, views
from backend.web.base import ApiHandler

KNOWN = ("symbol", "exchange", "market", "start_time", "end_time", "refresh")


class SyncHandler(ApiHandler):
    async def post(self) -> None:
        self.query(())
        values = self.json_object(KNOWN)
        series = self.series(values)
        bounds = params.time_range(values)
        start, end = bounds.window()
        if params.flag(values, "refresh"):
            if bounds.start is None or bounds.end is None:
                raise InvalidRequest("refresh needs start_time and end_time", code="missing_time")
            self._answer_result(await self.service.syncs.refresh(series, start, end))
            return
        result = await self.service.syncs.sync(
            series,
            start=None if bounds.start is None else start,
            end=None if bounds.end is None else end,
        )
        self._answer_result(result)

    def _answer_result(self, result: SyncResult) -> None:
        body = {
            "symbol": result.statistics.series.symbol,
            "new_records": result.new_records,
            "revised_records": result.revised_records,
            "statistics": views.statistics(result.statistics),
            "complete": not result.missing,
            **views.missing(result.missing),
            **views.absent(result.absent),
            "off_grid_rows": result.off_grid,
            "archive_files": result.files,
            "notes": result.notes,
        }
        if result.error is None:
            self.answer({"success": True, **body})
        else:
            self.answer_error(result.error, result.shortfall, **body)
