"""`DELETE /api/series/{symbol}`: take a stored series away, or a window of it."""

from __future__ import annotations

from backend.web.api import views
from backend.web.server import params
from backend.web.server.handler import ApiHandler

KNOWN = ("exchange", "market", "start_time", "end_time", "dry_run")


class RemovalHandler(ApiHandler):
    async def delete(self, symbol: str) -> None:
        values = self.query(KNOWN)
        series = self.series(values | {"symbol": symbol})
        window = params.some_window(values)
        dry_run = params.switch(values, "dry_run")
        remover = self.service.syncing.remover
        found = await (remover.survey(series, window) if dry_run else remover.remove(series, window))
        self.answer({"success": True, "dry_run": dry_run, **views.removed(found)})
