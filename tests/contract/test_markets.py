"""What every market of every exchange must get right, over real HTTP and a real mongod.

A new exchange gets all of this by adding its file to `backend/exchanges` and its part to the simulator.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from backend.clock import Clock, SystemClock, parse_time
from backend.core.coverage import Absence
from backend.core.job import SyncRequest
from backend.core.series import Series
from backend.core.windows import HOUR, MINUTE, Window
from backend.errors import MarketDataError, UnknownSymbol
from backend.exchanges import EXCHANGES
from backend.services.service import Service
from backend.services.syncing.stop_signal import StopSignal
from backend.services.syncing.sync import SyncResult
from backend.settings import Settings
from tests.conftest import NOW
from tests.integration.stored import stored_documents
from tests.simulator import BingxRules, Faults, Forced, Simulator, SimulatorClock
from tests.syncing import no_progress, sync

CLOSED = NOW - NOW % MINUTE
PACE = 10.0
DAY = 24 * HOUR
NATIVE = {"extended": "BTC-USD"}
MARKETS = [
    Series(exchange.name, market, NATIVE.get(exchange.name, "BTCUSDT"))
    for exchange in EXCHANGES.values()
    for market in exchange.markets
]
NAMES = ("open", "high", "low", "close", "volume", "quote_volume", "trades", "taker_buy_volume")

every_market = pytest.mark.parametrize("series", MARKETS, ids=lambda series: series.name)
every_market_with_trades = pytest.mark.parametrize(
    "series",
    [series for series in MARKETS if series.market in ("spot", "perpetual")],
    ids=lambda series: series.name,
)
"""Mark and index prices have no volume in any minute."""


class World:
    """One series, its exchange and what is stored of it."""

    def __init__(self, service: Service, simulator: Simulator, settings: Settings) -> None:
        self.service = service
        self.simulator = simulator
        self._settings = settings

    async def sync(self, series: Series, start: int, end: int = CLOSED) -> SyncResult:
        return await sync(self.service, series, start, end)

    def exchange_has(self, series: Series, start: int, end: int = CLOSED) -> dict[int, tuple[float, ...]]:
        rows = self.simulator.history(
            series.symbol.replace("-", ""), start, end, venue=series.exchange, market=series.market
        )
        return {int(row[0]): row[1:6] for row in rows}

    def stored(self, series: Series) -> dict[int, tuple[float, ...]]:
        documents = stored_documents(self._settings.mongodb_uri, self._settings.mongodb_database, series.name)
        return {document["_id"]: tuple(document[name] for name in NAMES[:5]) for document in documents}

    async def assert_complete(self, series: Series, start: int, end: int = CLOSED) -> SyncResult:
        """Sync, and find the store equal to the exchange, every minute held or named as absent."""
        result = await self.sync(series, start, end)
        assert (result.missing, result.error) == ((), None)
        expected = self.exchange_has(series, start, end)
        assert self.stored(series) == expected
        absent = {minute for absence in result.absent for minute in range(*absence.window, MINUTE)}
        since = max(start, min(expected, default=end))
        assert absent == set(range(since, end, MINUTE)) - set(expected)
        return result


class HurriedClock(SystemClock):
    """Time at ten times its pace; the simulated exchanges' clock runs as fast."""

    def monotonic(self) -> float:
        return super().monotonic() * PACE

    async def sleep(self, seconds: float) -> None:
        await super().sleep(seconds / PACE)


