"""Symbols that come and go, wrong machine clocks, and two services on one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from backend.app import open_service
from backend.clock import parse_time
from backend.core.windows import HOUR, MINUTE
from backend.services.service import Service
from backend.settings import load_settings
from backend.store.mongo import Database
from tests.conftest import NOW, ImpatientClock, simulated_urls
from tests.following import until_complete
from tests.integration.stored import SERIES, held_minutes, stored_rows
from tests.simulator import Market, Simulator, SimulatorClock, synthetic_market
from tests.syncing import sync

START = parse_time("2025-06-01T00:00:00Z")
CLOSED = NOW - NOW % MINUTE


def market(listed: int) -> Market:
    return synthetic_market("BTC", "USDT", listed, price=100.0, volume=5.0, decimals=(2, 5))


@asynccontextmanager
async def simulated(markets: Sequence[Market] | None = None, now: int = NOW) -> AsyncIterator[Simulator]:
    async with Simulator(markets=markets, clock=SimulatorClock(now, frozen=True), limits=False) as simulator:
        yield simulator


@asynccontextmanager
async def service_of(
    simulator: Simulator, uri: str, database: Database, clock: ImpatientClock | None = None
) -> AsyncIterator[Service]:
    settings = load_settings(
        {"MONGODB_URI": uri, "MONGODB_DATABASE": database.name, **simulated_urls(simulator.url)}
    )
    async with open_service(settings, clock or ImpatientClock()) as service:
        yield service


async def test_a_symbol_listed_in_the_middle_of_the_window_begins_there(
    mongod_uri: str, database: Database
) -> None:
    listed = START + 777 * MINUTE
    async with (
        simulated([market(listed)]) as simulator,
        service_of(simulator, mongod_uri, database) as service,
    ):
        result = await sync(service, SERIES)
        assert (result.tally.new_records, result.missing, result.absent) == (1500 - 777, (), ())
        assert stored_rows(mongod_uri, database.name) == simulator.history("BTCUSDT", START, CLOSED)
        coverage = await service.reading.queries.coverage(SERIES)
        assert coverage.first_candle == listed
        assert coverage.expected.start == listed


async def test_minutes_after_the_delisting_are_what_the_exchange_does_not_have(
    mongod_uri: str, database: Database
) -> None:
    end = START + 900 * MINUTE
    delisted = market(parse_time("2020-01-01")).until(end)
    async with simulated([delisted]) as simulator, service_of(simulator, mongod_uri, database) as service:
        result = await sync(service, SERIES)
        assert (result.tally.new_records, result.missing, result.error) == (900, (), None)
        assert [absence.window for absence in result.absent] == [(end, CLOSED)]


@pytest.mark.parametrize("minutes", [-10, 10])
async def test_a_wrong_machine_clock_neither_stores_a_forming_candle_nor_misses_a_closed_one(
    mongod_uri: str, database: Database, minutes: int
) -> None:
    class WrongClock(ImpatientClock):
        def now(self) -> int:
            return NOW + minutes * MINUTE

    async with simulated() as simulator, service_of(simulator, mongod_uri, database, WrongClock()) as service:
        result = await sync(service, SERIES)
        assert result.window.end == CLOSED
        assert stored_rows(mongod_uri, database.name) == simulator.history("BTCUSDT", START, CLOSED)


async def test_a_wrong_machine_clock_makes_no_lag_of_a_follow(mongod_uri: str, database: Database) -> None:
    class WrongClock(ImpatientClock):
        def now(self) -> int:
            return NOW + HOUR

    async with simulated() as simulator, service_of(simulator, mongod_uri, database, WrongClock()) as service:
        await service.following.follows.add([SERIES], START)
        await until_complete(service, simulator)
        [found] = await service.following.follows.all()
        assert found.state == "live"
        assert NOW - CLOSED <= (found.lag or 0) < MINUTE


@pytest.mark.parametrize(("milliseconds", "closed"), [(1_999, 1499), (2_000, 1500)])
async def test_a_candle_is_final_when_it_has_settled(
    mongod_uri: str, database: Database, milliseconds: int, closed: int
) -> None:
    """The exchange's clock stands so long after the end of the 1500th minute; the delay is two seconds."""
    async with (
        simulated(now=CLOSED + milliseconds) as simulator,
        service_of(simulator, mongod_uri, database, StoppedClock()) as service,
    ):
        assert (await sync(service, SERIES)).tally.new_records == closed


class StoppedClock(ImpatientClock):
    """A monotonic clock that does not move: the exchange's time stays what was read."""

    def monotonic(self) -> float:
        return 1.0


async def test_two_services_on_one_database_lose_nothing_and_claim_nothing_false(
    mongod_uri: str, database: Database
) -> None:
    start = START - 240 * HOUR
    async with (
        simulated() as simulator,
        service_of(simulator, mongod_uri, database) as one,
        service_of(simulator, mongod_uri, database) as other,
    ):
        simulator.faults.jitter = 0.02
        results = await asyncio.gather(*(sync(service, SERIES, start) for service in (one, other)))
        assert [(result.missing, result.error) for result in results] == [((), None), ((), None)]
        expected = simulator.history("BTCUSDT", start, CLOSED)
        assert sum(result.tally.new_records for result in results) == len(expected)
        assert [result.tally.revised_records for result in results] == [0, 0]
        assert stored_rows(mongod_uri, database.name) == expected
        assert await held_minutes(database) == {row[0] for row in expected}
