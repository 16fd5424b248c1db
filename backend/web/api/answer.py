"""The body of an answer with candles: pages cut, counted, written in a format, compressed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from backend.core.columns import Columns
from backend.core.series import Series
from backend.web.api.data_request import Reading
from backend.web.server.compression import compressor

LARGE = 1 << 16
"""Bytes from which compressing is worth a thread."""


class Answer:
    """Turns candles into the bytes of one answer, `rows` of them. `minutes` and `last` tell what was read."""

    def __init__(self, series: Series, asked: Reading, coding: str | None) -> None:
        self._asked = asked
        self._encoder = asked.format.make(series, asked.layout)
        self._coding = coding
        self._compressor = compressor(coding)
        self.rows = 0
        self._following: int | None = None
        self.minutes = 0
        self.last = 0

    def begin(self) -> bytes:
        return self._compressor.compress(self._encoder.begin())

    async def candles(self, batch: Columns) -> bytes:
        """The next bytes, perhaps none; `batch` is in the order of the answer."""
        self._count(batch)
        page = self._clipped(batch)
        written = self._encoder.candles(page) if len(page) else b""
        if self._coding and len(written) >= LARGE:
            return await asyncio.to_thread(self._compressor.compress, written)
        return self._compressor.compress(written)

    def end(self) -> Iterator[bytes]:
        for piece in self._encoder.end(self._following):
            yield self._compressor.compress(piece)
        yield self._compressor.flush()

    def close(self) -> None:
        self._encoder.close()

    def _count(self, batch: Columns) -> None:
        self.minutes += len(batch) if batch.minutes is None else int(batch.minutes.sum())
        self.last = max(self.last, int(batch.open_time.max()))

    def _clipped(self, batch: Columns) -> Columns:
        """The rows of the page. The one after it was read to tell where the next page begins."""
        left = len(batch) if self._asked.page is None else self._asked.page - self.rows
        if left < len(batch):
            self._following = int(batch.open_time[left])
        self.rows += min(left, len(batch))
        return batch[:left]
