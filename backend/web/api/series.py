"""`GET /api/series`: everything that is stored, over all markets."""

from __future__ import annotations

from backend.web.api import views
from backend.web.server import params
from backend.web.server.handler import ApiHandler

KNOWN = ("start", "limit")
PAGE = 100
LARGEST_PAGE = 1000


class SeriesHandler(ApiHandler):
    async def get(self) -> None:
        values = self.query(KNOWN)
        limit = params.limit(values, LARGEST_PAGE) or PAGE
        start = params.text(values, "start") if "start" in values else ""
        catalogue = self.service.reading.catalogue
        named = [one for one in await catalogue.series() if one.name >= start]
        rows = [views.stored(found) for found in await catalogue.stored(named[:limit])]
        following = named[limit].name if len(named) > limit else None
        self.answer({"success": True, "count": len(rows), "series": rows, "next": following})
