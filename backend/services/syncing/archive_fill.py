"""Reads long history from an exchange's public archive, file by file. The API brings the rest.

Candles of a file are stored like others. Minutes that a file lacks stay missing: only the API can say that a
minute does not exist. If a file is absent or wrong, a note says so, and its minutes stay missing too.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from backend.core.archive_file import ArchiveFile
from backend.core.candles import Candle
from backend.core.job import Tally
from backend.core.series import Series
from backend.core.windows import HOUR, Spans, count_minutes
from backend.errors import ExchangeError, MalformedAnswer, MarketDataError, RateLimited
from backend.precedence import Precedence
from backend.services.ports import CandleStore
from backend.services.syncing.durable import keep
from backend.services.syncing.ledger import Ledger
from backend.services.syncing.stop_signal import StopSignal
from backend.services.venue_ports import CandleArchive

log = logging.getLogger(__name__)

FILES_AT_ONCE = 3
"""Files that are downloaded, checked and written side by side, for all series together."""

DAY = 24 * HOUR
ABSENT_FOR = HOUR
"""How long (ms) the service remembers that the archive does not have a series."""

MOST_ABSENT = 1000
"""Most such series in memory."""

GIVE_UP_AFTER = 3
"""After this many failed downloads in a row the archive counts as away."""


class ArchiveFillResult(NamedTuple):
    """The candles of the archive, and a note for each unusable file."""

    tally: Tally = Tally()
    notes: tuple[str, ...] = ()


class ArchiveFill:
    """The archives by exchange and market, and the store of their candles."""

    def __init__(
        self,
        archives: Mapping[tuple[str, str], CandleArchive],
        store: CandleStore,
        precedence: Precedence | None = None,
    ) -> None:
        self._archives = archives
        self._store = store
        self._precedence = precedence
        self._turns = asyncio.Semaphore(FILES_AT_ONCE)
        self._absent: OrderedDict[Series, int] = OrderedDict()

    async def has_any(self, series: Series, missing: Spans, now: int) -> bool:
        """Whether the archive has a file for any of `missing` at exchange time `now`.

        False if there is no archive, or if it does not answer. Each file needs a request. So days are checked
        only if no whole month is missing, and a "no" is remembered for a while.
        """
        archive = self._archives.get((series.exchange, series.market))
        if archive is None or now - self._absent.get(series, now - ABSENT_FOR) < ABSENT_FOR:
            return False
        files = archive.files(series.symbol, missing, now)
        try:
            for file in [file for file in files if file.window.end - file.window.start > DAY] or files:
                async with self._turns:
                    if await archive.has(file):
                        return True
        except ExchangeError as error:
            log.warning(
                "%s: the archive could not be searched, the API brings all minutes: %s", series.name, error
            )
            return False
        self._absent[series] = now
        if len(self._absent) > MOST_ABSENT:
            self._absent.popitem(last=False)
        return False

    async def run(
        self,
        missing: Spans,
        ledger: Ledger,
        now: int,
        stop_signal: StopSignal,
        on_progress: Callable[[Tally], None],
    ) -> ArchiveFillResult:
        """Read the useful files for `missing` at exchange time `now`, until the stop signal.

        Raises no error of the archive. A lost database or a lost lease gives the stop signal.
        """
        series = ledger.series
        archive = self._archives.get((series.exchange, series.market))
        if archive is None:
            return ArchiveFillResult()
        files = archive.files(series.symbol, missing, now)
        taking = _ArchiveRun(
            series=series,
            archive=archive,
            files=files,
            store=self._store,
            ledger=ledger,
            stop_signal=stop_signal,
            turns=self._turns,
            precedence=self._precedence,
        )
        await taking.run(count_minutes(missing), on_progress)
        return taking.result()


class _ArchiveRun:
    """One pass over the files of one series; used once."""

    def __init__(
        self,
        *,
        series: Series,
        archive: CandleArchive,
        files: Sequence[ArchiveFile],
        store: CandleStore,
        ledger: Ledger,
        stop_signal: StopSignal,
        turns: asyncio.Semaphore,
        precedence: Precedence | None,
    ) -> None:
        self._series = series
        self._archive = archive
        self._files = deque(files)
        self._store = store
        self._ledger = ledger
        self._stop_signal = stop_signal
        self._turns = turns
        self._precedence = precedence
        self._notes: list[tuple[ArchiveFile, str]] = []
        self._lost_in_a_row = 0
        self._done = self._new = self._revised = self._taken = 0

    async def run(self, total: int, on_progress: Callable[[Tally], None]) -> None:
        """Work until no file is left, or until more work is useless. `total` is the number of missing
        minutes."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(FILES_AT_ONCE, len(self._files))):
                workers.create_task(self._work(lambda: on_progress(self._tally(total))))

    def result(self) -> ArchiveFillResult:
        notes = tuple(note for _, note in sorted(self._notes, key=lambda told: told[0].window))
        return ArchiveFillResult(self._tally(self._done), notes)

    async def _work(self, report: Callable[[], None]) -> None:
        while self._files and not self._stop_signal.reason:
            async with self._turns:
                if self._files and not self._stop_signal.reason:
                    await self._take(self._files.popleft())
            report()

    async def _take(self, file: ArchiveFile) -> None:
        try:
            candles = await self._archive.candles(file)
        except MalformedAnswer as error:
            self._lost_in_a_row = 0
            self._note(file, str(error))
        except ExchangeError as error:
            self._lose(file, error)
        else:
            self._lost_in_a_row = 0
            await self._keep(file, candles)

    async def _keep(self, file: ArchiveFile, candles: Sequence[Candle] | None) -> None:
        if candles is None:
            self._note(file, f"{file.name} is not in the archive (yet)")
            return
        try:
            written = await keep(self._series, candles, self._store, self._ledger, self._precedence)
        except MarketDataError as error:
            self._stop_signal.stop(error)
            return
        self._new += written.inserted
        self._revised += written.replaced
        self._done += len(candles)
        self._taken += 1

    def _lose(self, file: ArchiveFile, error: ExchangeError) -> None:
        self._note(file, f"{file.name}: {error}")
        self._lost_in_a_row += 1
        if self._lost_in_a_row >= GIVE_UP_AFTER or isinstance(error, RateLimited):
            if self._files:
                left = f"the archive does not answer: {len(self._files)} more files were not asked for"
                self._note(self._files[0], left)
            self._files.clear()

    def _note(self, file: ArchiveFile, note: str) -> None:
        log.warning("%s: %s", self._series.name, note)
        self._notes.append((file, note))

    def _tally(self, total: int) -> Tally:
        return Tally(
            minutes_done=self._done,
            minutes_total=total,
            new_records=self._new,
            revised_records=self._revised,
            archive_files=self._taken,
        )
