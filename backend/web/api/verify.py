"""`POST /api/verify`: recount what is stored against the ledger, and set the ledger right."""

from __future__ import annotations

from backend.web.api import views
from backend.web.server.base import ApiHandler

KNOWN = ("symbol", "exchange", "market")


class VerifyHandler(ApiHandler):
    async def post(self) -> None:
        self.query(())
        series = self.series(self.json_object(KNOWN))
        found = await self.service.auditor.verify(series)
        self.answer({"success": True, **views.audit(found)})
