"""`GET /api/series`: everything that is stored, over all markets."""

from __future__ import annotations

from backend.web.api import stored_shapes, stored_views
from backend.web.server.handler import ApiHandler
from backend.web.server.parameters import text, whole

START = text("start", "First name in the answer: `binance.spot.BTCUSDT`", default="")
LIMIT = whole("limit", "Most entries in the answer", highest=1000, default=100)
PARAMETERS = (START, LIMIT)


class SeriesHandler(ApiHandler):
    async def get(self) -> None:
        values = self.query(PARAMETERS)
        limit, start = values[LIMIT], values[START]
        catalogue = self.service.reading.catalogue
        named = [one for one in await catalogue.series() if one.name >= start]
        rows = [stored_views.stored(stored) for stored in await catalogue.stored(named[:limit])]
        following = named[limit].name if len(named) > limit else None
        self.answer(stored_shapes.StoredAnswer(count=len(rows), series=rows, next=following))
