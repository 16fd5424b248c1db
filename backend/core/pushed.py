"""The newest pushed candles of one series: the forming minute, and the minutes that have just ended."""

from __future__ import annotations

from dataclasses import dataclass

from backend.core.candles import Candle
from backend.core.windows import MINUTE

KEPT = 5
"""Number of ended minutes in memory. Forming candles of longer intervals need them until they are stored."""


@dataclass(frozen=True, slots=True)
class PushedCandles:
    """Candles in their newest known state. They need not be final.

    `forming` is the newest minute, unless the exchange has closed it. `ended` are minutes before it,
    ascending.
    """

    forming: Candle | None = None
    ended: tuple[Candle, ...] = ()

    @property
    def newest(self) -> int:
        """The newest pushed open time, 0 before the first."""
        return max((candle.open_time for candle in (*self.ended[-1:], self.forming) if candle), default=0)

    def told(self, candle: Candle, *, closed: bool) -> PushedCandles:
        """With one more state of a candle. A late state counts for its minute; a state off the grid does not
        count."""
        if candle.open_time % MINUTE:
            return self
        if candle.open_time < self.newest or closed:
            return self._late(candle)
        if self.forming is None or self.forming.open_time == candle.open_time:
            after = self.ended and self.ended[-1].open_time >= candle.open_time
            return self if after else PushedCandles(candle, self.ended)
        return PushedCandles(candle, (*self.ended, self.forming)[-KEPT:])

    def _late(self, candle: Candle) -> PushedCandles:
        by_minute = {one.open_time: one for one in self.ended} | {candle.open_time: candle}
        ended = tuple(by_minute[moment] for moment in sorted(by_minute))[-KEPT:]
        forming = self.forming
        if forming and forming.open_time <= candle.open_time:
            forming = None
        return PushedCandles(forming, ended)
