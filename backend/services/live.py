"""What sockets tell of series, held in memory: who runs late, hears nothing or restarts loses nothing by it.

Candles that are told here are not stored from here, but for those that an exchange says are closed
(`services/append.py`). Whatever was missed is fetched by the keeper's visits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from backend.clock import Clock
from backend.core.candles import Candle
from backend.core.series import Series
from backend.core.tape import Tape
from backend.services.ports import CandleStream

HEARD_FOR = 90.0
"""Seconds after its last frame for which a series counts as pushed: thin markets push once a minute."""

SILENT = Tape()


class Live:
    """Has series pushed for as long as somebody wants it: the keeper, or who watches forming candles."""

    def __init__(self, streams: Mapping[tuple[str, str], CandleStream], clock: Clock) -> None:
        self._streams = streams
        self._clock = clock
        self._kept: set[Series] = set()
        self._watched: Counter[Series] = Counter()
        self._tapes: dict[Series, Tape] = {}
        self._heard: dict[Series, float] = {}

    def keep(self, series: Collection[Series]) -> None:
        """Have exactly these pushed, beside those that are watched."""
        self._kept = set(series)

    @contextmanager
    def watching(self, series: Sequence[Series]) -> Iterator[None]:
        """Have these pushed too for as long as the block lasts."""
        self._watched.update(series)
        try:
            yield
        finally:
            self._watched.subtract(series)
            self._watched += Counter()

    def tape(self, series: Series) -> Tape:
        """What was told of `series` lately: nothing while it is not pushed."""
        return self._tapes.get(series, SILENT) if self.is_heard(series) else SILENT

    def is_heard(self, series: Series) -> bool:
        """Whether candles of `series` are pushed to this process."""
        heard = self._heard.get(series)
        return heard is not None and self._clock.monotonic() - heard <= HEARD_FOR

    def can_hear(self, series: Series) -> bool:
        """Whether there are sockets for the market of `series`."""
        return (series.exchange, series.market) in self._streams

    def told(self, series: Series, candle: Candle, *, closed: bool) -> None:
        """Take in what a socket said."""
        self._heard[series] = self._clock.monotonic()
        self._tapes[series] = self._tapes.get(series, SILENT).told(candle, closed=closed)
