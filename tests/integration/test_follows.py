"""Followed series are complete to the last closed minute, whatever happens; real HTTP, a real mongod."""

from __future__ import annotations

import asyncio
import random
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from backend.app import open_service
from backend.clock import Clock
from backend.core.contiguous import known_to
from backend.core.series import Series
from backend.core.windows import HOUR, MINUTE
from backend.services.service import Service
from backend.settings import Settings
from backend.store.mongo import Database
from tests.conftest import NOW
from tests.figures import counted
from tests.following import PACE, HandClock, until_complete
from tests.following import until as eventually
from tests.integration.processes import RunningService, running_service, running_simulator, until
from tests.integration.stored import stored_documents
from tests.simulator import Simulator, SimulatorClock
from tests.syncing import run_job

CLOSED = NOW - NOW % MINUTE
SINCE = CLOSED - 30 * MINUTE
HOURS_AGO = CLOSED - 300 * MINUTE
MARKETS = [
    (exchange, market) for exchange in ("binance", "bitget", "bingx") for market in ("spot", "perpetual")
]
COINS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
PRICES = ("open", "high", "low", "close", "volume")


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Exchanges without limits, whose clock hurries."""
    simulated = Simulator(clock=SimulatorClock(NOW, speed=PACE), limits=False)
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


@pytest.fixture
def clock(simulator: Simulator) -> Clock:
    return HandClock(simulator)


def exchange_has(simulator: Simulator, series: Series, end: int, since: int = SINCE) -> list[tuple[Any, ...]]:
    rows = simulator.history(series.symbol, since, end, venue=series.exchange, market=series.market)
    return [tuple(row[:6]) for row in rows]


def stored(settings: Settings, series: Series) -> list[tuple[Any, ...]]:
    found = stored_documents(settings.mongodb_uri, settings.mongodb_database, series.name)
    return [(document["_id"], *(document[name] for name in PRICES)) for document in found]


def stored_to(settings: Settings, series: Series, end: int) -> list[tuple[Any, ...]]:
    """What is stored of the minutes before `end`; later ones may have come meanwhile."""
    return [row for row in stored(settings, series) if row[0] < end]


async def test_follows_on_six_markets_stay_complete_through_faults(
    service: Service, simulator: Simulator, settings: Settings
) -> None:
    wanted = [Series(*market, coin) for market in MARKETS for coin in COINS]
    wanted += [Series("binance", "spot", coin) for coin in ("BNBUSDT", "XRPUSDT")]
    await service.following.follows.add(wanted, SINCE)
    await until_complete(service, simulator)
    chance = random.Random(7)
    for _ in range(8):
        simulator.faults.error_rate = chance.choice((0.0, 0.2, 0.4))
        simulator.faults.reset_rate = chance.choice((0.0, 0.1))
        simulator.clock.advance(chance.randint(1, 3) * MINUTE)
        await asyncio.sleep(0.1)
    simulator.faults.error_rate = simulator.faults.reset_rate = 0.0
    simulator.clock.advance(10 * MINUTE)
    end = await until_complete(service, simulator)
    for series in wanted:
        assert stored_to(settings, series, end) == exchange_has(simulator, series, end)


async def test_one_follow_that_fails_is_told_and_the_others_go_on(
    service: Service, simulator: Simulator
) -> None:
    good, bad = Series("bitget", "spot", "BTCUSDT"), Series("binance", "spot", "BTCUSDT")
    await service.following.follows.add([good, bad], SINCE)
    await until_complete(service, simulator)
    now = simulator.clock.now()
    simulator.faults.failing = [(now, now + 5 * MINUTE)]
    await service.following.follows.remove(good)
    simulator.clock.advance(2 * MINUTE)

    async def is_failing() -> bool:
        [found] = await service.following.follows.all()
        return found.state == "failing" and found.follow.failures > 1

    await eventually(is_failing)
    [found] = await service.following.follows.all()
    assert found.follow.failure is not None
    assert found.follow.failure.code == "exchange_unavailable"
    simulator.faults.failing = []
    await service.following.follows.add([good], SINCE)
    simulator.clock.advance(6 * MINUTE)
    await until_complete(service, simulator)
    found = next(one for one in await service.following.follows.all() if one.follow.series == bad)
    assert (found.follow.failures, found.follow.failure) == (0, None)


async def test_a_gap_in_the_middle_is_healed(
    service: Service, simulator: Simulator, settings: Settings
) -> None:
    series = Series("binance", "spot", "BTCUSDT")
    simulator.faults.outages = [(CLOSED - 5 * MINUTE, CLOSED - 3 * MINUTE)]
    await service.following.follows.add([series], SINCE)

    async def is_visited() -> bool:
        [found] = await service.following.follows.all()
        return found.follow.checked is not None

    async def is_healed() -> bool:
        [found] = await service.following.follows.all()
        return found.follow.healed == 2

    async def is_counted() -> bool:
        market = {"exchange": series.exchange, "market": series.market}
        return counted(service.running.metrics).value("minutes_healed_total", **market) == 2

    await eventually(is_visited)
    simulator.faults.outages = []
    simulator.clock.advance(20 * MINUTE)
    await eventually(is_healed)
    await eventually(is_counted)
    end = await until_complete(service, simulator)
    assert stored_to(settings, series, end) == exchange_has(simulator, series, end)


@pytest.mark.parametrize("since", [HOURS_AGO, None])
async def test_today_comes_first_and_nothing_of_the_rest_is_forgotten(
    service: Service, simulator: Simulator, settings: Settings, since: int | None
) -> None:
    series = Series("binance", "spot", "BTCUSDT")
    await run_job(service, series, HOURS_AGO, HOURS_AGO + 10 * MINUTE)
    simulator.faults.failing = [(HOURS_AGO + 10 * MINUTE, CLOSED - 61 * MINUTE)]
    await service.following.follows.add([series], since)

    async def is_failing_but_up_to_date() -> bool:
        [found] = await service.following.follows.all()
        return found.state == "failing" and (found.last_minute or 0) >= CLOSED - MINUTE

    await eventually(is_failing_but_up_to_date)
    known = await service.reading.queries.known(series)
    assert known.since == HOURS_AGO
    assert known_to(known, HOURS_AGO) == HOURS_AGO + 10 * MINUTE
    simulator.faults.failing = []
    end = await until_complete(service, simulator)
    assert stored_to(settings, series, end) == exchange_has(simulator, series, end, HOURS_AGO)


async def test_new_minutes_of_all_come_while_years_of_one_are_fetched(
    settings: Settings, simulator: Simulator, clock: Clock
) -> None:
    """A minute of the exchange is three seconds here, in which a page takes a while; the years take hours."""
    simulator.faults.latency = 0.2
    wanted = [Series("binance", "spot", coin) for coin in COINS]
    one_at_a_time = replace(settings, jobs_at_once=1, pages_in_flight=2)
    async with open_service(one_at_a_time, clock) as service:
        await service.following.follows.add(wanted, NOW - 3 * 365 * 24 * HOUR)

        async def have(moment: int) -> bool:
            return all((one.last_minute or 0) >= moment for one in await service.following.follows.all())

        for later in (1, 3, 5):
            await eventually(partial(have, CLOSED + later * MINUTE))
        found = await service.following.follows.all()
        assert [one.follow.checked for one in found] == [None] * len(wanted)
        assert max(one.follow.new_candles for one in found) > 10 * 60


async def test_follows_survive_a_restart_and_the_environment_adds_to_them(
    settings: Settings, simulator: Simulator, clock: Clock
) -> None:
    kept, seeded = Series("bitget", "spot", "BTCUSDT"), Series("bingx", "spot", "ETHUSDT")
    async with open_service(settings, clock) as service:
        await service.following.follows.add([kept], SINCE)
        await until_complete(service, simulator)
    simulator.clock.advance(30 * MINUTE)
    again = replace(settings, follow=(seeded,), sync_start=SINCE)
    async with open_service(again, clock) as service:

        async def are_both() -> bool:
            return len(await service.following.follows.all()) == 2

        await eventually(are_both)
        end = await until_complete(service, simulator)
    for series in (kept, seeded):
        assert stored_to(settings, series, end) == exchange_has(simulator, series, end)


def follow(service: RunningService, symbols: list[str]) -> None:
    for exchange, market in MARKETS:
        body = {"symbols": symbols, "exchange": exchange, "market": market, "since": SINCE}
        assert service.call("/api/follow", body)[0] == 200


def are_complete(service: RunningService, count: int) -> bool:
    follows = service.call("/api/follow")[1]["follows"]
    return len(follows) == count and all(one["last_record"] for one in follows)


def test_the_follows_of_a_killed_process_are_taken_over(
    tmp_path: Path, mongod_uri: str, database: Database
) -> None:
    with running_simulator("--now", "2025-06-02T01:00:30Z", "--frozen", "--no-limit") as url:
        names = ("BINANCE_SPOT_URL", "BINANCE_PERPETUAL_URL", "BITGET_URL", "BINGX_URL")
        environment = {
            **dict.fromkeys(names, url),
            "MONGODB_URI": mongod_uri,
            "MONGODB_DATABASE": database.name,
            "LEASE_SECONDS": "1",
        }
        with (
            running_service(tmp_path / "one", **environment, EGRESS="here") as one,
            running_service(tmp_path / "other", **environment, EGRESS="there") as other,
        ):
            follow(one, ["BTCUSDT"])
            until(partial(are_complete, other, 6), "both to do their part")
            one.kill()
            follow(other, ["ETHUSDT"])
            until(partial(are_complete, other, 12), "the other to do what the dead one would have")


def test_a_process_that_keeps_follows_and_streams_them_ends_in_time(
    tmp_path: Path, mongod_uri: str, database: Database
) -> None:
    with running_simulator("--now", "2025-06-02T01:00:30Z", "--frozen", "--latency", "0.2") as url:
        environment = {
            "BINANCE_SPOT_URL": url,
            "MONGODB_URI": mongod_uri,
            "MONGODB_DATABASE": database.name,
            "FOLLOW": "binance:spot:BTCUSDT,binance:spot:ETHUSDT",
            "SYNC_START": "2024-06-01",
            "ARCHIVE": "off",
        }
        with running_service(tmp_path / "log", **environment) as service:
            until(partial(are_complete, service, 2), "the follows to begin")
            address = f"http://127.0.0.1:{service.port}/api/stream?series=binance:spot:BTCUSDT&since=0"
            with urllib.request.urlopen(address, timeout=30) as events:
                assert events.readline() == b": candles follow\n"
                assert service.stop() == 0
