"""Candles as the text or the bytes of one answer: pages cut, counted, written in a format."""

from __future__ import annotations

from collections.abc import Iterator

from backend.core.columns import Columns
from backend.core.series import Series
from backend.formats.reader_request import ReaderRequest


class CandlesAnswer:
    """Turns candles into the bytes of one answer, `rows` of them. `minutes` and `last` tell what was read."""

    def __init__(self, series: Series, asked: ReaderRequest) -> None:
        self._asked = asked
        self._encoder = asked.format.make(series, asked.layout)
        self._following: int | None = None
        self.rows = 0
        self.minutes = 0
        self.last = 0

    def begin(self) -> bytes:
        return self._encoder.begin()

    def candles(self, batch: Columns) -> bytes:
        """The next bytes, perhaps none; `batch` is in the order of the answer."""
        self._count(batch)
        page = self._clipped(batch)
        return self._encoder.candles(page) if len(page) else b""

    def end(self) -> Iterator[bytes]:
        yield from self._encoder.end(self._following)

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
