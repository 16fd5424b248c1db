"""`GET /api/data/{symbol}`: the stored candles of a series, streamed."""

from __future__ import annotations

import msgspec

from backend.core.columns import candles_of
from backend.services.bars import Selection
from backend.web import params, views
from backend.web.base import ApiHandler

KNOWN = ("exchange", "market", "start_time", "end_time", "limit")


class DataHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        values = self.query(KNOWN) | {"symbol": symbol}
        series = self.series(values)
        window = params.time_range(values).window()
        limit = params.limit(values)
        wanted = Selection(window, limit=None if limit is None else limit + 1)
        batches = await self.service.queries.bars(series, wanted)
        self.write(b'{"success":true,"symbol":%b,"data":[' % msgspec.json.encode(series.symbol))
        count, following = 0, None
        async for columns in batches:
            batch = candles_of(columns)
            if limit is not None and count + len(batch) > limit:
                following = batch[limit - count].open_time
                batch = batch[: limit - count]
            if batch:
                self.write((b"," if count else b"") + views.candle_rows(batch))
                count += len(batch)
                await self.flush()
        self.finish(b'],"count":%d,"next":%b}' % (count, msgspec.json.encode(following)))
