"""Pages of candles as JSON text, quickly: finished candles are rendered once and kept in chunks."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

from tests.simulator.archive import FOREVER, Archive
from tests.simulator.intervals import Grid
from tests.simulator.markets import Market
from tests.simulator.rows import Row
from tests.simulator.times import BLOCK, Window

Render = Callable[[Row, int], bytes]
"""How an exchange prints a candle: (row, open time of the following candle in ms UTC) -> JSON bytes."""


class Chunk(NamedTuple):
    """Neighbouring candles: open times (ms UTC, ascending) and the JSON text of each."""

    open_times: array[int]
    texts: list[bytes]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which candles a page holds: open times from start to end (ms UTC, both included), at most `limit` of
    them, the newest ones instead of the oldest when `newest`."""

    start: int
    end: int
    limit: int
    newest: bool

    def reach(self, listed: int, now: int, step: int) -> Window:
        """Return the first and last instant (ms UTC) that a full page can cover: `limit` candles of `step`
        ms."""
        start, end = max(self.start, listed), min(self.end, now)
        if self.newest:
            return max(start, end - self.limit * step), end
        return start, min(end, start + self.limit * step - 1)

    def widened(self, margin: int) -> Selection:
        """Return a selection that begins and ends `margin` ms outside this one, with four rows more."""
        return replace(self, start=self.start - margin, end=self.end + margin, limit=self.limit + 4)


class Pages:
    """Answer candle requests from an archive, keeping at most `cached_chunks` chunks (about 250 kB each)."""

    def __init__(self, archive: Archive, cached_chunks: int) -> None:
        self._archive = archive
        self._cached = lru_cache(maxsize=cached_chunks)(self._rendered)

    def page(self, market: Market, grid: Grid, wanted: Selection, render: Render) -> list[bytes]:
        """Return the JSON texts of the selected candles, oldest first; the forming one is last."""
        tail = self._forming(market, grid, wanted, render)
        start = max(wanted.start, grid.floor(market.listed))
        end = min(wanted.end, self._archive.finished_until(grid) - 1, (market.delisted or FOREVER) - 1)
        span = _span(grid)
        numbers = range(start // span, end // span + 1)
        if wanted.newest:
            return (
                self._newest(
                    reversed(numbers), (market, grid, render), (start, end), wanted.limit - len(tail)
                )
                + tail
            )
        rows = self._oldest(numbers, (market, grid, render), (start, end), wanted.limit)
        return (rows + tail)[: wanted.limit]

    def _oldest(
        self, numbers: Iterable[int], what: tuple[Market, Grid, Render], bounds: tuple[int, int], limit: int
    ) -> list[bytes]:
        rows: list[bytes] = []
        for number in numbers:
            rows += self._within(number, what, bounds)
            if len(rows) >= limit:
                return rows[:limit]
        return rows

    def _newest(
        self, numbers: Iterable[int], what: tuple[Market, Grid, Render], bounds: tuple[int, int], limit: int
    ) -> list[bytes]:
        rows: list[bytes] = []
        for number in numbers if limit else ():
            rows = self._within(number, what, bounds) + rows
            if len(rows) >= limit:
                return rows[len(rows) - limit :]
        return rows

    def _within(self, number: int, what: tuple[Market, Grid, Render], bounds: tuple[int, int]) -> list[bytes]:
        open_times, texts = self._chunk(number, *what)
        return texts[bisect_left(open_times, bounds[0]) : bisect_right(open_times, bounds[1])]

    def _chunk(self, number: int, market: Market, grid: Grid, render: Render) -> Chunk:
        span = _span(grid)
        start, end = number * span, (number + 1) * span
        if self._archive.faults.change(market.symbol, start, grid.following(grid.floor(end))):
            return self._rendered(number, market.symbol, grid, render)
        return self._cached(number, market.symbol, grid, render)

    def _rendered(self, number: int, symbol: str, grid: Grid, render: Render) -> Chunk:
        span = _span(grid)
        rows = self._archive.candles(symbol, grid, number * span, (number + 1) * span)
        texts = [render(row, grid.following(row.open_time)) for row in rows]
        return Chunk(array("q", [row.open_time for row in rows]), texts)

    def _forming(self, market: Market, grid: Grid, wanted: Selection, render: Render) -> list[bytes]:
        if wanted.end < self._archive.finished_until(grid):
            return []
        row = self._archive.forming(market, grid)
        if row is None or not wanted.start <= row.open_time <= wanted.end:
            return []
        return [render(row, grid.following(row.open_time))]


def _span(grid: Grid) -> int:
    """Return the ms that a chunk covers: a block of minutes, or a candle where that is longer."""
    return grid.step * max(1, BLOCK // grid.step)
