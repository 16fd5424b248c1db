"""`/api/changes`: what changes of jobs, follows, series and health, told once each and resumed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.clock import Clock
from backend.core.follow import Follow
from backend.core.series import Series
from backend.services.service import Service
from backend.services.streaming.change_log import ChangeLog
from backend.services.streaming.changes import KEPT_SECONDS, MOST_NAMED
from backend.store.market.follows import MongoFollows
from backend.store.mongo import Database
from tests.conftest import NOW
from tests.following import PACE, HandClock, until
from tests.simulator import Simulator, SimulatorClock
from tests.sockets import connected
from tests.web.client import error_code, get, post, send
from tests.web.listening import Ear, listening
from tests.web.stored import candle, store

BTC, ETH = "binance:spot:BTCUSDT", "binance:spot:ETHUSDT"


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Exchanges whose clock stands still but can be moved on."""
    simulated = Simulator(clock=SimulatorClock(NOW, speed=PACE), limits=False)
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


@pytest.fixture
def clock(simulator: Simulator) -> Clock:
    return HandClock(simulator)


async def begun(ear: Ear) -> bool:
    """Whether the stream goes on where another ended."""
    async with asyncio.timeout(60):
        name, data = await ear.next()
    assert name == "begin"
    return bool(data["resumed"])


def about(series: str, kind: str = "series") -> Callable[[str, Any], bool]:
    return lambda name, data: name == kind and series in data["series"]


async def test_a_job_is_told_as_it_goes_and_then_its_series(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    async with listening(http_server_client, "/api/changes") as ear:
        assert not await begun(ear)
        reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", "wait": False})
        job = reply.body["job"]["id"]
        done = await ear.until(lambda name, data: name == "job" and data["status"] == "done")
        assert done == (await get(http_server_client, f"/api/jobs/{job}")).body["job"]
        if not any(about(BTC)(*one) for one in ear.heard):
            await ear.until(about(BTC))
    told = [data for name, data in ear.heard if name == "job"]
    assert all(one["id"] == job for one in told)
    assert all(one != two for one, two in pairwise(told))


async def test_what_another_process_writes_is_told_too(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    follows = MongoFollows(database)
    sol = Series("binance", "spot", "SOLUSDT")
    async with listening(http_server_client, "/api/changes") as ear:
        assert not await begun(ear)
        await store(database, [candle(minute) for minute in range(10)])
        await ear.until(about(BTC))
        await follows.add(Follow(sol, None, created=NOW))
        await ear.until(about("binance:spot:SOLUSDT", "follow"))
        await follows.remove(sol)
        await ear.until(about("binance:spot:SOLUSDT", "follow"))


async def test_who_comes_back_is_told_what_he_missed_and_no_more(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    async with listening(http_server_client, "/api/changes") as other:
        await begun(other)
        async with listening(http_server_client, "/api/changes") as ear:
            assert not await begun(ear)
        await store(database, [candle(minute) for minute in range(10)])
        await other.until(about(BTC))
        missed = other.heard[1:]
        async with listening(http_server_client, "/api/changes", ear.last) as again:
            assert await begun(again)
            assert [await again.next() for _ in missed] == missed
            assert again.last == other.last


@pytest.mark.parametrize("last", ["what nobody said", "0123456789ab-7", "-", "x" * 500])
async def test_what_cannot_be_gone_on_from_is_said(
    http_server_client: AsyncHTTPServerClient, last: str
) -> None:
    async with listening(http_server_client, "/api/changes", last) as ear:
        assert not await begun(ear)


async def test_who_is_too_far_behind_is_told_to_read_all_anew(
    http_server_client: AsyncHTTPServerClient, service: Service, database: Database
) -> None:
    service.changes.log = ChangeLog(most=2)
    async with listening(http_server_client, "/api/changes") as other:
        await begun(other)
        async with listening(http_server_client, "/api/changes") as ear:
            await begun(ear)
        for number in range(1, 4):
            await store(database, [candle(minute) for minute in range(10 * number)])
            await other.until(about(BTC))
        async with listening(http_server_client, "/api/changes", ear.last) as again:
            assert not await begun(again)
            assert again.last == other.last


async def test_a_list_of_series_that_is_cut_says_so(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    many = [Follow(Series("bingx", "spot", f"S{one:03}USDT"), None, NOW) for one in range(2 * MOST_NAMED)]
    await asyncio.gather(*(MongoFollows(database).add(one) for one in many))
    async with listening(http_server_client, "/api/changes") as ear:
        await begun(ear)
        await database["follows"].drop()  # all of them at one moment
        await ear.until(lambda name, data: name == "follow" and len(data["series"]) == 100 and data["more"])


async def test_health_is_told_when_a_task_fails_and_when_it_works_again(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    async with listening(http_server_client, "/api/changes") as ear:
        await begun(ear)
        key = object()
        service.running.loops.note("work of the tests", RuntimeError("no"), key)
        told = await ear.until(lambda name, data: name == "health" and data["status"] == "not_ready")
        assert told == (await get(http_server_client, "/health/ready")).body
        service.running.loops.forget(key)
        await ear.until(lambda name, data: name == "health" and data["status"] == "ready")


async def test_nobody_looks_for_changes_when_the_last_one_has_left_for_a_while(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator, database: Database
) -> None:
    async def asleep() -> bool:
        return not service.changes.is_ready

    assert await asleep()
    async with listening(http_server_client, "/api/changes") as ear:
        assert not await begun(ear)
    async with listening(http_server_client, "/api/changes", ear.last) as ear:
        assert await begun(ear)
    simulator.clock.advance(int(KEPT_SECONDS * 1000) + 1000)
    await until(asleep)
    await store(database, [candle(minute) for minute in range(10)])
    async with listening(http_server_client, "/api/changes", ear.last) as ear:
        assert not await begun(ear)


async def test_a_websocket_says_the_same(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    async with connected(http_server_client, "", "/api/changes") as socket:
        [begin] = await socket.messages(1)
        assert (begin["event"], begin["data"]) == ("begin", {"resumed": False})
        await store(database, [candle(minute) for minute in range(10)])
        [change] = await socket.messages(1)
        while change["event"] != "series":
            [change] = await socket.messages(1)
        assert change["data"] == {"series": [BTC], "more": False}
    async with connected(http_server_client, f"last_event_id={begin['id']}", "/api/changes") as socket:
        [begin] = await socket.messages(1)
        assert begin["data"] == {"resumed": True}


async def test_streams_end_when_the_service_stops(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    async with connected(http_server_client, "", "/api/changes") as socket:
        await socket.messages(1)
        await service.streaming.ledger_watch.dismiss(30)
        assert await socket.closing() == (1001, "the service is stopping")
    assert service.streaming.ledger_watch.streams == 0


async def test_a_head_and_a_wrong_question(http_server_client: AsyncHTTPServerClient) -> None:
    head = await http_server_client.fetch("/api/changes", method="HEAD")
    assert head.headers["Content-Type"] == "text/event-stream"
    assert error_code(await send(http_server_client, "/api/changes?since=1")) == "unknown_parameter"
