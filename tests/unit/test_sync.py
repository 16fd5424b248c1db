"""The main job, with an exchange, stores and a clock that the tests own."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from backend.clock import SystemClock
from backend.core.coverage import Absence
from backend.core.job import SyncRequest, Tally
from backend.core.series import Series
from backend.core.statistics import Statistics
from backend.core.windows import Window
from backend.errors import (
    Cancelled,
    DatabaseUnavailable,
    ExchangeRefused,
    ExchangeUnavailable,
    MarketDataError,
    UnknownSymbol,
)
from backend.precedence import Precedence
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.markets import Markets
from backend.services.syncing.stop_signal import StopSignal
from backend.services.syncing.sync import OnProgress, SyncResult, SyncService, result_of
from tests.fakes import (
    BTC,
    START,
    FakeClock,
    MemoryCandles,
    MemoryCoverage,
    ScriptedSource,
    at_once,
    candle,
    minute,
    minutes,
    minutes_of,
)
from tests.syncing import no_progress

ETH = Series("binance", "spot", "ETHUSDT")


class World:
    """An exchange that lists BTCUSDT and ETHUSDT, and has minutes `first` to `closed` and the forming one.

    Its clock stands in the middle of the forming minute; START is where first syncs begin.
    """

    def __init__(
        self, closed: int = 50, *, first: int = -1000, pages_in_flight: int = 4, settle_seconds: int = 0
    ) -> None:
        self.clock = FakeClock(minute(closed) + 30_000)
        self.source = ScriptedSource(
            minutes_of([minutes(first, closed + 1)]), self.clock, symbols=("BTCUSDT", "ETHUSDT")
        )
        self.candles = MemoryCandles()
        self.coverage = MemoryCoverage()
        self.ledgers = Ledgers(store=self.coverage, clock=SystemClock(), owner="tests", seconds=3600)
        self.service = SyncService(
            Markets({"binance": {"spot": self.source}}),
            self.candles,
            sync_start=START,
            pages_in_flight=pages_in_flight,
            precedence=Precedence(),
            settle_seconds=settle_seconds,
        )

    async def sync(
        self,
        start: int | None = None,
        end: int | None = None,
        series: Series = BTC,
        *,
        refresh: bool = False,
        stop_signal: StopSignal | None = None,
        on_progress: OnProgress = no_progress,
    ) -> SyncResult:
        request = SyncRequest(series, start, end, refresh)
        async with self.ledgers.hold(series, patience=60) as ledger:
            ended = await self.service.sync(ledger, request, on_progress, stop_signal or StopSignal())
            return result_of(series, ledger.coverage, ended)

    def asked(self) -> list[Window]:
        """The windows that were asked for since the last call, in the order of time."""
        found = sorted(self.source.asked)
        self.source.asked.clear()
        return found

    def pass_minutes(self, count: int) -> None:
        """Let time go on and the exchange trade."""
        newest = max(self.source.moments)
        self.clock.advance(60 * count)
        self.source.moments |= {newest + 60_000 * number for number in range(1, count + 1)}


async def test_a_first_sync_runs_from_the_default_start_to_the_last_closed_minute() -> None:
    world = World(closed=50)
    result = await world.sync()
    assert world.candles.stored() == [candle(minute(number)) for number in range(50)]
    assert result == SyncResult(
        statistics=Statistics(BTC, 50, minute(0), minute(49), 50, 0, 0),
        window=minutes(0, 50),
        tally=Tally(minutes_done=50, minutes_total=50, new_records=50),
        absent=(),
        absent_minutes=0,
        missing=(),
        error=None,
    )


async def test_the_forming_candle_is_never_asked_for_or_stored() -> None:
    world = World(closed=50)
    await world.sync(end=minute(5000))
    assert minute(50) in world.source.moments
    assert max(world.source.asked_minutes()) == max(world.candles.moments()) == minute(49)


async def test_a_second_sync_fetches_only_what_came_since() -> None:
    world = World(closed=50)
    await world.sync()
    world.asked()
    world.pass_minutes(3)
    result = await world.sync()
    assert world.asked() == [minutes(50, 53)]
    assert (result.tally.new_records, result.window) == (3, minutes(0, 53))


async def test_a_sync_of_what_is_there_asks_for_no_candles() -> None:
    world = World()
    await world.sync()
    world.asked()
    result = await world.sync()
    assert world.asked() == []
    assert (result.tally.new_records, result.missing, result.error) == (0, (), None)


async def test_a_sync_can_go_backward_and_fetches_only_the_earlier_minutes() -> None:
    world = World(closed=50)
    await world.sync()
    world.asked()
    result = await world.sync(start=minute(-15))
    assert world.asked() == [minutes(-15, -5), minutes(-5, 0)]
    assert result.statistics == Statistics(BTC, 65, minute(-15), minute(49), 65, 0, 0)


async def test_a_plain_sync_keeps_to_the_earliest_start_that_was_asked_for() -> None:
    world = World(closed=50)
    await world.sync(start=minute(-15), end=minute(-10))
    result = await world.sync()
    assert result.window == minutes(-15, 50)
    assert world.candles.moments() == minutes_of([minutes(-15, 50)])


async def test_a_plain_sync_after_a_later_start_begins_there() -> None:
    world = World(closed=50)
    await world.sync(start=minute(40))
    assert (await world.sync()).window == minutes(40, 50)


async def test_a_hole_inside_is_all_that_is_fetched() -> None:
    world = World(closed=50)
    await world.sync(end=minute(20))
    await world.sync(start=minute(27))
    world.asked()
    await world.sync()
    assert world.asked() == [minutes(20, 27)]


async def test_a_start_that_has_not_come_yet_fetches_nothing() -> None:
    world = World(closed=50)
    result = await world.sync(start=minute(60))
    assert world.asked() == []
    assert (result.window.minutes, result.missing, result.error) == (0, (), None)


async def test_time_before_listing_is_known_after_one_question() -> None:
    world = World(closed=50, first=33)
    result = await world.sync(start=0)
    assert world.source.first_asked == 1
    assert min(world.source.asked_minutes()) == minute(33)
    assert world.candles.moments() == minutes_of([minutes(33, 50)])
    assert (result.absent, result.missing, result.error) == ((), (), None)


async def test_the_first_candle_is_asked_for_once_until_its_time_comes_again() -> None:
    world = World(closed=50, first=33)
    await world.sync()
    await world.sync()
    assert world.source.first_asked == 1
    world.pass_minutes(60)
    await world.sync()
    assert world.source.first_asked == 2


@pytest.mark.parametrize("how", [{"start": minute(0)}, {"refresh": True}])
async def test_a_start_before_the_listing_and_refresh_have_it_asked_for_again_at_once(
    how: dict[str, Any],
) -> None:
    world = World(closed=50, first=33)
    await world.sync()
    world.source.moments |= minutes_of([minutes(20, 33)])
    await world.sync(**how)
    assert world.candles.moments() == minutes_of([minutes(20, 50)])


async def test_a_start_after_the_listing_has_nothing_asked_for_again() -> None:
    world = World(closed=50, first=-10)
    await world.sync()
    await world.sync(start=minute(0))
    assert world.source.first_asked == 1


async def test_refresh_asks_for_minutes_again_that_the_exchange_once_left_out() -> None:
    world = World(closed=50)
    hole = minutes_of([minutes(12, 15)])
    world.source.moments -= hole
    await world.sync()
    world.source.moments |= hole
    result = await world.sync(refresh=True)
    assert (result.absent, result.tally.new_records) == ((), 3)


async def test_an_exchange_that_names_no_first_candle_is_asked_page_by_page() -> None:
    world = World(closed=50)
    world.source.moments = set()
    result = await world.sync()
    assert set(world.source.asked_minutes()) == minutes_of([minutes(0, 50)])
    assert (result.absent, result.missing) == ((Absence(minutes(0, 50), "no_data"),), ())
    world.clock.advance(3600)
    world.source.moments = minutes_of([minutes(45, 110)])
    await world.sync()
    assert world.candles.moments() == minutes_of([minutes(45, 110)])


async def test_minutes_that_the_exchange_left_out_are_told_and_not_asked_for_again_at_once() -> None:
    world = World(closed=50)
    world.source.moments -= minutes_of([minutes(12, 15)])
    result = await world.sync()
    assert (result.absent, result.missing, result.error) == ((Absence(minutes(12, 15), "no_data"),), (), None)
    world.asked()
    await world.sync()
    assert world.asked() == []


async def test_minutes_that_the_exchange_left_out_are_asked_for_again_in_time() -> None:
    world = World(closed=50)
    hole = minutes_of([minutes(12, 15)])
    world.source.moments -= hole
    await world.sync()
    world.clock.advance(3600)
    world.source.moments |= hole
    result = await world.sync(end=minute(50))
    assert hole <= world.candles.moments()
    assert (result.absent, result.tally.new_records) == ((), 3)


async def test_absence_is_told_of_the_wanted_window_alone() -> None:
    world = World(closed=50)
    world.source.moments -= minutes_of([minutes(12, 15)])
    await world.sync()
    result = await world.sync(start=minute(13), end=minute(14))
    assert result.absent == (Absence(minutes(13, 14), "no_data"),)


async def test_an_unknown_symbol_leaves_no_trace() -> None:
    world = World()
    with pytest.raises(UnknownSymbol):
        await world.sync(series=Series("binance", "spot", "NOSUCHPAIR"))
    assert world.coverage.entries == {}
    assert (world.candles.created, world.candles.rows) == ([], {})


async def test_a_database_that_is_away_is_told_before_the_exchange_is_asked() -> None:
    world = World()
    world.coverage.failure = DatabaseUnavailable("away")
    with pytest.raises(DatabaseUnavailable):
        await world.sync()
    assert (world.source.asked, world.source.first_asked) == ([], 0)


async def test_the_place_for_a_series_is_made_before_its_first_candle() -> None:
    world = World()
    await world.sync()
    assert world.candles.created == [BTC]


@pytest.mark.parametrize("error", [ExchangeUnavailable("away"), ExchangeRefused("no")])
async def test_what_goes_wrong_on_the_way_is_told_beside_what_came(error: MarketDataError) -> None:
    world = World(closed=50, pages_in_flight=1)
    world.source.broken = {minute(45): error}
    result = await world.sync()
    assert (result.error, result.missing, result.tally.new_records) == (error, (minutes(40, 50),), 40)
    assert result.statistics == Statistics(BTC, 40, minute(0), minute(39), 50, 10, 0)
    assert result.shortfall == (
        f"10 minutes of BTCUSDT are still missing: {error}. "
        "What came is stored; sync again to fetch only the rest"
    )


async def test_after_a_failure_the_next_sync_fetches_only_the_rest() -> None:
    world = World(closed=50, pages_in_flight=1)
    world.source.broken = {minute(15): ExchangeUnavailable("away")}
    await world.sync()
    world.source.broken = {}
    world.asked()
    result = await world.sync()
    assert world.asked() == [minutes(10, 20)]
    assert (result.tally.new_records, result.missing, result.error) == (10, (), None)


async def test_candles_whose_entry_in_the_ledger_was_lost_are_found_stored_and_not_counted_new() -> None:
    world = World(closed=50)
    await world.sync()
    world.coverage.entries.clear()
    result = await world.sync()
    assert (result.tally.new_records, result.statistics.total_records) == (0, 50)


async def test_progress_is_told_up_to_the_end() -> None:
    world = World(closed=50)
    told: list[tuple[Window, Tally]] = []
    await world.sync(on_progress=lambda window, tally: told.append((window, tally)))
    assert told[0] == (minutes(0, 50), Tally(0, 50, 0))
    assert told[-1] == (minutes(0, 50), Tally(50, 50, 50))


async def test_two_syncs_of_one_series_at_once_fetch_nothing_twice() -> None:
    world = World(closed=50)
    one, two = await asyncio.gather(world.sync(), world.sync(start=minute(-10)))
    asked = world.source.asked_minutes()
    assert len(asked) == len(set(asked)) == 60
    assert (one.tally.new_records, two.tally.new_records) == (50, 10)
    assert (one.error, two.error) == (None, None)


async def test_a_sync_that_fails_lets_the_waiting_one_go_on() -> None:
    world = World()
    unknown = Series("binance", "spot", "NOSUCHPAIR")
    one, two = await asyncio.gather(
        world.sync(series=unknown), world.sync(series=unknown), return_exceptions=True
    )
    assert [type(one), type(two)] == [UnknownSymbol, UnknownSymbol]


async def test_two_series_are_synced_side_by_side() -> None:
    world = World(closed=5)
    together = asyncio.Barrier(2)

    async def wait_for_the_other(_window: Window) -> None:
        async with asyncio.timeout(60):
            await together.wait()

    world.source.delay = wait_for_the_other
    await asyncio.gather(world.sync(), world.sync(series=ETH))
    assert world.candles.moments(BTC) == world.candles.moments(ETH) == minutes_of([minutes(0, 5)])


async def test_no_more_pages_are_in_flight_than_the_setting_allows() -> None:
    world = World(closed=300, pages_in_flight=3)
    await world.sync()
    assert world.source.most_in_flight == 3


async def test_braking_finishes_the_pages_in_flight_and_tells_why() -> None:
    world = World(closed=100, pages_in_flight=2)
    stop_signal, in_flight, answer = StopSignal(), asyncio.Event(), asyncio.Event()

    async def hold(window: Window) -> None:
        if window.start == minute(10):
            in_flight.set()
        await answer.wait()

    world.source.delay = hold
    syncing = asyncio.create_task(world.sync(stop_signal=stop_signal))
    await in_flight.wait()
    stop_signal.stop(Cancelled("enough"))
    answer.set()
    result = await syncing
    assert isinstance(result.error, Cancelled)
    assert (result.missing, result.tally.new_records) == ((minutes(20, 100),), 20)
    assert world.coverage.known().held == (minutes(0, 20),)


async def test_a_sync_that_took_over_a_minute_tops_up_what_closed_meanwhile() -> None:
    world = World(closed=50)

    async def trade_meanwhile(_window: Window) -> None:
        world.source.delay = at_once
        world.pass_minutes(3)

    world.source.delay = trade_meanwhile
    result = await world.sync()
    assert (result.window, result.tally.new_records) == (minutes(0, 53), 53)


async def test_a_sync_with_an_end_is_over_when_it_is_reached_however_long_that_took() -> None:
    world = World(closed=50)

    async def trade_meanwhile(_window: Window) -> None:
        world.source.delay = at_once
        world.pass_minutes(3)

    world.source.delay = trade_meanwhile
    assert (await world.sync(end=minute(50))).window == minutes(0, 50)


async def test_a_sync_of_the_future_does_not_keep_later_syncs_from_the_past() -> None:
    world = World(closed=50)
    await world.sync(start=minute(60))
    assert (await world.sync()).tally.new_records == 50


async def test_a_sync_that_was_cancelled_leaves_what_came_before_in_the_ledger() -> None:
    world = World(closed=50, pages_in_flight=1)
    third = asyncio.Event()

    async def hang_at_the_third_page(window: Window) -> None:
        if window.start == minute(20):
            third.set()
            await asyncio.Event().wait()

    world.source.delay = hang_at_the_third_page
    syncing = asyncio.create_task(world.sync())
    await third.wait()
    syncing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await syncing
    assert world.coverage.known().held == (minutes(0, 20),)


async def test_a_minute_is_asked_for_only_after_it_has_settled() -> None:
    world = World(closed=50, settle_seconds=90)
    result = await world.sync()
    assert result.window == minutes(0, 49)
    assert max(end for _, end in world.asked()) == minute(49)
