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
from backend.services.streaming.ledger_watch import LEAST_SECONDS, Pulse
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
async def listened(coverage: MemoryCoverage, clock: FakeClock) -> AsyncIterator[Pulse]:
    """A pulse to which somebody listens."""
    pulse = Pulse(coverage, clock)
    pulse.start()
    with pulse.listening([BTC]):
        yield pulse
    await pulse.stop()


async def test_without_a_nudge_the_ledgers_are_looked_at_each_second() -> None:
    clock = FakeClock()
    coverage = CountingCoverage(clock)
    async with listened(coverage, clock):
        await clock.sleep(5.5)
    assert coverage.looks == [0, 1, 2, 3, 4, 5]


async def test_a_nudge_makes_it_look_at_once() -> None:
    clock = FakeClock()
    coverage = CountingCoverage(clock)
    async with listened(coverage, clock) as pulse:
        await clock.sleep(0.5)
        coverage.entries[BTC] = KNOWN
        news = pulse.news
        pulse.nudge()
        await news.wait()
        assert clock.monotonic() == 0.5
        assert pulse.known == {BTC: KNOWN}


async def test_many_nudges_are_few_looks() -> None:
    clock = FakeClock()
    coverage = CountingCoverage(clock)
    async with listened(coverage, clock) as pulse:
        for _ in range(1000):
            pulse.nudge()
            await clock.sleep(0.001)
    assert 1 / LEAST_SECONDS - 2 <= len(coverage.looks) <= 1 / LEAST_SECONDS + 1


async def test_who_is_not_concerned_by_a_change_sees_the_same_object() -> None:
    clock = FakeClock()
    coverage = MemoryCoverage()
    eth = Series("binance", "spot", "ETHUSDT")
    coverage.entries = {BTC: KNOWN, eth: KNOWN}
    async with listened(coverage, clock) as pulse:
        with pulse.listening([eth]):
            await clock.sleep(0.5)
            before = dict(pulse.known)
            coverage.entries = {BTC: KNOWN.asked(minutes(5, 6)), eth: replace(KNOWN)}
            await clock.sleep(1)
            assert pulse.known[eth] is before[eth]
            assert pulse.known[BTC] == coverage.entries[BTC] != before[BTC]


async def test_it_goes_on_when_the_database_is_back() -> None:
    clock = FakeClock()
    coverage = MemoryCoverage()
    coverage.entries[BTC] = KNOWN
    coverage.failure = DatabaseUnavailable("away")
    async with listened(coverage, clock) as pulse:
        news = pulse.news
        await clock.sleep(2.5)
        assert not news.is_set()
        coverage.failure = None
        await news.wait()
        assert clock.monotonic() == 3


async def test_the_second_comes_each_second_whatever_is_nudged() -> None:
    clock = FakeClock()
    async with listened(MemoryCoverage(), clock) as pulse:
        second = pulse.second
        pulse.nudge()
        await clock.sleep(0.9)
        assert not second.is_set()
        await clock.sleep(0.2)
        assert second.is_set()
        assert not pulse.second.is_set()


async def test_all_who_listen_are_told_to_leave_and_waited_for() -> None:
    pulse = Pulse(MemoryCoverage(), FakeClock())

    async def listen() -> None:
        with pulse.listening([BTC]):
            await pulse.news.wait()
            assert pulse.over

    async def dismiss() -> None:
        assert pulse.streams == 3
        await pulse.dismiss(60)
        assert pulse.streams == 0

    await asyncio.gather(listen(), listen(), listen(), dismiss())


async def test_who_does_not_leave_is_not_waited_for_for_ever() -> None:
    pulse = Pulse(MemoryCoverage(), FakeClock())
    with pulse.listening([BTC]):
        await pulse.dismiss(0.01)
        assert pulse.streams == 1


async def test_where_nobody_listens_there_is_nobody_to_wait_for() -> None:
    pulse = Pulse(MemoryCoverage(), FakeClock())
    with pulse.listening([BTC]):
        pass
    await asyncio.wait_for(pulse.dismiss(600), 10)
