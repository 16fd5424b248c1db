"""`/api/follow`: followed series and their state."""

from __future__ import annotations

from backend.core.series import Series, series_text
from backend.web.api import sync_shapes, sync_views
from backend.web.server.common_parameters import EXCHANGE, MARKET, SYMBOL, SYMBOLS, symbols_of
from backend.web.server.handler import ApiHandler
from backend.web.server.parameters import Values, minute, text, whole

START = text("start", "First name in the answer: `binance.spot.BTCUSDT`", default="")
LIMIT = whole("limit", "Most entries in the answer", highest=1000, default=1000)
LISTING = (START, LIMIT)
SINCE = minute("since", "First open time to keep")
FOLLOWING = (SYMBOL, SYMBOLS, EXCHANGE, MARKET, SINCE)
LEAVING = (SYMBOL, EXCHANGE, MARKET)


class FollowHandler(ApiHandler):
    async def get(self) -> None:
        values = self.query(LISTING)
        limit, start = values[LIMIT], values[START]
        follows, following = await self.service.following.follows.page(start, limit)
        rows = [sync_views.follow(one) for one in follows]
        self.answer(sync_shapes.FollowsPage(count=len(rows), follows=rows, next=following))

    async def post(self) -> None:
        self.query(())
        values = self.json_object(FOLLOWING)
        follows = await self.service.following.follows.add(self._wanted(values), values[SINCE])
        self.answer(
            sync_shapes.FollowsAnswer(count=len(follows), follows=[sync_views.follow(one) for one in follows])
        )

    async def delete(self) -> None:
        values = self.query(LEAVING)
        series = self.series(values, values[SYMBOL])
        await self.service.following.follows.remove(series)
        self.answer(sync_shapes.Unfollowed(series=series_text(series)))

    def _wanted(self, values: Values) -> list[Series]:
        return list(dict.fromkeys(self.series(values, symbol) for symbol in symbols_of(values)))
