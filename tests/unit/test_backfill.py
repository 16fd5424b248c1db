"""Fetching missing minutes page by page, whatever the exchange does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.candles import Candle
from backend.core.coverage import Coverage, Void
from backend.core.job import Tally
from backend.core.windows import MINUTE, Window, count_minutes
from backend.errors import (
    DatabaseUnavailable,
    ExchangeRefused,
    ExchangeUnavailable,
    Interrupted,
    MalformedAnswer,
    MarketDataError,
    RateLimited,
)
from backend.precedence import Precedence
from backend.services.ports import Lease
from backend.services.syncing.backfill import GIVE_UP_AFTER, Backfill
from backend.services.syncing.ledger import Ledger
from backend.services.syncing.stop_signal import StopSignal
from tests.fakes import (
    BTC,
    FakeClock,
    MemoryCandles,
    MemoryCoverage,
    ScriptedSource,
    candle,
    minute,
    minutes,
    minutes_of,
    spans_of,
)

AWAY = ExchangeUnavailable("binance cannot be reached")


class CarefulCoverage(MemoryCoverage):
    """Refuses a ledger that claims a candle which is not stored yet."""

    def __init__(self, candles: MemoryCandles) -> None:
        super().__init__()
        self._candles = candles

    async def save(self, lease: Lease, coverage: Coverage, saved: Coverage | None = None) -> bool:
        if minutes_of(coverage.held) - self._candles.moments(lease.series):
            raise AssertionError("the ledger claims candles that are not stored")
        return await super().save(lease, coverage, saved)


@dataclass
class World:
    """An exchange and the two stores, with what a backfill told of itself."""

    source: ScriptedSource
    candles: MemoryCandles = field(default_factory=MemoryCandles)
    stop_signal: StopSignal = field(default_factory=StopSignal)
    progress: list[Tally] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.coverage = CarefulCoverage(self.candles)

    async def backfill(self, wanted: Window) -> Backfill:
        """A backfill of what is missing of `wanted`, ready to run, with a stop signal of its own."""
        self.stop_signal = StopSignal()
        self.precedence = Precedence()
        lease = await self.coverage.acquire(BTC, "tests", 60)
        assert lease is not None
        ledger = Ledger(self.coverage, lease)
        now = self.source.clock.now()
        missing = ledger.coverage.missing(wanted, now)
        return Backfill(
            source=self.source,
            store=self.candles,
            ledger=ledger,
            missing=missing,
            now=now,
            on_progress=self.progress.append,
            stop_signal=self.stop_signal,
            precedence=self.precedence,
        )

    async def run(self, wanted: Window, pages_in_flight: int = 4) -> Backfill:
        backfill = await self.backfill(wanted)
        await backfill.run(pages_in_flight)
        return backfill

    @property
    def held(self) -> set[int]:
        return minutes_of(self.coverage.known().held)

    @property
    def void(self) -> set[int]:
        return minutes_of(void.window for void in self.voids)

    @property
    def voids(self) -> list[Void]:
        return list(self.coverage.known().void_windows(Window(0, minute(1_000_000))))


def all_of(*windows: Window) -> set[int]:
    return minutes_of(windows)


def upside_down(row: Candle) -> Candle:
    """The same candle, with its highest price below its lowest."""
    return msgspec.structs.replace(row, high=row.low, low=row.high)


def dawdling(clock: FakeClock, seed: int) -> Callable[[Window], Awaitable[None]]:
    """Answer each window after a time that looks random, so that pages arrive in any order."""
    random = Random(seed)

    async def delay(_window: Window) -> None:
        await clock.sleep(random.uniform(0, 10))

    return delay


async def test_every_missing_minute_is_asked_for_once_and_stored() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 95))))
    backfill = await world.run(minutes(0, 95))
    assert world.candles.stored() == [candle(minute(number)) for number in range(95)]
    assert world.held == all_of(minutes(0, 95))
    assert sorted(world.source.asked) == [minutes(n, min(n + 10, 95)) for n in range(0, 95, 10)]
    assert (backfill.error, backfill.tally.new_records, backfill.tally.off_grid) == (None, 95, 0)


async def test_a_candle_that_contradicts_itself_is_asked_for_again() -> None:
    """And when the second one does not, it is stored like any other."""
    world = World(ScriptedSource(all_of(minutes(0, 10))))
    wrong = [True]

    def distort(rows: list[Candle], _window: Window) -> list[Candle]:
        return [
            upside_down(row) if row.open_time == minute(4) and wrong and wrong.pop() else row for row in rows
        ]

    world.source.distort = distort
    backfill = await world.run(minutes(0, 10))
    assert world.source.asked == [minutes(0, 10), minutes(4, 5)]
    assert (world.held, world.void, backfill.tally.contradictory) == (all_of(minutes(0, 10)), set(), 1)
    assert candle(minute(4)) in world.candles.stored()


async def test_a_candle_that_stays_contradictory_is_void_for_that_reason_and_never_stored() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 10)) - all_of(minutes(7, 8))))
    world.source.distort = lambda rows, _: [
        upside_down(row) if row.open_time == minute(4) else row for row in rows
    ]
    backfill = await world.run(minutes(0, 10))
    assert [(void.window, void.reason) for void in world.voids] == [
        (minutes(4, 5), "contradictory"),
        (minutes(7, 8), "no_data"),
    ]
    assert world.candles.moments() == world.held == all_of(minutes(0, 4), minutes(5, 7), minutes(8, 10))
    assert (backfill.error, backfill.tally.contradictory) == (None, 1)


async def test_old_minutes_are_asked_for_in_pages_of_their_own_size() -> None:
    source = ScriptedSource(all_of(minutes(0, 45)), FakeClock(minute(50)))
    source.size = lambda age: 5 if age > 30 * MINUTE else 20
    world = World(source)
    backfill = await world.run(minutes(0, 45))
    assert sorted(source.asked) == [
        *(minutes(n, n + 5) for n in range(0, 20, 5)),
        minutes(20, 40),
        minutes(40, 45),
    ]
    assert (world.held, backfill.error) == (all_of(minutes(0, 45)), None)


async def test_nothing_missing_asks_nothing() -> None:
    world = World(ScriptedSource())
    backfill = await world.run(minutes(5, 5))
    assert (world.source.asked, backfill.error, backfill.tally.new_records) == ([], None, 0)


async def test_pages_are_fetched_side_by_side_but_no_more_than_allowed() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 200))))
    await world.run(minutes(0, 200), pages_in_flight=3)
    assert world.source.most_in_flight == 3


@pytest.mark.parametrize("seed", range(5))
async def test_pages_may_arrive_in_any_order(seed: int) -> None:
    source = ScriptedSource(all_of(minutes(0, 30), minutes(47, 95)))
    source.delay = dawdling(source.clock, seed)
    world = World(source)
    backfill = await world.run(minutes(0, 95))
    assert world.held == world.candles.moments() == all_of(minutes(0, 30), minutes(47, 95))
    assert world.void == all_of(minutes(30, 47))
    assert backfill.error is None


async def test_a_page_cap_that_shrank_costs_requests_and_no_candle() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 3000)), page_size=1000, cap=800))
    backfill = await world.run(minutes(0, 3000))
    assert world.held == world.candles.moments() == all_of(minutes(0, 3000))
    assert (world.void, backfill.error, backfill.tally.new_records) == (set(), None, 3000)
    assert len(world.source.asked) == 6


async def test_a_minute_is_void_only_after_exactly_it_was_asked_for() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 3), minutes(5, 10), minutes(12, 20))))
    await world.run(minutes(0, 20))
    voids = [void.window for void in world.voids]
    assert voids == [minutes(3, 5), minutes(10, 12)]
    assert set(voids) <= set(world.source.asked)
    assert world.held == all_of(minutes(0, 3), minutes(5, 10), minutes(12, 20))


async def test_a_hole_that_the_narrower_question_fills_is_no_hole() -> None:
    source = ScriptedSource(all_of(minutes(0, 10)))
    source.distort = lambda rows, window: [
        row for row in rows if window.minutes < 10 or row.open_time < minute(4)
    ]
    world = World(source)
    await world.run(minutes(0, 10))
    assert world.source.asked == [minutes(0, 10), minutes(4, 10)]
    assert (world.held, world.void) == (all_of(minutes(0, 10)), set())


async def test_an_empty_page_is_asked_for_again_before_it_is_believed() -> None:
    world = World(ScriptedSource())
    await world.run(minutes(0, 10))
    assert world.source.asked == [minutes(0, 10)] * 2
    assert (world.held, world.void) == (set(), all_of(minutes(0, 10)))


async def test_a_void_is_dated_by_the_exchanges_clock() -> None:
    world = World(ScriptedSource(clock=FakeClock(minute(500))))
    await world.run(minutes(0, 10))
    assert [void.confirmed for void in world.voids] == [minute(500)]


def half_traded(count: int, seed: int = 1) -> set[int]:
    """The minutes of a market in which a random half of them has no trade."""
    random = Random(seed)
    return {minute(number) for number in range(count) if random.random() < 0.5}


@pytest.mark.parametrize("cap", [None, 700])
async def test_a_thin_market_takes_two_questions_a_page_and_not_one_a_hole(cap: int | None) -> None:
    has = half_traded(20_000)
    world = World(ScriptedSource(has, page_size=1000, cap=cap))
    await world.run(minutes(0, 20_000), pages_in_flight=8)
    assert (world.held, world.void) == (has, all_of(minutes(0, 20_000)) - has)
    assert len(world.source.asked) <= 2.2 * 20


async def test_the_holes_of_a_thin_market_that_was_left_half_way_are_asked_for_together() -> None:
    has = half_traded(5_000)
    world = World(ScriptedSource(has, page_size=1000))
    await world.candles.write(BTC, [candle(moment) for moment in sorted(has)])
    world.coverage.entries[BTC] = Coverage().with_held(spans_of(has))
    await world.run(minutes(0, 5_000))
    assert world.void == all_of(minutes(0, 5_000)) - has
    assert len(world.source.asked) <= 2.2 * 5 + 2


async def test_a_hole_that_the_second_question_fills_is_stored() -> None:
    has = half_traded(1_000)
    source = ScriptedSource(has, page_size=1000)
    hidden = set(sorted(has)[100:200:7])
    answers = [0]

    def distort(rows: list[Candle], _window: Window) -> list[Candle]:
        answers[0] += 1
        return [row for row in rows if answers[0] > 1 or row.open_time not in hidden]

    source.distort = distort
    world = World(source)
    await world.run(minutes(0, 1_000), pages_in_flight=1)
    assert world.held == has


async def test_a_second_answer_that_is_cut_proves_only_what_it_reaches_over() -> None:
    has = half_traded(1_000)
    source = ScriptedSource(has, page_size=1000)
    hidden = set(sorted(has)[100:400:7])
    answers = [0]

    def distort(rows: list[Candle], _window: Window) -> list[Candle]:
        answers[0] += 1
        if answers[0] == 2:
            return rows[: len(rows) // 4]
        return [row for row in rows if answers[0] > 1 or row.open_time not in hidden]

    source.distort = distort
    world = World(source)
    await world.run(minutes(0, 1_000), pages_in_flight=1)
    assert world.held == has


async def test_a_page_that_fails_for_ever_loses_only_itself() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 100))))
    world.source.broken = {minute(37): MalformedAnswer("binance sent klines that cannot be read")}
    backfill = await world.run(minutes(0, 100))
    assert world.held == world.candles.moments() == all_of(minutes(0, 30), minutes(40, 100))
    assert world.void == set()
    assert backfill.error is world.source.broken[minute(37)]


async def test_so_many_lost_pages_in_a_row_end_the_run() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 100))))
    world.source.broken = dict.fromkeys(all_of(minutes(20, 100)), AWAY)
    backfill = await world.run(minutes(0, 100), pages_in_flight=1)
    assert len(world.source.asked) == 2 + GIVE_UP_AFTER
    assert GIVE_UP_AFTER == 5
    assert world.held == all_of(minutes(0, 20))
    assert backfill.error is AWAY


async def test_a_page_that_comes_begins_the_count_of_lost_pages_anew() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 110))))
    world.source.broken = {minute(number): AWAY for number in range(0, 110, 10) if number != 40}
    backfill = await world.run(minutes(0, 110), pages_in_flight=1)
    assert world.source.asked == [minutes(number, number + 10) for number in range(0, 100, 10)]
    assert world.held == all_of(minutes(40, 50))
    assert backfill.error is AWAY


@pytest.mark.parametrize(
    "error",
    [
        ExchangeRefused("binance answered 400"),
        RateLimited("binance answered 429"),
        DatabaseUnavailable("away"),
    ],
)
async def test_an_error_that_every_page_would_meet_ends_the_run_at_once(error: MarketDataError) -> None:
    world = World(ScriptedSource(all_of(minutes(0, 100))))
    world.source.broken = {minute(10): error}
    backfill = await world.run(minutes(0, 100), pages_in_flight=1)
    assert world.source.asked == [minutes(0, 10), minutes(10, 20)]
    assert world.held == all_of(minutes(0, 10))
    assert backfill.error is error


async def test_an_error_ends_the_run_but_pages_in_flight_are_finished() -> None:
    source = ScriptedSource(all_of(minutes(0, 100)))
    source.broken = {minute(0): ExchangeRefused("binance answered 400")}

    async def first_fails_first(window: Window) -> None:
        await source.clock.sleep(1 if window.start == minute(0) else 5)

    source.delay = first_fails_first
    world = World(source)
    await world.run(minutes(0, 100), pages_in_flight=3)
    assert sorted(source.asked) == [minutes(0, 10), minutes(10, 20), minutes(20, 30)]
    assert world.held == all_of(minutes(10, 30))


async def test_a_halted_run_finishes_the_pages_in_flight_and_takes_no_more() -> None:
    source = ScriptedSource(all_of(minutes(0, 100)))
    world = World(source)
    backfill = await world.backfill(minutes(0, 100))
    reason = Interrupted("the service was told to stop")

    async def halt_at_the_third_page(window: Window) -> None:
        if window.start == minute(20):
            world.stop_signal.stop(reason)
        await source.clock.sleep(1)

    source.delay = halt_at_the_third_page
    await backfill.run(3)
    assert sorted(source.asked) == [minutes(0, 10), minutes(10, 20), minutes(20, 30)]
    assert world.held == world.candles.moments() == all_of(minutes(0, 30))
    assert backfill.error is reason


async def test_a_run_halted_before_it_began_asks_nothing() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 100))))
    backfill = await world.backfill(minutes(0, 100))
    world.stop_signal.stop(Interrupted("the service was told to stop"))
    await backfill.run(4)
    assert world.source.asked == []


@pytest.mark.parametrize("second", [ExchangeUnavailable("second"), ExchangeRefused("second")])
async def test_the_first_error_is_the_one_that_is_told(second: MarketDataError) -> None:
    world = World(ScriptedSource(all_of(minutes(0, 40))))
    first = ExchangeUnavailable("first")
    world.source.broken = {minute(0): first, minute(20): second}
    backfill = await world.run(minutes(0, 40), pages_in_flight=1)
    assert backfill.error is first


async def test_candles_that_cannot_be_written_are_not_claimed() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 40))))
    world.candles.failure = DatabaseUnavailable("the database does not answer")
    backfill = await world.run(minutes(0, 40), pages_in_flight=1)
    assert backfill.error is world.candles.failure
    assert len(world.source.asked) == 1
    assert world.coverage.known() == Coverage()


async def test_repeated_unsorted_and_stray_rows_are_mended() -> None:
    def mess(rows: list[Candle], window: Window) -> list[Candle]:
        strays = [candle(window.start - MINUTE, close=1), candle(window.end, close=1)]
        stale = [candle(row.open_time, close=2) for row in rows]
        return [*reversed(stale), *strays, *reversed(rows)]

    source = ScriptedSource(all_of(minutes(0, 35)))
    source.distort = mess
    world = World(source)
    backfill = await world.run(minutes(0, 35))
    assert world.candles.stored() == [candle(minute(number)) for number in range(35)]
    assert (world.void, backfill.error, backfill.tally.new_records) == (set(), None, 35)


def shifted(number: int) -> Callable[[list[Candle], Window], list[Candle]]:
    """Send the candle of minute `number` with an open time inside the minute."""

    def distort(rows: list[Candle], _window: Window) -> list[Candle]:
        return [candle(row.open_time + 14_789) if row.open_time == minute(number) else row for row in rows]

    return distort


async def test_a_minute_that_comes_only_off_the_grid_is_void_and_told() -> None:
    source = ScriptedSource(all_of(minutes(0, 10)))
    source.distort = shifted(4)
    world = World(source)
    backfill = await world.run(minutes(0, 10))
    assert world.candles.moments() == world.held == all_of(minutes(0, 4), minutes(5, 10))
    assert world.void == {minute(4)}
    assert backfill.tally.off_grid > 0


async def test_an_off_grid_row_is_counted_once() -> None:
    source = ScriptedSource(all_of(minutes(0, 10)))
    source.distort = shifted(4)
    backfill = await World(source).run(minutes(0, 10))
    assert backfill.tally.off_grid == 1


async def test_only_candles_that_were_not_stored_before_count_as_new() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 20))))
    await world.candles.write(BTC, [candle(minute(number)) for number in range(5)])
    backfill = await world.run(minutes(0, 20))
    assert backfill.tally.new_records == 15


async def test_progress_begins_at_nothing_and_ends_at_everything() -> None:
    world = World(ScriptedSource(all_of(minutes(0, 30), minutes(40, 95))))
    await world.run(minutes(0, 95))
    assert world.progress[0] == Tally(0, 95, 0)
    assert world.progress[-1] == Tally(95, 95, 85)
    done = [tally.minutes_done for tally in world.progress]
    assert done == sorted(done)


moments = st.sets(st.integers(0, 59).map(minute))
page_sizes = st.integers(1, 25)


@given(moments, page_sizes, st.integers(1, 25), st.integers(1, 6), st.integers(0, 1000))
def test_every_wanted_minute_ends_held_or_void_as_the_exchange_has_it(
    has: set[int], page_size: int, cap: int, pages_in_flight: int, seed: int
) -> None:
    source = ScriptedSource(has, page_size=page_size, cap=cap)
    source.delay = dawdling(source.clock, seed)
    world = World(source)
    backfill = asyncio.run(world.run(minutes(0, 60), pages_in_flight))
    assert world.held == world.candles.moments() == has
    assert world.void == all_of(minutes(0, 60)) - has
    asked = source.asked_minutes()
    assert all(asked.count(moment) >= 2 for moment in world.void)
    assert (backfill.error, backfill.tally.new_records) == (None, len(has))
    assert all(0 < window.minutes <= page_size for window in source.asked)
    assert world.progress[-1] == Tally(60, 60, len(has))


@given(moments, page_sizes, moments, st.integers(1, 4), st.integers(0, 1000))
def test_what_was_lost_is_all_that_the_next_run_asks_for(
    has: set[int], page_size: int, broken: set[int], pages_in_flight: int, seed: int
) -> None:
    source = ScriptedSource(has, page_size=page_size)
    source.delay = dawdling(source.clock, seed)
    source.broken = dict.fromkeys(broken, AWAY)
    world = World(source)
    wanted = minutes(0, 60)

    async def story() -> tuple[set[int], set[int]]:
        await world.run(wanted, pages_in_flight)
        missing = minutes_of(world.coverage.known().missing(wanted, source.clock.now()))
        source.broken = {}
        source.asked.clear()
        await world.run(wanted, pages_in_flight)
        return missing, set(source.asked_minutes())

    missing, asked = asyncio.run(story())
    assert asked >= missing >= broken
    assert world.held == world.candles.moments() == has
    assert world.void == all_of(wanted) - has
    assert count_minutes(spans_of(world.held | world.void)) == 60


async def test_an_empty_answer_to_the_second_question_for_many_holes_proves_nothing() -> None:
    """The second question reaches over held minutes: an answer without them is no word on the holes."""
    has = half_traded(1_000)
    source = ScriptedSource(has, page_size=1000)
    hidden = set(sorted(has)[100:200:7])
    answers = [0]

    def distort(rows: list[Candle], _window: Window) -> list[Candle]:
        answers[0] += 1
        if answers[0] == 2:
            return []
        return [row for row in rows if answers[0] > 1 or row.open_time not in hidden]

    source.distort = distort
    world = World(source)
    await world.run(minutes(0, 1_000), pages_in_flight=1)
    assert world.held == has
    assert not world.void & hidden
