"""When the ledgers are looked at: each second, at once when nudged, and never more often than is useful."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import replace

from backend.core.coverage import Coverage
from backend.core.minutes import Minutes
from backend.core.series import Series
from backend.errors import DatabaseUnavailable
from backend.services.streaming.ledger_watch import LEAST_SECONDS, LedgerWatch
from tests.fakes import BTC, START, FakeClock, MemoryCoverage, minutes

KNOWN = Coverage(START, held=Minutes.of((minutes(0, 5),)), until=minutes(0, 5).end)


class CountingCoverage(MemoryCoverage):
    """Remembers when it was looked at."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__()
        self._clock = clock
        self.looks: list[float] = []

    async def load_all(self, series: Collection[Series]) -> dict[Series, Coverage]:
        self.looks.append(self._clock.monotonic())
        return await super().load_all(series)


@asynccontextmanager
async def listened(coverage: MemoryCoverage, clock: FakeClock) -> AsyncIterator[LedgerWatch]:
    """A pulse to which somebody listens."""
    ledger_watch = LedgerWatch(coverage, clock)
    ledger_watch.start()
    with ledger_watch.listening([BTC]):
        yield ledger_watch
    await ledger_watch.stop()


async def test_without_a_nudge_the_ledgers_are_looked_at_each_second() -> None:
    clock = FakeClock()
    coverage = CountingCoverage(clock)
    async with listened(coverage, clock):
        await clock.sleep(5.5)
    assert coverage.looks == [0, 1, 2, 3, 4, 5]


async def test_a_nudge_makes_it_look_at_once() -> None:
    clock = FakeClock()
    coverage = CountingCoverage(clock)
    async with listened(coverage, clock) as ledger_watch:
        await clock.sleep(0.5)
        coverage.entries[BTC] = KNOWN
        news = ledger_watch.news
        ledger_watch.nudge()
        await news.wait()
        assert clock.monotonic() == 0.5
        assert ledger_watch.known == {BTC: KNOWN}


async def test_many_nudges_are_few_looks() -> None:
    clock = FakeClock()
    coverage = CountingCoverage(clock)
    async with listened(coverage, clock) as ledger_watch:
        for _ in range(1000):
            ledger_watch.nudge()
            await clock.sleep(0.001)
    assert 1 / LEAST_SECONDS - 2 <= len(coverage.looks) <= 1 / LEAST_SECONDS + 1


async def test_who_is_not_concerned_by_a_change_sees_the_same_object() -> None:
    clock = FakeClock()
    coverage = MemoryCoverage()
    eth = Series("binance", "spot", "ETHUSDT")
    coverage.entries = {BTC: KNOWN, eth: KNOWN}
    async with listened(coverage, clock) as ledger_watch:
        with ledger_watch.listening([eth]):
            await clock.sleep(0.5)
            before = dict(ledger_watch.known)
            coverage.entries = {BTC: KNOWN.asked(minutes(5, 6)), eth: replace(KNOWN)}
            await clock.sleep(1)
            assert ledger_watch.known[eth] is before[eth]
            assert ledger_watch.known[BTC] == coverage.entries[BTC] != before[BTC]


async def test_it_goes_on_when_the_database_is_back() -> None:
    clock = FakeClock()
    coverage = MemoryCoverage()
    coverage.entries[BTC] = KNOWN
    coverage.failure = DatabaseUnavailable("away")
    async with listened(coverage, clock) as ledger_watch:
        news = ledger_watch.news
        await clock.sleep(2.5)
        assert not news.is_set()
        coverage.failure = None
        await news.wait()
        assert clock.monotonic() == 3


async def test_the_second_comes_each_second_whatever_is_nudged() -> None:
    clock = FakeClock()
    async with listened(MemoryCoverage(), clock) as ledger_watch:
        second = ledger_watch.second
        ledger_watch.nudge()
        await clock.sleep(0.9)
        assert not second.is_set()
        await clock.sleep(0.2)
        assert second.is_set()
        assert not ledger_watch.second.is_set()


async def test_all_who_listen_are_told_to_leave_and_waited_for() -> None:
    ledger_watch = LedgerWatch(MemoryCoverage(), FakeClock())

    async def listen() -> None:
        with ledger_watch.listening([BTC]):
            await ledger_watch.news.wait()
            assert ledger_watch.over

    async def dismiss() -> None:
        assert ledger_watch.streams == 3
        await ledger_watch.dismiss(60)
        assert ledger_watch.streams == 0

    await asyncio.gather(listen(), listen(), listen(), dismiss())


async def test_who_does_not_leave_is_not_waited_for_for_ever() -> None:
    ledger_watch = LedgerWatch(MemoryCoverage(), FakeClock())
    with ledger_watch.listening([BTC]):
        await ledger_watch.dismiss(0.01)
        assert ledger_watch.streams == 1


async def test_where_nobody_listens_there_is_nobody_to_wait_for() -> None:
    ledger_watch = LedgerWatch(MemoryCoverage(), FakeClock())
    with ledger_watch.listening([BTC]):
        pass
    await asyncio.wait_for(ledger_watch.dismiss(600), 60)
