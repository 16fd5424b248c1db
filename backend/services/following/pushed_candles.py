"""Pushed candles in memory. A process that receives none, or restarts, loses nothing.

If the exchange says that a candle is closed, the candle is stored. If not, a frame of the next minute only
starts a request for the last one. The keeper's visits fetch everything else. Sockets make visits cheaper, but
never replace them.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

from backend.clock import Clock
from backend.core.candles import Candle
from backend.core.pushed import PushedCandles
from backend.core.series import Series
from backend.services.venue_ports import CandleStream

log = logging.getLogger(__name__)

HEARD_FOR = 90.0
"""A series counts as pushed for this many seconds after its last frame: thin markets push once a minute."""

SILENT = PushedCandles()

Market = tuple[str, str]
OnClosed = Callable[[Series, Candle], None]
OnEnded = Callable[[Series, int], None]


class LiveCandles:
    """Subscribes to series while somebody needs them: the keeper, or a reader of forming candles.

    `on_closed` gets the closed candles of kept series. `on_ended` gets the end (ms) of minutes that are over
    but not reported as closed.
    """

    def __init__(self, streams: Mapping[Market, CandleStream], clock: Clock) -> None:
        self._streams = streams
        self._clock = clock
        self._on_closed: OnClosed = _ignore
        self._on_ended: OnEnded = _ignore
        self._kept: frozenset[Series] = frozenset()
        self._watched: Counter[Series] = Counter()
        self._wanted_since: dict[Series, float] = {}
        self._deaf: set[Series] = set()
        self._pushed: dict[Series, PushedCandles] = {}
        self._heard: dict[Series, float] = {}
        self._lost: set[Series] = set()

    def start(self, on_closed: OnClosed, on_ended: OnEnded) -> None:
        """Open connections from now on, and pass their candles to the keeper's side."""
        self._on_closed, self._on_ended = on_closed, on_ended
        for market, stream in self._streams.items():
            stream.start(_MarketListener(self, market))

    async def stop(self) -> None:
        """Close all connections."""
        for stream in self._streams.values():
            await stream.stop()

    def keep(self, series: Collection[Series]) -> None:
        """Subscribe to exactly these, besides the watched ones. Call this every second."""
        self._kept = frozenset(filter(self.can_hear, series))
        self._choose()

    @contextmanager
    def watching(self, series: Sequence[Series]) -> Iterator[None]:
        """Subscribe to these too while the block runs."""
        heard = list(filter(self.can_hear, series))
        self._watched.update(heard)
        self._choose()
        try:
            yield
        finally:
            self._watched.subtract(heard)
            self._watched += Counter()
            self._choose()

    def pushed(self, series: Series) -> PushedCandles:
        """The newest pushed candles of `series`; none while it is not pushed."""
        return self._pushed.get(series, SILENT) if self.is_heard(series) else SILENT

    def is_heard(self, series: Series) -> bool:
        """Whether candles of `series` are pushed to this process."""
        heard = self._heard.get(series)
        return heard is not None and self._clock.monotonic() - heard <= HEARD_FOR

    def can_hear(self, series: Series) -> bool:
        """Whether there are sockets for the market of `series`."""
        return (series.exchange, series.market) in self._streams

    def take_lost(self) -> set[Series]:
        """The kept series that lost their candles since the last call, once or more often."""
        lost, self._lost = self._lost, set()
        return lost

    def told(self, series: Series, candle: Candle, *, closed: bool) -> None:
        """Take in what a socket said."""
        self._heard[series] = self._clock.monotonic()
        before = self._pushed.get(series, SILENT)
        after = self._pushed[series] = before.told(candle, closed=closed)
        if series not in self._kept:
            return
        if closed:
            self._on_closed(series, candle)
        elif before.newest and after.newest > before.newest:
            self._on_ended(series, after.newest)

    def lost(self, series: Collection[Series], reason: str) -> None:
        """These series receive no candles for now. Part of a minute must not look like a whole one."""
        now = self._clock.monotonic()
        for one in series:
            self._pushed.pop(one, None)
            if self._heard.pop(one, None) is not None and one in self._kept:
                self._lost.add(one)
            if one in self._wanted_since:
                self._wanted_since[one] = now
        log.debug("the exchange pushes no candles of %d series: %s", len(series), reason)

    def _choose(self) -> None:
        """Tell the sockets which symbols to subscribe to."""
        now = self._clock.monotonic()
        wanted = self._kept | self._watched.keys()
        self._wanted_since = {one: self._wanted_since.get(one, now) for one in wanted}
        for known in (self._pushed, self._heard):
            for one in known.keys() - wanted:
                del known[one]
        by_market: dict[Market, set[str]] = {market: set() for market in self._streams}
        for one in wanted:
            by_market[one.exchange, one.market].add(one.symbol)
        for market, symbols in by_market.items():
            self._streams[market].want(symbols)
        self._tell_deaf(now)

    def _tell_deaf(self, now: float) -> None:
        """Log series that receive nothing: exchanges accept some subscriptions and then send nothing."""
        deaf = {
            one
            for one, since in self._wanted_since.items()
            if now - max(since, self._heard.get(one, since)) > HEARD_FOR
        }
        if new := sorted(one.name for one in deaf - self._deaf):
            names = ", ".join(new[:3]) + (" and others" if len(new) > 3 else "")
            log.warning(
                "the exchange pushes no candles of %d series, so requests fetch them: %s", len(new), names
            )
        self._deaf = deaf


class _MarketListener:
    """Listens to one market. Implements `services.ports.StreamListener`."""

    def __init__(self, live: LiveCandles, market: Market) -> None:
        self._live = live
        self._market = market

    def on_candle(self, symbol: str, candle: Candle, *, closed: bool) -> None:
        self._live.told(Series(*self._market, symbol), candle, closed=closed)

    def on_lost(self, symbols: Collection[str], reason: str) -> None:
        self._live.lost([Series(*self._market, symbol) for symbol in symbols], reason)


def _ignore(_series: Series, _what: object) -> None:
    """Nobody keeps follows here."""
