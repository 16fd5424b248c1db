"""Grids of candle intervals: where the candle that holds an instant opens, and where the next one opens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tests.simulator.times import DAY, HOUR, MINUTE

MONDAY = 4 * DAY
"""The first Monday of the epoch, 1970-01-05, ms UTC."""


@dataclass(frozen=True, slots=True)
class Grid:
    """An interval's grid: candles open at anchor + n x step (ms), shifted back by `offset` ms for a time
    zone.

    `monthly` grids open at 00:00 on the 1st; their step is only the length of a short month.
    """

    step: int
    anchor: int = 0
    monthly: bool = False
    offset: int = 0

    def shifted(self, offset: int) -> Grid:
        """Return the same grid for a zone `offset` ms east of UTC."""
        return replace(self, offset=offset)

    def floor(self, instant: int) -> int:
        """Return the open time of the candle that holds the instant, ms UTC."""
        local = instant + self.offset
        if self.monthly:
            return _month_start(local, 0) - self.offset
        return local - (local - self.anchor) % self.step - self.offset

    def following(self, open_time: int) -> int:
        """Return the open time of the candle after the one that opens at `open_time`, ms UTC."""
        if self.monthly:
            return _month_start(open_time + self.offset, 1) - self.offset
        return open_time + self.step


def _month_start(local: int, months: int) -> int:
    moment = datetime.fromtimestamp(local // 1000, UTC)
    years, month = divmod(moment.month - 1 + months, 12)
    return int(datetime(moment.year + years, month + 1, 1, tzinfo=UTC).timestamp()) * 1000


MINUTES = Grid(MINUTE)

GRIDS = {
    "1m": MINUTES,
    "3m": Grid(3 * MINUTE),
    "5m": Grid(5 * MINUTE),
    "15m": Grid(15 * MINUTE),
    "30m": Grid(30 * MINUTE),
    "1h": Grid(HOUR),
    "2h": Grid(2 * HOUR),
    "4h": Grid(4 * HOUR),
    "6h": Grid(6 * HOUR),
    "8h": Grid(8 * HOUR),
    "12h": Grid(12 * HOUR),
    "1d": Grid(DAY),
    "3d": Grid(3 * DAY),
    "1w": Grid(7 * DAY, anchor=MONDAY),
    "1M": Grid(28 * DAY, monthly=True),
}
"""Grids by the spelling that Binance uses. The anchor of `3d` is not documented; the epoch stands in for
it."""
