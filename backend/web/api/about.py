"""`GET /api/about`: what the service is, and what whoever asks may do."""

from __future__ import annotations

from backend.core.series import Series
from backend.web.openapi.document import VERSION
from backend.web.server.handler import ApiHandler


class AboutHandler(ApiHandler):
    def get(self) -> None:
        self.query(())
        key, scopes = self.guard.rights(self.request)
        self.answer(
            {
                "success": True,
                "version": VERSION,
                "markets": [
                    {
                        "exchange": exchange,
                        "market": market,
                        "imported": exchange in self.service.syncing.imports.names,
                        "pushed": self.service.streaming.live.can_hear(Series(exchange, market, "")),
                    }
                    for exchange, market in self.service.markets.names()
                ],
                "key": key,
                "scopes": scopes,
            }
        )
