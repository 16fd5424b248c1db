"""Imports candles from the user's files into the store and the ledger."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import NamedTuple

from backend.clock import Clock
from backend.core.archive_file import LARGEST_TEXT, BadZip, only_text
from backend.core.archive_rows import BadRow, candles_of
from backend.core.candles import Candle, held_by, inside
from backend.core.plan import closed_until
from backend.core.series import PRICES_ONLY, Series
from backend.core.windows import HOUR, Window
from backend.errors import ExchangeError, InvalidRequest
from backend.precedence import Precedence
from backend.services.ports import CandleStore
from backend.services.syncing.durable import keep
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.markets import Markets

PATIENCE = 60.0
"""Seconds to wait for a job of the series to end."""

TRUST_IN_THIS_CLOCK = 24 * HOUR
"""How far this machine's clock may be ahead if the exchange does not tell its time (ms)."""

ENDINGS = (".csv", ".zip")

Naming = Callable[[str], tuple[str, Window] | None]
"""Reads the name of a file without its ending; None where it follows no rule."""


class Horizon(NamedTuple):
    """The end of closed time (ms) for a series, and a sentence about what was unusual, "" for nothing."""

    closed: int
    remark: str


class Imported(NamedTuple):
    """Candles of a file, those of them that were new, and those whose minutes were held already."""

    candles: int
    new_records: int
    held_before: int


class Taken(NamedTuple):
    """The result of a file: its series, and a sentence about anything unusual, "" if nothing was."""

    series: Series
    imported: Imported
    remark: str


class Imports:
    """Adds minutes that are not held. Candles from the exchange have priority: a held candle stays as it is.

    `names` has, for each exchange whose files can be imported, a function: file name -> symbol and minutes.
    """

    def __init__(
        self,
        markets: Markets,
        candles: CandleStore,
        ledgers: Ledgers,
        clock: Clock,
        names: Mapping[str, Naming] = MappingProxyType({}),
        precedence: Precedence | None = None,
    ) -> None:
        self.names = names
        self._markets = markets
        self._candles = candles
        self._ledgers = ledgers
        self._clock = clock
        self._precedence = precedence

    async def take(self, name: str, body: bytes, exchange: str, market: str, symbol: str = "") -> Taken:
        """Check a .csv or .zip file as a whole, then store its candles.

        Raises InvalidRequest, naming file, line and reason, and whatever `store` raises.
        """
        series, window = self._described(name, exchange, market, symbol)
        closed, remark = await self.horizon(series)
        within = Window(window.start, min(window.end, closed))
        if within.start >= within.end:
            raise InvalidRequest(f"{name} has minutes that are not over yet")
        candles = await asyncio.to_thread(checked_candles, name, body, within, market in PRICES_ONLY)
        return Taken(series, await self.store(series, candles), remark)

    def _described(self, name: str, exchange: str, market: str, symbol: str) -> tuple[Series, Window]:
        """The series that a file is of, and the minutes that its name promises."""
        self._markets.named(exchange, market)
        if exchange not in self.names:
            raise InvalidRequest(f"the service imports files of {', '.join(self.names)}, not of {exchange}")
        by_name, window = self.names[exchange](PurePath(name).stem) or ("", Window(0, sys.maxsize))
        series = [self._markets.series(one, exchange, market) for one in (symbol, by_name) if one]
        if not series:
            raise InvalidRequest(
                f"give the symbol: the name {name} does not contain it, as BTCUSDT-1m-2024-06.zip does"
            )
        if series[0] != series[-1]:
            raise InvalidRequest(f"{name} is a file of {series[-1].symbol}, not of {series[0].symbol}")
        return series[0], window

    async def horizon(self, series: Series) -> Horizon:
        """The end of the closed minutes. A symbol that is not listed (any more) may have a history."""
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
            written = await keep(series, fresh, self._candles, ledger, self._precedence)
        return Imported(len(candles), written.inserted, len(candles) - len(fresh))


def checked_candles(name: str, body: bytes, window: Window, prices_only: bool = False) -> list[Candle]:
    """The candles of a file, all of them checked; InvalidRequest names file, line and reason."""
    if not name.lower().endswith(ENDINGS):
        raise InvalidRequest(f"{name} is neither a .csv nor a .zip file")
    if len(body) > LARGEST_TEXT:
        raise InvalidRequest(f"{name} has over {LARGEST_TEXT} bytes: split it, for example into months")
    try:
        member, text = only_text(body) if name.lower().endswith(".zip") else ("", body)
        label = f"{name}: {member}" if member else name
        return candles_of(label, text, window, prices_only=prices_only)
    except BadZip as error:
        raise InvalidRequest(f"{name}: {error}") from error
    except BadRow as error:
        raise InvalidRequest(str(error)) from error
