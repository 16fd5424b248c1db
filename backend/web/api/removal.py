"""`DELETE /api/series/{symbol}`: take a stored series away, or a window of it."""

from __future__ import annotations

from backend.web.api import stored_views
from backend.web.server.common_parameters import END_TIME, EXCHANGE, MARKET, START_TIME, some_window
from backend.web.server.handler import ApiHandler
from backend.web.server.parameters import switch

DRY_RUN = switch("dry_run", "`true`: delete nothing, only report what the request would delete")
PARAMETERS = (EXCHANGE, MARKET, START_TIME, END_TIME, DRY_RUN)


class RemovalHandler(ApiHandler):
    async def delete(self, symbol: str) -> None:
        values = self.query(PARAMETERS)
        series = self.series(values, symbol)
        window = some_window(values)
        dry_run = values[DRY_RUN]
        remover = self.service.syncing.remover
        removed = await (remover.survey(series, window) if dry_run else remover.remove(series, window))
        self.answer(stored_views.removed(removed, dry_run=dry_run))
