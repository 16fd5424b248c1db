"""Candles from files of the user's own into the store and the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from backend.clock import Clock
from backend.core.candles import Candle, held_by, inside
from backend.core.plan import closed_until
from backend.core.series import Series
from backend.core.windows import HOUR, Window
from backend.errors import ExchangeError
from backend.services.ports import CandleStore
from backend.services.syncing.durable import keep
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.markets import Markets

PATIENCE = 60.0
"""Seconds to wait for a job of the series to end."""

TRUST_IN_THIS_CLOCK = 24 * HOUR
"""How far this machine's clock may be ahead, where the exchange cannot be asked for the time (ms)."""


class Horizon(NamedTuple):
    """The end of closed time (ms) for a series, and a sentence about what was unusual, "" for nothing."""

    closed: int
    remark: str


class Imported(NamedTuple):
    """Candles of a file, those of them that were new, and those whose minutes were held already."""

    candles: int
    new_records: int
    held_before: int


class Imports:
    """Fills what is not held yet. The exchange's own word stands: a held candle stays as it is."""

    def __init__(self, markets: Markets, candles: CandleStore, ledgers: Ledgers, clock: Clock) -> None:
        self._markets = markets
        self._candles = candles
        self._ledgers = ledgers
        self._clock = clock

    async def horizon(self, series: Series) -> Horizon:
        """Until when minutes are closed. A symbol that is not listed (any more) may have a history."""
        source = self._markets.source(series)
        try:
            now, listed = await source.now(), series.symbol in await source.symbols()
        except ExchangeError as error:
            closed = closed_until(self._clock.now() - TRUST_IN_THIS_CLOCK)
            return Horizon(closed, f"{error}: what is younger than a day by this machine's clock is refused")
        unlisted = f"{series.exchange} does not list {series.symbol} on its {series.market} market (any more)"
        return Horizon(closed_until(now), "" if listed else f"{unlisted}: its file is taken all the same")

    async def store(self, series: Series, candles: Sequence[Candle]) -> Imported:
        """Store checked, ascending candles of closed minutes and claim them when all are on disk.

        A crash in the middle leaves candles that the ledger does not claim: nobody counts on them, and the
        next import or sync writes them again. Raises DatabaseUnavailable, SeriesBusy while a job
        of the series runs.
        """
        held = held_by(candles)
        wanted = Window(held[0].start, held[-1].end)
        async with self._ledgers.hold(series, PATIENCE) as ledger:
            fresh = inside(candles, ledger.coverage.held.missing_from(held))
            await self._candles.create(series)
            await ledger.record(lambda known: known.asked(wanted))
            written = await keep(series, fresh, self._candles, ledger)
        return Imported(len(candles), written.inserted, len(candles) - len(fresh))
