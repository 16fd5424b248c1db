"""Sizes of series on the database's disk: measured one by one, and reported with the time of measurement.

The database measures one collection at a time, in about a millisecond, and a collection grows some time after
a write. So an answer has the last measured size, and a new measurement runs in the background.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from backend.clock import Clock
from backend.core.series import Series
from backend.services.ports import CandleStore, Mark

AT_ONCE = 16
GOOD_FOR_MS = 60_000
"""How long a size is used without a new measurement, although candles were written since."""


class Size(NamedTuple):
    """`measured` is the moment, ms UTC."""

    bytes_on_disk: int
    measured: int


class Sizes:
    """The sizes of series as this process measured them."""

    def __init__(self, candles: CandleStore, clock: Clock) -> None:
        self._candles = candles
        self._clock = clock
        self._known: dict[Series, tuple[Size, Mark | None]] = {}

    async def of(self, series: Sequence[Series]) -> dict[Series, Size]:
        """The size of each; one that was never measured is measured now."""
        # What is known is taken before the wait: meanwhile another task may forget it.
        known = {one: self._known[one][0] for one in series if one in self._known}
        measured = await self._measure([one for one in series if one not in known], {})
        both = known | measured
        return {one: both[one] for one in series}

    async def renew(self, marks: Mapping[Series, Mark]) -> None:
        """Measure series that have changed since their measurement, unless it is recent."""
        await self._measure([one for one, mark in marks.items() if self._is_due(one, mark)], marks)

    def forget_all_but(self, series: Collection[Series]) -> None:
        """Keep no sizes of other series than these."""
        for one in self._known.keys() - series:
            del self._known[one]

    def _is_due(self, series: Series, mark: Mark) -> bool:
        if series not in self._known:
            return True
        size, measured_at = self._known[series]
        return measured_at != mark and self._clock.now() - size.measured >= GOOD_FOR_MS

    async def _measure(self, series: Sequence[Series], marks: Mapping[Series, Mark]) -> dict[Series, Size]:
        measured: dict[Series, Size] = {}
        for first in range(0, len(series), AT_ONCE):
            some = series[first : first + AT_ONCE]
            now = self._clock.now()
            sizes = await asyncio.gather(*(self._candles.bytes_on_disk(one) for one in some))
            for one, size in zip(some, sizes, strict=True):
                measured[one] = Size(size, now)
                self._known[one] = measured[one], marks.get(one)
        return measured
