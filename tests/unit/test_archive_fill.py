"""Taking long history from an archive, whatever its files are like."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.archive_file import ArchiveFile
from backend.core.candles import Candle
from backend.core.job import Tally
from backend.core.series import Series
from backend.core.windows import MINUTE, Spans, Window, count_minutes
from backend.errors import (
    DatabaseUnavailable,
    ExchangeUnavailable,
    Interrupted,
    MalformedAnswer,
    MarketDataError,
    RateLimited,
)
from backend.services.syncing.archive_fill import (
    ABSENT_FOR,
    FILES_AT_ONCE,
    GIVE_UP_AFTER,
    ArchiveFill,
    ArchiveFillResult,
)
from backend.services.syncing.ledger import Ledger
from backend.services.syncing.stop_signal import StopSignal
from tests.fakes import (
    BTC,
    MemoryCandles,
    MemoryCoverage,
    candle,
    minute,
    minutes,
    minutes_of,
    spans_of,
)

SIZE = 10
AWAY = ExchangeUnavailable("the archive cannot be reached")
BAD = MalformedAnswer("f.zip does not have the checksum")


class ScriptedArchive:
    """Fits `backend.services.ports.CandleArchive`: a file for every ten missing minutes that are whole.

    `replies` are what files by their first minute do instead of giving all their candles; `most_at_once` is
    the largest number of files that were asked for at any time.
    """

    def __init__(self) -> None:
        self.replies: dict[int, MarketDataError | Sequence[Candle] | None] = {}
        self.asked: list[int] = []
        self.looked_for: list[int] = []
        self.most_at_once = self._at_once = 0

    def files(self, symbol: str, missing: Spans, _now: int) -> Sequence[ArchiveFile]:
        starts = (
            start
            for span in missing
            for start in range(-(-span.start // SIZE // MINUTE) * SIZE * MINUTE, span.end, SIZE * MINUTE)
            if start + SIZE * MINUTE <= span.end
        )
        return [
            ArchiveFile(f"{symbol}/{start}.zip", f"{start}.csv", Window(start, start + SIZE * MINUTE))
            for start in starts
        ]

    async def has(self, file: ArchiveFile) -> bool:
        self.looked_for.append(file.window.start)
        reply = self.replies.get(file.window.start, ())
        if isinstance(reply, MarketDataError):
            raise reply
        return reply is not None

    async def candles(self, file: ArchiveFile) -> Sequence[Candle] | None:
        self.asked.append(file.window.start)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        self._at_once -= 1
        reply = self.replies.get(file.window.start, [candle(moment) for moment in minutes_of([file.window])])
        if isinstance(reply, MarketDataError):
            raise reply
        return reply if reply is None else sorted(reply, key=lambda row: row.open_time)


@dataclass
class World:
    """An archive, the two stores, and what a run told of itself."""

    archive: ScriptedArchive = field(default_factory=ScriptedArchive)
    candles: MemoryCandles = field(default_factory=MemoryCandles)
    coverage: MemoryCoverage = field(default_factory=MemoryCoverage)
    stop_signal: StopSignal = field(default_factory=StopSignal)
    told: list[Tally] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bulk = ArchiveFill({("binance", "spot"): self.archive}, self.candles)

    async def run(self, *missing: Window, series: Series = BTC) -> ArchiveFillResult:
        lease = await self.coverage.acquire(series, "tests", 60)
        assert lease is not None
        ledger = Ledger(self.coverage, lease)
        return await self.bulk.run(missing, ledger, minute(10_000), self.stop_signal, self.told.append)

    def held(self) -> set[int]:
        return minutes_of(self.coverage.known().held)


def brought(
    new_records: int, revised_records: int, minutes: int, files: int, notes: tuple[str, ...] = ()
) -> ArchiveFillResult:
    """What a run tells of itself."""
    return ArchiveFillResult(
        Tally(minutes, minutes, new_records, revised_records, archive_files=files), notes
    )


async def test_files_are_stored_and_claimed() -> None:
    world = World()
    assert await world.run(minutes(0, 50)) == brought(50, 0, 50, 5)
    assert world.candles.stored() == [candle(minute(number)) for number in range(50)]
    assert world.coverage.known().held == (minutes(0, 50),)


async def test_some_files_are_taken_side_by_side() -> None:
    world = World()
    await world.run(minutes(0, 200))
    assert world.archive.most_at_once == FILES_AT_ONCE


async def test_series_share_the_places() -> None:
    world = World()
    await asyncio.gather(
        *(world.run(minutes(0, 100), series=Series("binance", "spot", name)) for name in ("A", "B", "C"))
    )
    assert world.archive.most_at_once == FILES_AT_ONCE


async def test_a_market_without_an_archive_is_left_to_its_api() -> None:
    world = World()
    assert await world.run(minutes(0, 50), series=Series("bitget", "spot", "BTCUSDT")) == ArchiveFillResult()
    assert world.archive.asked == []


async def test_what_a_file_lacks_stays_missing_and_is_no_void() -> None:
    world = World()
    world.archive.replies[minute(10)] = [candle(minute(12)), candle(minute(15))]
    result = await world.run(minutes(0, 30))
    assert (
        result.tally.new_records,
        result.tally.minutes_done,
        result.tally.archive_files,
        result.notes,
    ) == (22, 22, 3, ())
    assert world.held() == minutes_of([minutes(0, 10), minutes(12, 13), minutes(15, 16), minutes(20, 30)])
    assert world.coverage.known().voids == ()


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (None, f"{minute(10)}.zip is not in the archive (yet)"),
        (BAD, str(BAD)),
        (AWAY, f"{minute(10)}.zip: the archive cannot be reached"),
    ],
)
async def test_a_file_that_does_not_do_is_told_and_stays_missing(
    reply: MarketDataError | None, note: str
) -> None:
    world = World()
    world.archive.replies[minute(10)] = reply
    assert await world.run(minutes(0, 30)) == brought(20, 0, 20, 2, (note,))
    assert world.held() == minutes_of([minutes(0, 10), minutes(20, 30)])


async def test_notes_are_in_the_order_of_time() -> None:
    world = World()
    world.archive.replies = dict.fromkeys((minute(number) for number in range(0, 100, 10)), BAD)
    world.archive.replies[minute(40)] = None
    notes = (await world.run(minutes(0, 100))).notes
    assert [number for number, note in enumerate(notes) if "(yet)" in note] == [4]
    assert len(world.archive.asked) == 10


async def test_an_archive_that_is_away_is_left_alone_soon() -> None:
    world = World()
    world.archive.replies = dict.fromkeys((minute(number) for number in range(0, 1000, 10)), AWAY)
    result = await world.run(minutes(0, 1000))
    assert len(world.archive.asked) < GIVE_UP_AFTER + FILES_AT_ONCE
    assert (result.tally.archive_files, result.tally.new_records) == (0, 0)
    assert result.notes[-1].endswith("more files were not asked for")
    assert world.stop_signal.reason is None


async def test_an_archive_that_refuses_everybody_is_left_alone_at_once() -> None:
    world = World()
    world.archive.replies[minute(0)] = RateLimited("the archive answered 429")
    await world.run(minutes(0, 1000))
    assert len(world.archive.asked) <= FILES_AT_ONCE


async def test_a_file_in_between_shows_that_the_archive_is_there() -> None:
    world = World()
    failing = [minute(number) for number in range(0, 1000, 10) if number % 30]
    world.archive.replies = dict.fromkeys(failing, AWAY)
    await world.run(minutes(0, 1000))
    assert len(world.archive.asked) == 100


async def test_a_stop_signal_ends_the_run_at_a_files_edge() -> None:
    world = World()
    world.stop_signal.stop(Interrupted("stopping"))
    assert await world.run(minutes(0, 100)) == ArchiveFillResult()
    assert world.archive.asked == []


async def test_a_database_that_is_away_gives_the_stop_signal() -> None:
    world = World()
    world.candles.failure = DatabaseUnavailable("away")
    result = await world.run(minutes(0, 1000))
    assert world.stop_signal.reason is world.candles.failure
    assert len(world.archive.asked) <= FILES_AT_ONCE
    assert (result.tally.new_records, result.notes) == (0, ())


async def test_nothing_is_claimed_that_is_not_stored() -> None:
    world = World()
    lease = await world.coverage.acquire(BTC, "tests", 60)
    assert lease is not None
    world.coverage.failure = DatabaseUnavailable("away")
    ledger = Ledger(world.coverage, lease)
    await world.bulk.run((minutes(0, 10),), ledger, minute(99), world.stop_signal, world.told.append)
    assert world.candles.moments() == minutes_of([minutes(0, 10)])
    assert world.coverage.entries == {}


async def test_progress_counts_minutes_of_all_that_is_missing() -> None:
    world = World()
    await world.run(minutes(0, 15))
    assert world.told == [Tally(10, 15, 10, archive_files=1)]


async def test_a_stored_candle_that_differs_is_counted_as_revised() -> None:
    world = World()
    world.candles.rows[BTC] = {minute(3): candle(minute(3), close=1.0)}
    assert await world.run(minutes(0, 10)) == brought(9, 1, 10, 1)


replies = st.sampled_from([None, BAD, AWAY]) | st.lists(st.integers(0, SIZE - 1), unique=True)


@given(st.dictionaries(st.integers(0, 20), replies), st.lists(st.integers(0, 210), unique=True))
def test_what_is_claimed_is_what_is_stored_and_was_missing(
    script: dict[int, MarketDataError | list[int] | None], moments: list[int]
) -> None:
    async def story() -> None:
        world = World()
        for number, reply in script.items():
            start = minute(number * SIZE)
            world.archive.replies[start] = (
                [candle(start + offset * MINUTE) for offset in sorted(reply)]
                if isinstance(reply, list)
                else reply
            )
        missing = spans_of(set(range(minute(0), minute(210), MINUTE)) - set(map(minute, moments)))
        result = await world.run(*missing)
        assert world.held() == world.candles.moments() <= minutes_of(missing)
        assert len(world.held()) == result.tally.new_records == result.tally.minutes_done
        assert count_minutes(missing) >= result.tally.minutes_done

    asyncio.run(story())


async def test_whether_there_is_any_file_is_found_out_and_a_no_is_remembered() -> None:
    world = World()
    assert await world.bulk.has_any(BTC, (minutes(0, 30),), minute(10_000))
    assert world.archive.looked_for == [minute(0)]
    world.archive.replies = dict.fromkeys((minute(0), minute(10), minute(20)))
    for later in (0, ABSENT_FOR - 1):
        assert not await world.bulk.has_any(BTC, (minutes(0, 30),), minute(10_000) + later)
    assert len(world.archive.looked_for) == 4
    world.archive.replies = {}
    assert await world.bulk.has_any(BTC, (minutes(0, 30),), minute(10_000) + ABSENT_FOR)


async def test_an_archive_that_is_away_or_not_there_has_no_file_and_that_is_not_remembered() -> None:
    world = World()
    world.archive.replies[minute(0)] = AWAY
    assert not await world.bulk.has_any(BTC, (minutes(0, 30),), minute(10_000))
    world.archive.replies = {}
    assert await world.bulk.has_any(BTC, (minutes(0, 30),), minute(10_000))
    assert not await world.bulk.has_any(Series("bingx", "spot", "BTCUSDT"), (minutes(0, 30),), minute(10_000))
