"""The facts of every stored series for listings: kept in this process, and as exact as a fresh read.

One query reads the marks of all ledgers (`ports.Mark`). Only series that any process has changed since are
read again. The catalogue also refreshes recently listed series in the background, so that the next listing
seldom waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, NamedTuple

from backend.clock import LATEST, Clock
from backend.core.columns import Columns, joined
from backend.core.coverage import Coverage
from backend.core.day import MINUTES_A_DAY, Day, day_of
from backend.core.follow import Reach, reach_of
from backend.core.series import Series
from backend.core.statistics import Statistics, statistics_of
from backend.core.strip import Strip, strip_of
from backend.core.windows import MINUTE, Window
from backend.loops import Loops
from backend.services.ports import CandleStore, CoverageStore, Mark
from backend.services.reading.instruments import DECIMALS_FROM, Decimals, Instrument, decimals_of, instrument
from backend.services.reading.remembered import Remembered
from backend.services.reading.sizes import Size, Sizes

ALL_TIME = Window(0, LATEST + 1)
NO_LEDGER = Mark((), holds=False)

LOOK_SECONDS = 5.0
"""Seconds between two looks for changes of listed series."""

UNTIL_READ = float("inf")
WANTED_SECONDS = 600.0
"""How long after a listing its facts are refreshed in the background."""

Marks = Mapping[Series, Mark]


class Stored(NamedTuple):
    """A stored series and its size on the database's disk."""

    statistics: Statistics
    size: Size


class Known(NamedTuple):
    """The facts of a ledger. `listed` is the exchange's first candle, or the first stored one, in ms UTC."""

    statistics: Statistics
    listed: int | None
    reach: Reach | None
    strip: Strip


class Last(NamedTuple):
    """The close of the newest candle, which is over at `closed` (ms UTC, exclusive)."""

    price: float
    closed: int


class Newest(NamedTuple):
    """The facts of the newest candles."""

    last: Last
    decimals: Decimals


class Catalogue:
    """All may raise DatabaseUnavailable. Marks are those of series that hold candles."""

    def __init__(
        self, candles: CandleStore, coverage: CoverageStore, clock: Clock, loops: Loops | None = None
    ) -> None:
        self._candles = candles
        self._coverage = coverage
        self._clock = clock
        self._loops = loops or Loops(clock)
        self._known = Remembered(self._read_ledgers)
        self._newest = Remembered(self._read_newest)
        self._days = Remembered(self._read_days)
        self._sizes = Sizes(candles, clock)
        self._wanted_until: dict[Remembered[Any], float] = {}
        self._keeping: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Read everything that can be listed once. From now on keep listed facts current."""
        self._wanted_until |= dict.fromkeys((self._known, self._newest, self._days), UNTIL_READ)
        self._keeping = self._loops.start("listings of what is stored", self._keep)

    async def stop(self) -> None:
        """Keep it no longer."""
        if self._keeping:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping

    async def series(self) -> list[Series]:
        """Every series that has a place in the database, by name."""
        return await self._candles.stored_series()

    async def stored(self, series: Sequence[Series]) -> list[Stored]:
        """How much of some series is stored. A series without candles is no error."""
        facts = await self.known(series, await self._coverage.marks_of(series))
        return [Stored(known.statistics, size) for known, size in facts.values()]

    async def marks(self) -> Marks:
        """The mark of every ledger."""
        return await self._coverage.marks()

    async def known(self, series: Sequence[Series], marks: Marks) -> dict[Series, tuple[Known, Size]]:
        """The facts of some ledgers, read again if `marks` have changed, and the sizes of the series."""
        self._note(self._known)
        known = await self._known.of({one: marks.get(one, NO_LEDGER) for one in series})
        sizes = await self._sizes.of(series)
        return {one: (known[one], sizes[one]) for one in series}

    async def held(self, exchange: str, market: str) -> dict[Series, Mark]:
        """The series of a market that hold candles, by name."""
        return _holding(await self._coverage.marks((exchange, market)))

    async def held_of(self, series: Collection[Series]) -> dict[Series, Mark]:
        """Those of some series that hold candles."""
        return _holding(await self._coverage.marks_of(series))

    async def instruments(self, marks: Marks) -> list[Instrument]:
        """The instrument of each series."""
        self._note(self._known)
        self._note(self._newest)
        known, newest = await self._known.of(marks), await self._newest.of(marks)
        return [
            instrument(series, known[series].listed, candle.decimals)
            for series in marks
            if (candle := newest[series])
        ]

    async def prices(self, marks: Marks) -> dict[Series, Last]:
        """The newest close of each. A series whose candles somebody deleted by hand has none."""
        self._note(self._newest)
        return {series: newest.last for series, newest in (await self._newest.of(marks)).items() if newest}

    async def days(self, marks: Marks) -> dict[Series, Day]:
        """The same of the last 24 hours."""
        self._note(self._days)
        return {series: day for series, day in (await self._days.of(marks)).items() if day}

    def _note(self, facts: Remembered[Any]) -> None:
        """Remember that somebody listed these series, and may list them again."""
        self._wanted_until[facts] = self._clock.monotonic() + WANTED_SECONDS

    async def _keep(self) -> None:
        now = self._clock.monotonic()
        if wanted := [facts for facts, until in self._wanted_until.items() if now < until]:
            await self._read_changed(wanted)
        await self._clock.sleep(LOOK_SECONDS)

    async def _read_changed(self, wanted: Sequence[Remembered[Any]]) -> None:
        marks = await self._coverage.marks()
        for kept in (self._known, self._newest, self._days, self._sizes):
            kept.forget_all_but(marks)
        for facts in wanted:
            await facts.of(marks)
            if self._wanted_until[facts] == UNTIL_READ:
                self._wanted_until[facts] = 0.0
        if self._known in wanted:
            await self._sizes.renew(marks)

    async def _read_ledgers(self, series: Sequence[Series]) -> dict[Series, Known]:
        ledgers = await self._coverage.load_all(series)
        return {
            one: Known(statistics_of(one, ledger), _listed(ledger), reach_of(ledger), strip_of(ledger))
            for one, ledger in ledgers.items()
        }

    async def _read_newest(self, series: Sequence[Series]) -> dict[Series, Newest | None]:
        candles = await asyncio.gather(*(self._candles_of(one, DECIMALS_FROM) for one in series))
        return {
            one: Newest(last_of(columns), decimals_of(columns)) if columns else None
            for one, columns in zip(series, candles, strict=True)
        }

    async def _read_days(self, series: Sequence[Series]) -> dict[Series, Day | None]:
        candles = await asyncio.gather(*(self._candles_of(one, MINUTES_A_DAY) for one in series))
        return {one: day_of(day) if day else None for one, day in zip(series, candles, strict=True)}

    async def _candles_of(self, series: Series, number: int) -> Columns | None:
        """The newest candles, None where there is none."""
        batches = self._candles.columns(series, ALL_TIME, number, backwards=True)
        async with aclosing(batches) as open_batches:
            parts = [part async for part in open_batches]
        return joined(parts[::-1]) if parts else None


def last_of(newest: Columns) -> Last:
    """The last of ascending candles, not none."""
    return Last(float(newest.close[-1]), int(newest.open_time[-1]) + MINUTE)


def _holding(marks: Marks) -> dict[Series, Mark]:
    return {series: mark for series, mark in marks.items() if mark.holds}


def _listed(ledger: Coverage) -> int | None:
    first = ledger.first_candle or (ledger.held.start if ledger.held else None)
    return None if first is None else int(first)
