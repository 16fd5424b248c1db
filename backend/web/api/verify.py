"""`POST /api/verify`: compare the stored candles with the ledger, and correct the ledger."""

from __future__ import annotations

from backend.web.api import stored_views
from backend.web.server.common_parameters import EXCHANGE, MARKET, SYMBOL
from backend.web.server.handler import ApiHandler
from backend.web.streams.long_answer import unless_gone

PARAMETERS = (SYMBOL, EXCHANGE, MARKET)


class VerifyHandler(ApiHandler):
    async def post(self) -> None:
        self.query(())
        values = self.json_object(PARAMETERS)
        series = self.series(values, values[SYMBOL])
        with self.rooms.waiting.place(self.client):
            audit = await unless_gone(self.service.syncing.auditor.verify(series), self.gone)
        self.answer(stored_views.audit(audit))
