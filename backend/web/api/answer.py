"""The body of an answer with candles, compressed if the client accepts that."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from backend.core.columns import Columns
from backend.formats.candle_answer import CandlesAnswer
from backend.web.server.compression import compressor

LARGE = 1 << 16
"""From this size (bytes) compressing is worth a thread."""


class CompressedAnswer:
    """An answer in a content coding, None for none."""

    def __init__(self, answer: CandlesAnswer, coding: str | None) -> None:
        self._answer = answer
        self._coding = coding
        self._compressor = compressor(coding)

    def begin(self) -> bytes:
        return self._compressor.compress(self._answer.begin())

    async def candles(self, batch: Columns) -> bytes:
        """The next bytes, perhaps none; `batch` is in the order of the answer."""
        written = self._answer.candles(batch)
        if self._coding and len(written) >= LARGE:
            return await asyncio.to_thread(self._compressor.compress, written)
        return self._compressor.compress(written)

    def end(self) -> Iterator[bytes]:
        for piece in self._answer.end():
            yield self._compressor.compress(piece)
        yield self._compressor.flush()
