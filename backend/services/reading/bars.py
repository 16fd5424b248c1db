"""Candles of any interval from the stored minutes, in batches, forwards and backwards, with flat memory."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Protocol

from backend.clock import LATEST
from backend.core.columns import Columns
from backend.core.fill import filled, flat
from backend.core.interval import ONE_HOUR, ONE_MINUTE
from backend.core.rollup import rollup
from backend.core.selection import Selection
from backend.core.series import Series
from backend.core.windows import Window
from backend.services.ports import CandleStore
from backend.services.streaming.rolling import Bars, gathered, rolled, rolled_back

__all__ = ["Bars", "Hours", "on_grid", "read_bars", "read_bars_back"]


class Hours(Protocol):
    """Candles of an hour that are kept, and others that are made."""

    def __call__(self, window: Window, *, backwards: bool = False) -> Bars:
        """Those of a window in ascending batches; `backwards` gives the newest batch first."""


MOST_ROWS = 4_000
"""Stored minutes in one read."""

LEAST_ROWS = 500
"""A query for fewer rows is not worth its cost."""

KEPT_ROWS = 20_000
"""Up to this number of newest candles stay in memory during the walk back. For more, they are read a second
time."""


async def read_bars(
    store: CandleStore, series: Series, wanted: Selection, hours: Hours | None = None
) -> Bars:
    """The wanted candles in ascending batches, the oldest batch first; `hours` tells kept ones."""
    reader = _Reader(store, series, wanted, hours)
    bars = reader.forwards()
    if wanted.newest and wanted.limit is not None:
        bars = _newest(store, series, wanted, hours)
    async with aclosing(_first(bars, wanted.limit)) as batches:
        async for batch in batches:
            yield batch


async def read_bars_back(
    store: CandleStore, series: Series, wanted: Selection, hours: Hours | None = None
) -> Bars:
    """The newest `limit` of the wanted candles: the newest batch first, each batch ascending."""
    async with aclosing(_Reader(store, series, wanted, hours).backwards()) as batches:
        left = wanted.limit
        async for batch in batches:
            yield batch if left is None else batch[-left:]
            left = None if left is None else left - len(batch)
            if left is not None and left <= 0:
                return


async def _first(bars: Bars, limit: int | None) -> Bars:
    async with aclosing(bars):
        async for batch in bars:
            yield batch[:limit]
            limit = None if limit is None else limit - len(batch)
            if limit is not None and limit <= 0:
                return


async def _newest(store: CandleStore, series: Series, wanted: Selection, hours: Hours | None) -> Bars:
    """Walk back to where the newest `limit` candles begin, then give them ascending."""
    kept: list[Columns] = []
    rows, start = 0, wanted.window.end
    async with aclosing(read_bars_back(store, series, wanted, hours)) as batches:
        async for batch in batches:
            rows += len(batch)
            start = int(batch.open_time[0])
            kept = [*kept, batch] if rows <= KEPT_ROWS else []
    if rows <= KEPT_ROWS:
        for batch in reversed(kept):
            yield batch
        return
    again = replace(wanted, window=Window(start, wanted.window.end), newest=False)
    async with aclosing(read_bars(store, series, again, hours)) as batches:
        async for batch in batches:
            yield batch


class _Reader:
    """Reads one selection. Its window is on the grid of its interval."""

    def __init__(self, store: CandleStore, series: Series, wanted: Selection, hours: Hours | None) -> None:
        self._store = store
        self._series = series
        self._wanted = wanted
        self._hours = hours

    def forwards(self) -> Bars:
        wanted = self._wanted
        if wanted.interval.is_of_hours or wanted.interval is ONE_HOUR:
            bars = self._hours(wanted.window) if self._hours else rolled(self._minutes(), ONE_HOUR)
            bars = gathered(rolled(bars, wanted.interval) if wanted.interval.is_of_hours else bars)
        elif wanted.interval is ONE_MINUTE:
            bars = self._minutes()
        else:
            bars = gathered(rolled(self._minutes(), wanted.interval))
        return self._filled(bars) if self._wanted.fill else bars

    def backwards(self) -> Bars:
        wanted = self._wanted
        minutes = partial(self._minutes, backwards=True)
        if wanted.interval.is_of_hours or wanted.interval is ONE_HOUR:
            kept = self._hours
            bars = kept(wanted.window, backwards=True) if kept else rolled_back(minutes(), ONE_HOUR)
            bars = rolled_back(bars, wanted.interval) if wanted.interval.is_of_hours else bars
            bars = gathered(bars, backwards=True)
        elif wanted.interval is ONE_MINUTE:
            bars = minutes()
        else:
            bars = gathered(rolled_back(minutes(), wanted.interval), backwards=True)
        return self._filled_back(bars) if self._wanted.fill else bars

    async def _minutes(self, *, backwards: bool = False) -> Bars:
        wanted = self._wanted
        rows = wanted.limit if wanted.interval is ONE_MINUTE and not wanted.fill else None
        batches = self._store.columns(
            self._series, wanted.window, rows, backwards=backwards, batch=self._batch()
        )
        async with aclosing(batches):
            async for batch in batches:
                yield batch

    def _batch(self) -> int:
        """The minutes that a small answer needs, so that it reads no more."""
        if self._wanted.limit is None:
            return MOST_ROWS
        enough = (self._wanted.limit + 1) * self._wanted.interval.most_minutes
        return max(LEAST_ROWS, min(enough, MOST_ROWS))

    async def _filled(self, bars: Bars) -> Bars:
        """Each batch waits for the next one: the start of that one shows how long the hole between them
        is."""
        window, interval = self._wanted.window, self._wanted.interval
        before = await self._neighbour(Window(0, window.start), backwards=True)
        held: Columns | None = None
        async with aclosing(bars):
            async for batch in bars:
                start = int(batch.open_time[0])
                if held is None and before is not None and start > window.start:
                    held = flat(window.start, float(before.close[-1]), batch)
                for piece in filled(held, interval, start) if held is not None else ():
                    yield piece
                held = batch
        if held is None:
            held = await self._inside_a_hole(before)
        if held is not None:
            for piece in filled(held, interval, await self._filled_until(held)):
                yield piece

    async def _filled_back(self, bars: Bars) -> Bars:
        window, interval = self._wanted.window, self._wanted.interval
        until: int | None = None
        async with aclosing(bars):
            async for batch in bars:
                until = await self._filled_until(batch) if until is None else until
                for piece in filled(batch, interval, until, backwards=True):
                    yield piece
                until = int(batch.open_time[0])
                model = batch
        before = await self._neighbour(Window(0, window.start), backwards=True)
        if until is None:
            held = await self._inside_a_hole(before)
            until = window.end
        elif before is not None and window.start < until:
            held = flat(window.start, float(before.close[-1]), model)
        else:
            held = None
        for piece in filled(held, interval, until, backwards=True) if held is not None else ():
            yield piece

    async def _inside_a_hole(self, before: Columns | None) -> Columns | None:
        """The first filled candle of a window that has no stored candle but lies between stored candles."""
        window, interval = self._wanted.window, self._wanted.interval
        if before is None or window.start >= window.end:
            return None
        if await self._neighbour(Window(window.end, LATEST + 1), backwards=False) is None:
            return None
        model = before if interval is ONE_MINUTE else rollup(before, interval)
        return flat(window.start, float(before.close[-1]), model)

    async def _filled_until(self, last: Columns) -> int:
        """The window's end when something is stored after it, else the end of the last candle."""
        window, interval = self._wanted.window, self._wanted.interval
        if await self._neighbour(Window(window.end, LATEST + 1), backwards=False) is not None:
            return window.end
        return interval.following(int(last.open_time[-1]))

    async def _neighbour(self, window: Window, *, backwards: bool) -> Columns | None:
        """The first or last stored minute of a window."""
        if window.start >= window.end:
            return None
        batches = self._store.columns(self._series, window, 1, backwards=backwards)
        async with aclosing(batches):
            return await anext(batches, None)


def on_grid(wanted: Selection, known_until: int) -> Selection:
    """The same with a window of whole buckets: those that open in it, without the forming one unless wanted.

    `known_until` is the end of the last minute that the exchange was asked for.
    """
    interval = wanted.interval
    start, end = interval.ceiling(wanted.window.start), interval.ceiling(wanted.window.end)
    if interval is not ONE_MINUTE and not wanted.forming:
        end = min(end, interval.start(known_until))
    return replace(wanted, window=Window(start, max(start, end)))
