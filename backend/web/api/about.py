"""`GET /api/about`: what the service is, and what the client may do."""

from __future__ import annotations

from backend.core.series import Series
from backend.web.api.service_shapes import About, Market
from backend.web.openapi.document import VERSION
from backend.web.server.handler import ApiHandler


class AboutHandler(ApiHandler):
    def get(self) -> None:
        self.query(())
        key, scopes = self.guard.rights(self.request)
        imported, can_hear = self.service.syncing.imports.names, self.service.streaming.live.can_hear
        markets = [
            Market(exchange, market, exchange in imported, can_hear(Series(exchange, market, "")))
            for exchange, market in self.service.markets.names()
        ]
        self.answer(About(version=VERSION, markets=markets, key=key, scopes=scopes))
