"""One topic's candle while time passes: which states are due to be shown."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from tests.simulator.archive import Archive
from tests.simulator.markets import Market
from tests.simulator.rows import Row, merged, so_far
from tests.simulator.sockets.dialect import Dialect, Shown
from tests.simulator.sockets.session import Topic
from tests.simulator.times import MINUTE

if TYPE_CHECKING:
    from tests.simulator.sockets.connection import Connection

KEPT = 60
"""Minutes read ahead at most: a source makes many at once."""


class Candles:
    """The candles of a market at any instant, as they traded."""

    def __init__(self, archive: Archive, market: Market) -> None:
        self._archive = archive
        self._market = market
        self._window = (0, 0)
        self._kept: dict[int, Row] = {}

    def at(self, topic: Topic, open_time: int, instant: int) -> Row | None:
        """Return the candle as it looks at an instant (ms UTC), None where nothing is known of it."""
        if topic.grid.step == MINUTE:
            row = self._minute(open_time)
            return row and so_far(row, instant - open_time)
        rows = [
            so_far(row, instant - row.open_time)
            for row in self._archive.traded(
                self._market, open_time, min(instant + 1, topic.grid.following(open_time))
            )
            if not self._archive.faults.is_absent(row)
        ]
        return merged(open_time, rows) if rows else None

    def _minute(self, open_time: int) -> Row | None:
        if not self._window[0] <= open_time < self._window[1]:
            self._window = (open_time, self._next_reading(open_time))
            rows = self._archive.traded(self._market, *self._window)
            self._kept = {row.open_time: row for row in rows}
        row = self._kept.get(open_time)
        return None if row is None or self._archive.faults.is_absent(row) else row

    def _next_reading(self, open_time: int) -> int:
        """Return when to read again: markets take turns."""
        turn = crc32(self._market.symbol.encode()) % KEPT * MINUTE
        return open_time - (open_time - turn) % (KEPT * MINUTE) + KEPT * MINUTE


@dataclass(slots=True)
class State:
    """The candle that is shown: when it opens, when its next state is due, what was shown last."""

    open_time: int
    due: int
    last: Row | None = None


class Feed:
    """A topic that somebody listens to."""

    def __init__(self, topic: Topic, market: Market, dialect: Dialect, archive: Archive) -> None:
        self.topic = topic
        self.market = market
        self.listeners: set[Connection] = set()
        self._dialect = dialect
        self._archive = archive
        self._clock = archive.clock
        self._candles = Candles(archive, market)
        self._jumps = self._clock.jumps
        now = self._clock.now()
        self._state = State(topic.grid.floor(now), self._next_tick(now))

    def step(self, now: int) -> Iterator[Shown]:
        """Yield what became due until now (ms UTC): each candle's last state once, then the newest one."""
        state = self._continued(now)
        while now >= (ended := (following := self._following(state.open_time)) + self._lag()):
            yield from self._closing(state, following, ended)
            state = self._state = State(following, self._next_tick(ended))
        if now >= state.due:
            state.due = self._next_tick(now)
            yield from self._forming(state, now)

    def current(self) -> Shown | None:
        """Return the state of the forming candle, None where there is none yet."""
        state, following = self._state, self._following(self._state.open_time)
        instant = min(self._clock.now(), following - 1)
        row = self._candles.at(self.topic, state.open_time, instant)
        if row is None or not (row.trades or self._dialect.pushes_empty):
            return None
        return Shown(row, instant, following)

    def _continued(self, now: int) -> State:
        """Return the state to go on from: another one after the clock was set beyond the next candle."""
        if self._jumps == self._clock.jumps:
            return self._state
        self._jumps = self._clock.jumps
        next_end = self._following(self._following(self._state.open_time))
        if self._state.open_time <= now < next_end:
            self._state.due = min(self._state.due, self._next_tick(now))
        else:
            self._state = State(self.topic.grid.floor(now), now)
        return self._state

    def _closing(self, state: State, following: int, instant: int) -> Iterator[Shown]:
        row = self._candles.at(self.topic, state.open_time, following)
        if row is not None and (row.trades or not self._dialect.pushes_empty or row != state.last):
            yield Shown(row, instant, following, closing=True)

    def _forming(self, state: State, now: int) -> Iterator[Shown]:
        following = self._following(state.open_time)
        row = self._candles.at(self.topic, state.open_time, min(now, following - 1))
        if row is None or row == state.last or not (row.trades or self._dialect.pushes_empty):
            return
        state.last = row
        yield Shown(row, now, following)

    def _following(self, open_time: int) -> int:
        return self.topic.grid.following(open_time)

    def _lag(self) -> int:
        lag = self._archive.faults.sockets.closing_lag
        return self._dialect.closing_lag if lag is None else lag

    def _next_tick(self, now: int) -> int:
        """Return when the next state is due; topics do not all come at once."""
        often = self._archive.faults.sockets.frames_per_minute
        period = max(1, MINUTE // often) if often else self._dialect.cadence
        phase = crc32(self.topic.name.encode()) % period
        return now - (now - phase) % period + period
