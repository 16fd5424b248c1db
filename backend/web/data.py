"""`GET /api/data/{symbol}`: the stored candles of a series, streamed."""

from __future__ import annotations

import msgspec

from backend.web import params, views
from backend.web.base import ApiHandler

KNOWN = ("exchange", "market", "start_time", "end_time", "limit")


class DataHandler(ApiHandler):
    async def get(self, symbol: str | None) -> None:
        values = self.query(KNOWN) | {"symbol": symbol}
        series = self.series(values)
        window = params.time_range(values).window()
        limit = params.limit(values)
        batches = await self.service.queries.candles(series, window, None if limit is None else limit + 1)
        self.write(b'{"success":true,"symbol":%b,"data":[' % msgspec.json.encode(series.symbol))
        count, following = 0, None
        async for batch in batches:
            if limit is not None and count + len(batch) > limit:
                following = batch[limit - count].open_time
                batch = batch[: limit - count]
            if batch:
                self.write((b"," if count else b"") + views.candle_rows(batch))
                count += len(batch)
                await self.flush()
        self.finish(b'],"count":%d,"next":%b}' % (count, msgspec.json.encode(following)))
