"""Intervals whose buckets open by a clock east or west of UTC: Hong Kong's day opens at 16:00 UTC."""

from __future__ import annotations

from dataclasses import dataclass

from backend.core.columns import Integers
from backend.core.interval import Interval


@dataclass(frozen=True)
class ShiftedInterval(Interval):
    """The buckets of an interval on a clock `offset` ms ahead of UTC. Moments are UTC all the same."""

    offset: int = 0

    def starts(self, moments: Integers) -> Integers:
        return Interval.starts(self, moments + self.offset) - self.offset

    def later(self, starts: Integers, buckets: Integers) -> Integers:
        return Interval.later(self, starts + self.offset, buckets) - self.offset

    def between(self, starts: Integers, ends: Integers) -> Integers:
        return Interval.between(self, starts + self.offset, ends + self.offset)


def shifted(interval: Interval, offset: int) -> Interval:
    """`interval` on a clock `offset` ms ahead of UTC; the interval itself where that changes nothing."""
    if offset == 0 or (interval.step is not None and offset % interval.step == 0):
        return interval
    return ShiftedInterval(interval.name, interval.step, interval.anchor, offset)
