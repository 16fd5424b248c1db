"""`/api/follow`: which series are kept complete to the last closed minute, and how they stand."""

from __future__ import annotations

from backend.core.series import Series, series_text
from backend.errors import InvalidRequest
from backend.web.api import views
from backend.web.server import params
from backend.web.server.handler import ApiHandler

LARGEST_PAGE = 1000
KNOWN = ("symbol", "symbols", "exchange", "market", "since")


class FollowHandler(ApiHandler):
    async def get(self) -> None:
        values = self.query(("start", "limit"))
        limit = params.limit(values, LARGEST_PAGE) or LARGEST_PAGE
        start = params.text(values, "start") if "start" in values else ""
        found, following = await self.service.following.follows.page(start, limit)
        rows = [views.follow(one) for one in found]
        self.answer({"success": True, "count": len(rows), "follows": rows, "next": following})

    async def post(self) -> None:
        self.query(())
        values = self.json_object(KNOWN)
        found = await self.service.following.follows.add(self._wanted(values), params.since(values))
        self.answer({"success": True, "count": len(found), "follows": [views.follow(one) for one in found]})

    async def delete(self) -> None:
        series = self.series(self.query(("symbol", "exchange", "market")))
        await self.service.following.follows.remove(series)
        self.answer({"success": True, "series": series_text(series)})

    def _wanted(self, values: dict[str, object]) -> list[Series]:
        if "symbols" not in values:
            return [self.series(values)]
        if "symbol" in values:
            raise InvalidRequest("give either symbol or symbols", code="invalid_symbols")
        each = (self.series(values | {"symbol": symbol}) for symbol in params.symbols(values))
        return list(dict.fromkeys(each))
