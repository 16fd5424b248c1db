"""Followed series are complete to the last closed minute by sockets, whatever happens to them.

Real sockets and HTTP, a real mongod, simulated time. Whatever stored value is replaced is recorded as a
revision: so if there are none but those that the exchange made, no forming value was stored at any time.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from tornado.ioloop import IOLoop

from backend.clock import Clock
from backend.core.follow import LONGEST_UNCONFIRMED_MS
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.services.service import Service
from backend.settings import Settings
from backend.store.mongo import Database
from tests.conftest import NOW
from tests.following import HandClock, until, until_complete
from tests.integration.stored import stored_documents
from tests.simulator import Simulator, SimulatorClock, synthetic_market

pytestmark = pytest.mark.timeout(600)
"""An hour of simulated time waits for the machine: this only ends what hangs."""

PACE = 60.0
CLOSED = NOW - NOW % MINUTE
SINCE = CLOSED - 30 * MINUTE
MARKETS = [
    (exchange, market) for exchange in ("binance", "bitget", "bingx") for market in ("spot", "perpetual")
]
COINS = [f"C{number}" for number in range(9)]
PRICES = ("open", "high", "low", "close", "volume")


def coins() -> Iterator[Any]:
    """The same coins on all six markets, each with candles of its own."""
    for coin in COINS:
        for kind in ("spot", "perpetual"):
            yield synthetic_market(
                coin, "USDT", "2025-01-01", price=100, volume=50, decimals=(2, 3), kind=kind, flat_share=0.1
            )


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Exchanges without limits, whose clock hurries."""
    simulated = Simulator(list(coins()), clock=SimulatorClock(NOW, speed=PACE), limits=False)
    simulated.faults.sockets.frames_per_minute = 6
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


@pytest.fixture
def clock(simulator: Simulator) -> Clock:
    return HandClock(simulator, PACE)


@pytest.fixture
def settings(settings: Settings, simulator: Simulator) -> Settings:
    """Sockets of the simulator too. A real second is a minute: half of one for frames to come."""
    sockets = dict.fromkeys(settings.socket_urls, simulator.url.replace("http://", "ws://"))
    return replace(settings, socket_urls=sockets, settle_seconds=30)


def exchange_has(simulator: Simulator, series: Series, end: int) -> list[tuple[Any, ...]]:
    rows = simulator.history(series.symbol, SINCE, end, venue=series.exchange, market=series.market)
    return [tuple(row[:6]) for row in rows]


def stored_to(settings: Settings, series: Series, end: int) -> list[tuple[Any, ...]]:
    """What is stored of the minutes before `end`."""
    found = stored_documents(settings.mongodb_uri, settings.mongodb_database, series.name)
    rows = [(document["_id"], *(document[name] for name in PRICES)) for document in found]
    return [row for row in rows if row[0] < end]


async def test_pushed_candles_are_stored_and_asked_for_only_to_confirm_them(
    service: Service, simulator: Simulator, settings: Settings
) -> None:
    wanted = [Series("binance", market, f"{coin}USDT") for market in ("spot", "perpetual") for coin in COINS]
    await service.following.follows.add(wanted, SINCE)
    await until_complete(service, simulator)
    await until_pushed(service, len(wanted))
    asked = len(simulator.requests)
    began = simulator.clock.now()
    await until(lambda: passed(simulator, began + 20 * MINUTE))
    end = await until_complete(service, simulator)
    minutes = (simulator.clock.now() - began) / MINUTE
    assert len(simulator.requests) - asked < len(wanted) * minutes / 3
    for series in wanted:
        assert stored_to(settings, series, end) == exchange_has(simulator, series, end)


async def test_fifty_series_on_six_markets_stay_complete_for_an_hour_of_bad_sockets(
    service: Service, simulator: Simulator, settings: Settings, database: Database
) -> None:
    chance = random.Random(5)
    wanted = [Series(*market, f"{coin}USDT") for market in MARKETS for coin in COINS][:50]
    await service.following.follows.add(wanted, SINCE)
    await until_complete(service, simulator)
    await until_pushed(service, len(wanted))
    revised: set[tuple[str, int]] = set()
    began = simulator.clock.now()
    for passed_minutes in range(2, 60, 2):
        misbehave(simulator, chance)
        if passed_minutes % 10 == 0:
            revised.add(revise(simulator, chance.choice(wanted)))
        await until(lambda until=began + passed_minutes * MINUTE: passed(simulator, until))  # type: ignore[misc]
    behave(simulator)
    await until(lambda: passed(simulator, began + 60 * MINUTE + LONGEST_UNCONFIRMED_MS + 2 * MINUTE))
    end = await until_complete(service, simulator)
    for series in wanted:
        assert stored_to(settings, series, end) == exchange_has(simulator, series, end)
    found = await database["revisions"].find({}).to_list(None)
    assert {(one["series"].rsplit(".", 1)[1], one["open_time"]) for one in found} <= revised
    follows = await service.following.follows.all()
    assert sum(one.follow.reconnects for one in follows) > 0


async def until_pushed(service: Service, count: int) -> None:
    async def are_pushed() -> bool:
        return sum(one.follow.source == "socket" for one in await service.following.follows.all()) == count

    await until(are_pushed)


async def passed(simulator: Simulator, moment: int) -> bool:
    return simulator.clock.now() >= moment


def misbehave(simulator: Simulator, chance: random.Random) -> None:
    """Whatever sockets and requests can suffer, for the next two minutes."""
    faults = simulator.faults
    faults.error_rate = chance.choice((0.0, 0.0, 0.2))
    sockets = faults.sockets
    sockets.cut_rate = chance.choice((0.0, 0.001, 0.01))
    sockets.drop_rate = chance.choice((0.0, 0.2))
    sockets.drop_closing_rate = chance.choice((0.0, 0.3, 1.0))
    sockets.duplicate_rate = sockets.unordered_rate = chance.choice((0.0, 0.1))
    sockets.late_rate = chance.choice((0.0, 0.5))
    sockets.torn_rate = chance.choice((0.0, 0.02))
    sockets.wrong_topic_rate = chance.choice((0.0, 0.1))
    sockets.silence = chance.random() < 0.15
    sockets.mute = {f"{chance.choice(COINS)}USDT"} if chance.random() < 0.3 else frozenset()
    sockets.handshake_status = chance.choice((None, None, 502))
    if chance.random() < 0.2:
        simulator.cut_sockets()
    if chance.random() < 0.1:
        simulator.clock.advance(chance.randint(1, 5) * MINUTE)


def behave(simulator: Simulator) -> None:
    simulator.faults.error_rate = 0.0
    simulator.faults.sockets = replace(
        simulator.faults.sockets,
        cut_rate=0.0,
        drop_rate=0.0,
        drop_closing_rate=0.0,
        duplicate_rate=0.0,
        unordered_rate=0.0,
        late_rate=0.0,
        torn_rate=0.0,
        wrong_topic_rate=0.0,
        silence=False,
        mute=frozenset(),
        handshake_status=None,
    )


def revise(simulator: Simulator, series: Series) -> tuple[str, int]:
    """Have the exchange tell its last closed minute differently by request from now on."""
    minute = simulator.clock.now() // MINUTE * MINUTE - MINUTE
    [row] = simulator.history(series.symbol, minute, minute + MINUTE, series.exchange, series.market)
    revised = (series.symbol, minute)
    # The volume: other exchanges that trade the symbol at other prices change theirs alike.
    simulator.faults.revisions[revised] = {"volume": f"{row[5] + 1:.8f}"}
    return revised
