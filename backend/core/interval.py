"""Candle intervals: where their buckets begin and end, and how the world spells them.

Buckets are UTC, as Binance draws them: weeks open on Monday, months on the 1st. Where Binance's `3d` buckets
are anchored is not documented; the epoch stands in for it, as in `tests/simulator/intervals.py`.
"""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass

import numpy as np

from backend.core.columns import Integers
from backend.core.windows import HOUR, MINUTE

DAY = 24 * HOUR
MONDAY = 4 * DAY
"""The first Monday after the epoch, 1970-01-05, ms UTC."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Buckets of `step` ms counted from `anchor`; a calendar month where `step` is None."""

    name: str
    step: int | None
    anchor: int = 0

    def start(self, moment: int) -> int:
        """Where the bucket that holds `moment` opens."""
        return int(self.starts(np.array([moment]))[0])

    def following(self, start: int) -> int:
        """Where the bucket after the one that opens at `start` opens."""
        return int(self.later(np.array([start]), np.array([1]))[0])

    def ceiling(self, moment: int) -> int:
        """Where the first bucket that opens at `moment` or later opens."""
        start = self.start(moment)
        return start if start == moment else self.following(start)

    def starts(self, moments: Integers) -> Integers:
        """Where the buckets that hold `moments` open."""
        if self.step is None:
            return _from_months(_to_months(moments))
        return moments - (moments - self.anchor) % self.step

    def later(self, starts: Integers, buckets: Integers) -> Integers:
        """Where the buckets open that come so many buckets after those that open at `starts`."""
        if self.step is None:
            return _from_months(_to_months(starts) + buckets)
        return starts + buckets * self.step

    def between(self, starts: Integers, ends: Integers) -> Integers:
        """How many buckets open at `starts` or later and before `ends`, both on the grid."""
        if self.step is None:
            return _to_months(ends) - _to_months(starts)
        return (ends - starts) // self.step

    def ends(self, starts: Integers) -> Integers:
        """Where the buckets that open at `starts` end."""
        return self.later(starts, np.ones(len(starts), np.int64))

    def expected_minutes(self, starts: Integers) -> Integers:
        """How many minutes a whole bucket has."""
        return (self.ends(starts) - starts) // MINUTE

    @property
    def is_of_hours(self) -> bool:
        """Whether buckets are made of whole hours, more than one."""
        return self.step is None or (self.step > HOUR and self.step % HOUR == 0)

    @property
    def file_name(self) -> str:
        """Binance's archive says `1mo`, for file systems that do not tell `1m` from `1M`."""
        return "1mo" if self.step is None else self.name

    @property
    def least_minutes(self) -> int:
        """How many minutes a bucket has at least."""
        return (28 * DAY if self.step is None else self.step) // MINUTE

    @property
    def most_minutes(self) -> int:
        """How many minutes a bucket has at most."""
        return (31 * DAY if self.step is None else self.step) // MINUTE


def _to_months(moments: Integers) -> Integers:
    return moments.astype("M8[ms]").astype("M8[M]").astype(np.int64)


def _from_months(months: Integers) -> Integers:
    return months.astype("M8[M]").astype("M8[ms]").astype(np.int64)


INTERVALS = {
    interval.name: interval
    for interval in (
        *(Interval(f"{number}m", number * MINUTE) for number in (1, 3, 5, 15, 30)),
        *(Interval(f"{number}h", number * HOUR) for number in (1, 2, 4, 6, 8, 12)),
        Interval("1d", DAY),
        Interval("3d", 3 * DAY),
        Interval("1w", 7 * DAY, anchor=MONDAY),
        Interval("1M", None),
    )
}
"""Every interval that can be read, by Binance's spelling."""

ONE_MINUTE = INTERVALS["1m"]
ONE_HOUR = INTERVALS["1h"]

_BY_STEP = {interval.step: interval for interval in INTERVALS.values() if interval.step}

_UNITS = {
    **dict.fromkeys(("", "m", "min", "mins", "minute", "minutes"), MINUTE),
    **dict.fromkeys(("h", "hour", "hours"), HOUR),
    **dict.fromkeys(("d", "day", "days"), DAY),
    **dict.fromkeys(("w", "week", "weeks"), 7 * DAY),
}
_MONTHS = ("mo", "mon", "month", "months")
_PLAIN = re.compile(r"([1-9][0-9]{0,5})?([a-z]*)", re.ASCII)
_ISO = re.compile(r"P(?:([1-9][0-9]{0,2})([DWM])|T([1-9][0-9]{0,5})([HM]))", re.ASCII)


def parse_interval(text: str) -> Interval:
    """Read the spellings of the ecosystem: "1m", "1min", "60", "1H", "1D", "W", "PT15M", "P1D", "6Hutc".

    A lone `m` is the minute and a lone `M` the month; a bare number counts minutes. ValueError names what is
    accepted.
    """
    number, unit = _number_and_unit(text.strip())
    interval = INTERVALS["1M"] if unit == "month" and number == 1 else None
    if unit in _UNITS:
        interval = _BY_STEP.get(number * _UNITS[unit])
    if interval is None:
        raise ValueError(
            f"unknown interval {reprlib.repr(text)}: give one of {', '.join(INTERVALS)} "
            "(also 1min, 60, 1H, 1D, PT1M, P1D)"
        )
    return interval


def _number_and_unit(text: str) -> tuple[int, str]:
    """The unit is a key of _UNITS, "month", or "unknown"."""
    if iso := _ISO.fullmatch(text):
        number, letter = iso.group(1) or iso.group(3), iso.group(2) or iso.group(4)
        return int(number), "month" if iso.group(2) == "M" else letter.lower()
    text = text.removesuffix("utc")
    if re.fullmatch(r"1?M", text):
        return 1, "month"
    plain = _PLAIN.fullmatch(text.lower())
    if plain is None or not text or text.endswith("M"):
        return 0, "unknown"
    number, unit = int(plain.group(1) or 1), plain.group(2)
    return number, "month" if unit in _MONTHS else unit