@pytest.fixture
def clock() -> Clock:
    return HurriedClock()


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Exchanges with their rate limits, whose clock begins at NOW and hurries on."""
    simulated = Simulator(clock=SimulatorClock(NOW, speed=PACE))
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


@pytest.fixture
def world(service: Service, simulator: Simulator, settings: Settings) -> World:
    return World(service, simulator, settings)


@every_market
async def test_a_sync_ends_equal_to_the_exchange(world: World, series: Series) -> None:
    result = await world.assert_complete(series, CLOSED - 2500 * MINUTE)
    assert result.tally.new_records == 2500


@every_market
async def test_windows_of_any_length_bring_exactly_their_minutes(world: World, series: Series) -> None:
    """Hours apart, so that each is asked for by itself."""
    expected: dict[int, tuple[float, ...]] = {}
    end = CLOSED - 7 * DAY
    for minutes in (1, 2, 199, 200, 201, 498, 499, 500, 1001, 1441):
        start = end + 307 * MINUTE
        end = start + minutes * MINUTE
        result = await world.sync(series, start, end)
        assert (result.missing, result.absent, result.error) == ((), (), None)
        assert result.tally.new_records == minutes
        expected |= world.exchange_has(series, start, end)
        assert world.stored(series) == expected


@every_market
async def test_the_forming_minute_is_never_stored(world: World, series: Series) -> None:
    result = await sync(world.service, series, CLOSED - 10 * MINUTE)
    assert result.window.end in (CLOSED, CLOSED + MINUTE)
    assert world.stored(series) == world.exchange_has(series, CLOSED - 10 * MINUTE, result.window.end)


@every_market
async def test_a_second_sync_asks_for_nothing(world: World, series: Series) -> None:
    await world.sync(series, CLOSED - HOUR)
    world.simulator.requests.clear()
    result = await world.sync(series, CLOSED - HOUR)
    assert (result.tally.new_records, list(world.simulator.requests)) == (0, [])


@every_market
async def test_what_a_venue_publishes_is_stored_and_the_rest_is_absent(world: World, series: Series) -> None:
    await world.sync(series, CLOSED - MINUTE)
    [document] = stored_documents(world._settings.mongodb_uri, world._settings.mongodb_database, series.name)
    expected: dict[str, set[str]] = {
        "binance": {"quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume"},
        "bitget": {"quote_volume"},
        "bingx": {"quote_volume"} if series.market == "spot" else set(),
        "extended": set(),
    }
    if series.market not in ("spot", "perpetual"):
        assert document["volume"] == 0
        expected = {exchange: set() for exchange in expected}
    always = {"_id", "open", "high", "low", "close", "volume"}
    assert set(document) - always == expected[series.exchange]


def faults(**changes: object) -> Callable[[Faults], None]:
    def switch(found: Faults) -> None:
        for name, value in changes.items():
            assert hasattr(found, name)
            setattr(found, name, value)

    return switch


OUTAGE = (CLOSED - 30 * HOUR, CLOSED - 26 * HOUR)
BAD_DAYS: dict[str, Callable[[Faults], None]] = {
    "a page cap below the documented one": faults(page_cap=150),
    "an outage over several pages": faults(outages=[OUTAGE]),
    "single minutes absent": faults(
        outages=[(CLOSED - n * 37 * MINUTE, CLOSED - n * 37 * MINUTE + MINUTE) for n in range(1, 9)]
    ),
    "the newest and the oldest minutes absent": faults(
        outages=[(CLOSED - MINUTE, CLOSED), (CLOSED - 2000 * MINUTE, CLOSED - 1998 * MINUTE)]
    ),
    "rows out of order, twice, and from elsewhere": faults(
        unordered_rate=0.5, duplicate_rate=0.5, outside_rate=0.5
    ),
    "5xx, resets and garbage": faults(error_rate=0.07, reset_rate=0.07, garbage_rate=0.07),
    "refusals with a 429": faults(forced=Forced(429, count=1, retry_after=1)),
}


@every_market
@pytest.mark.parametrize("bad_day", BAD_DAYS.values(), ids=BAD_DAYS.keys())
async def test_a_bad_day_ends_equal_to_the_exchange(
    world: World, series: Series, bad_day: Callable[[Faults], None]
) -> None:
    await world.sync(series, CLOSED - 2000 * MINUTE, CLOSED - 1999 * MINUTE)
    bad_day(world.simulator.faults)
    result = await world.sync(series, CLOSED - 2000 * MINUTE)
    assert (result.missing, result.error) == ((), None)
    expected = world.exchange_has(series, CLOSED - 2000 * MINUTE)
    stored = world.stored(series)
    assert {minute: stored[minute] for minute in expected} == expected
    assert len(stored) - len(expected) <= 1


@every_market_with_trades
async def test_minutes_that_a_venue_leaves_out_are_void_after_being_asked_for_exactly(
    world: World, series: Series
) -> None:
    world.simulator.faults.quirks.omit_empty = True
    start = CLOSED - 600 * MINUTE
    result = await world.assert_complete(series, start)
    assert result.absent
    assert {absence.reason for absence in result.absent} == {"no_data"}


@every_market
async def test_a_candle_that_contradicts_itself_is_refused_counted_and_asked_for_again(
    world: World, series: Series
) -> None:
    start, wrong = CLOSED - 300 * MINUTE, CLOSED - 100 * MINUTE
    key = (series.symbol.replace("-", ""), wrong)
    world.simulator.faults.revisions[key] = {"low": "900000.00", "high": "1.00"}
    result = await world.sync(series, start)
    assert result.absent == (Absence(Window(wrong, wrong + MINUTE), "contradictory"),)
    assert (result.tally.contradictory, result.missing, len(world.stored(series))) == (1, (), 299)
    del world.simulator.faults.revisions[key]
    async with world.service.syncing.ledgers.hold(series, 60) as ledger:
        request = SyncRequest(series, start, CLOSED, refresh=True)
        await world.service.syncing.syncs.sync(ledger, request, no_progress, StopSignal())
    assert world.stored(series) == world.exchange_has(series, start)


@every_market_with_trades
async def test_minutes_without_trades_are_stored_as_sent(world: World, series: Series) -> None:
    start = CLOSED - 600 * MINUTE
    await world.assert_complete(series, start)
    flat = [row for row in world.stored(series).values() if row[4] == 0.0]
    assert flat
    assert all(len(set(row[:4])) == 1 for row in flat)


@every_market
async def test_a_page_that_keeps_failing_loses_only_itself(world: World, series: Series) -> None:
    start = CLOSED - 3 * DAY
    await world.sync(series, start, start + MINUTE)
    broken = start + 2500 * MINUTE
    world.simulator.faults.failing = [(broken, broken + MINUTE)]
    result = await world.sync(series, start)
    assert result.error is not None
    assert [window.start <= broken < window.end for window in result.missing] == [True]
    assert result.missing[0].minutes <= 1440
    world.simulator.faults.failing = []
    await world.assert_complete(series, start)


@every_market
async def test_an_unknown_symbol_costs_one_candle_request_a_minute(world: World, series: Series) -> None:
    stranger = Series(series.exchange, series.market, "NOSUCHUSDT")
    for _ in range(3):
        with pytest.raises(UnknownSymbol):
            await world.sync(stranger, CLOSED - HOUR)
    assert len([found for found in world.simulator.requests if re.search("line|candle", found.path)]) == 1


@every_market
async def test_a_symbol_that_the_list_leaves_out_is_synced_all_the_same(world: World, series: Series) -> None:
    world.simulator.faults.unlisted = [series.symbol.replace("-", "")]
    source = world.service.markets.source(series)
    assert series.symbol not in await source.symbols()
    await source.ensure_known(series.symbol)
    await world.assert_complete(series, CLOSED - 3 * HOUR)


@every_market
@pytest.mark.parametrize(
    ("status", "codes"),
    [
        (418, {"banned"}),
        (451, {"region_blocked"}),
        (403, {"rate_limited", "region_blocked"}),
        (500, {"exchange_unavailable", "maintenance"}),
    ],
)
async def test_a_refusal_is_told_by_its_class(
    world: World, series: Series, status: int, codes: set[str]
) -> None:
    if status == 418 and series.exchange in ("bitget", "extended"):
        codes = {"exchange_refused"}  # these venues know no ban by 418
    await world.sync(series, CLOSED - 2 * HOUR, CLOSED - HOUR)
    world.simulator.faults.forced = Forced(status, count=1000, retry_after=900)
    result = await world.sync(series, CLOSED - HOUR)
    assert result.error is not None
    assert result.error.code in codes
    assert result.missing == (Window(CLOSED - HOUR, CLOSED),)


@every_market
async def test_time_before_the_listing_is_not_asked_for_page_by_page(world: World, series: Series) -> None:
    everything = world.exchange_has(series, parse_time("2017-01-01"), parse_time("2017-01-02"))
    assert everything == {}
    result = await world.sync(series, parse_time("2015-01-01"), parse_time("2016-01-01"))
    assert (result.tally.new_records, result.missing, result.error, result.absent) == (0, (), None, ())
    assert len(world.simulator.requests) < 30


def test_a_symbols_spellings_are_one_series(world: World) -> None:
    for series in MARKETS:
        for spelling in ("btcusdt", "BTC-USDT", "BTC/USDT", "BTC/USDT:USDT"):
            if series.exchange == "extended":
                spelling = spelling.replace("USDT", "USD").replace("btcusdt", "btc-usd")
            assert world.service.markets.series(spelling, series.exchange, series.market) == series


@every_market
async def test_the_listing_names_base_and_quote(world: World, series: Series) -> None:
    listings = await world.service.markets.source(series).symbols()
    found: Any = listings[series.symbol]
    assert (found.base, found.quote[:3]) == ("BTC", "USD")
    assert all(symbol == listing.symbol for symbol, listing in listings.items())


@every_market
async def test_old_history_is_reached_where_the_venue_keeps_it(world: World, series: Series) -> None:
    world.simulator.faults.quirks.bingx = BingxRules(spot_retention={})  # else seven days, as it is said
    start = parse_time("2024-03-01T11:58:00Z")
    await world.assert_complete(series, start, start + 450 * MINUTE)


def test_errors_of_all_venues_are_of_one_tree() -> None:
    for exchange in EXCHANGES.values():
        for market in exchange.markets.values():
            assert issubclass(type(market.failure(_answer(500))), MarketDataError)
            assert market.failure(_answer(500)) is not None


def _answer(status: int) -> Any:
    from backend.exchanges.base import Answer

    return Answer(status, {}, b"")
