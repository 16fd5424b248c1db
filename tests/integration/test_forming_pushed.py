"""Candles that run, from an exchange's socket to a client's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.clock import Clock
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.services.service import Service
from backend.settings import Settings, load_settings
from backend.store.mongo import Database
from tests.conftest import NOW, simulated_urls
from tests.following import PACE, HandClock, until_complete
from tests.simulator import Simulator, SimulatorClock
from tests.sockets import connected

SERIES = (Series("binance", "spot", "BTCUSDT"), Series("bitget", "perpetual", "BTCUSDT"))
NAMES = [f"{one.exchange}:{one.market}:{one.symbol}" for one in SERIES]
STEP = 3 * MINUTE


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Exchanges whose clock hurries."""
    simulated = Simulator(clock=SimulatorClock(NOW, speed=PACE), limits=False)
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


@pytest.fixture
def settings(mongod_uri: str, database: Database, simulator: Simulator) -> Settings:
    """Settings with sockets of two markets."""
    pushed = simulator.url.replace("http", "ws")
    return load_settings(
        {
            "MONGODB_URI": mongod_uri,
            "MONGODB_DATABASE": database.name,
            **simulated_urls(simulator.url),
            **dict.fromkeys(("BINANCE_SPOT_WS_URL", "BITGET_WS_URL"), pushed),
        }
    )


@pytest.fixture
def clock(simulator: Simulator) -> Clock:
    return HandClock(simulator)


async def test_running_candles_grow_into_the_closed_ones(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await service.following.follows.add(list(SERIES), NOW - NOW % STEP - 5 * STEP)
    await until_complete(service, simulator)
    found: list[dict[str, Any]] = []
    query = f"series={','.join(NAMES)}&interval=3m&forming=true"
    async with connected(http_server_client, query) as socket:
        while not all(len(grown(found, name)) >= 2 for name in NAMES):
            found += await socket.messages(1)
    for series, name in zip(SERIES, NAMES, strict=True):
        for start, states in grown(found, name).items():
            rows = simulator.history(series.symbol, start, start + STEP, series.exchange, series.market)
            *running, closed = states
            assert closed["close"] == rows[-1][4]
            assert {state["open"] for state in states} == {rows[0][1]}
            assert all(state["high"] <= closed["high"] for state in running)
            assert all(state["low"] >= closed["low"] for state in running)
            assert [state["minutes"] for state in states] == sorted(state["minutes"] for state in states)


def grown(found: list[dict[str, Any]], name: str) -> dict[int, list[dict[str, Any]]]:
    """The states of each candle that was told as it ran and then as closed, after which nothing may come."""
    states: dict[int, list[dict[str, Any]]] = {}
    closed = set()
    for message in found:
        data = message["data"]
        if data["series"] == name:
            assert data["open_time"] not in closed
            states.setdefault(data["open_time"], []).append(data)
            closed |= {data["open_time"]} if message["event"] == "candle" else set()
    return {start: told for start, told in states.items() if start in closed and len(told) > 1}
