"""`GET /api/overview`: all that is stored or followed, a line a series."""

from __future__ import annotations

import asyncio

import msgspec

from backend.web.api import stored_shapes, stored_views
from backend.web.server.compression import compressor
from backend.web.server.handler import ApiHandler
from backend.web.server.negotiation import accepted_coding
from backend.web.server.parameters import text, whole

START = text("start", "First name in the answer: `binance.spot.BTCUSDT`", default="")
LIMIT = whole("limit", "Most entries in the answer", highest=1000, default=100)
PARAMETERS = (START, LIMIT)


class OverviewHandler(ApiHandler):
    """Tornado makes the entity tag from the bytes, and answers 304 if the client has them."""

    async def get(self) -> None:
        values = self.query(PARAMETERS)
        stored, following = await self.service.reading.overview.page(values[START], values[LIMIT])
        rows = [stored_views.overview_row(one) for one in stored]
        answer = stored_shapes.OverviewAnswer(count=len(rows), series=rows, next=following)
        self.add_header("Cache-Control", "no-cache")
        self.set_header("Vary", "Accept-Encoding")
        self.finish(await self._coded(msgspec.json.encode(answer)))

    async def _coded(self, body: bytes) -> bytes:
        coding = accepted_coding(self.request.headers.get("Accept-Encoding", ""))
        if coding is None:
            return body
        self.set_header("Content-Encoding", coding)
        made = compressor(coding)
        return await asyncio.to_thread(lambda: made.compress(body) + made.flush())
