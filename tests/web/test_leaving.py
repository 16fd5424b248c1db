"""Clients that leave, wait in numbers, or take all the room: they stop costing, and others get in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection
from contextlib import AsyncExitStack, ExitStack, aclosing
from dataclasses import replace

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.httputil import HTTPHeaders, HTTPServerRequest, RequestStartLine
from tornado.web import Application

from backend.access.keys import read_keys
from backend.access.policy import Access
from backend.core.follow import Follow
from backend.core.job import Job, SyncRequest
from backend.core.series import Series
from backend.errors import InvalidRequest, TooManyJobs, TooManyStreams
from backend.services.following.follows import Follows
from backend.services.jobs.submission import Jobs
from backend.services.service import Service
from backend.settings import Settings
from backend.store.market.coverage import MongoCoverage
from backend.store.market.follows import MongoFollows
from backend.store.market.jobs import MongoJobs
from backend.store.mongo import Database
from backend.telemetry.metrics import Metrics
from backend.web.server.guard import Guard
from backend.web.server.room import Room
from tests.conftest import NOW
from tests.fakes import FakeClock
from tests.figures import scrape
from tests.simulator import Simulator
from tests.web.client import error_code, get, post

MANY = 150


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until it is so; a test's own time limit ends what never is."""
    while True:
        found = condition()
        if found if isinstance(found, bool) else await found:
            return
        await asyncio.sleep(0.02)


async def ask_and_stay(client: AsyncHTTPServerClient, text: str) -> asyncio.StreamWriter:
    """Send a request and keep the connection without reading anything."""
    _, writer = await asyncio.open_connection("127.0.0.1", client.get_http_port())
    writer.write(text.encode())
    await writer.drain()
    return writer


def sync_of(symbol: str) -> str:
    body = json.dumps({"symbol": symbol})
    return f"POST /api/sync HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}"


def rooms(app: Application) -> dict[str, Room]:
    found: dict[str, Room] = vars(app.settings["rooms"])
    return found


async def test_who_waited_for_a_sync_and_left_costs_nothing(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, app: Application
) -> None:
    simulator.faults.hang_rate = 1.0
    waiting = rooms(app)["waiting"]
    before = len(asyncio.all_tasks())
    writers = [await ask_and_stay(http_server_client, sync_of("BTCUSDT")) for _ in range(100)]
    await until(lambda: waiting.taken == 100)
    assert len(asyncio.all_tasks()) >= before + 100
    for writer in writers:
        writer.close()
    await until(lambda: waiting.taken == 0)
    await until(lambda: len(asyncio.all_tasks()) < before + 20)
    told = (await scrape(http_server_client)).labels("http_requests_total", "status")
    assert "cut" in told
    assert "500" not in told
    simulator.faults.hang_rate = 0.0
    simulator.faults.release()


async def test_one_client_cannot_take_all_places_to_wait(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, app: Application
) -> None:
    simulator.faults.hang_rate = 1.0
    waiting = rooms(app)["waiting"]
    writers = [await ask_and_stay(http_server_client, sync_of("BTCUSDT")) for _ in range(MANY)]
    await until(lambda: waiting.taken == MANY)
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert (reply.status, error_code(reply)) == (429, "too_many_streams")
    assert (await get(http_server_client, "/health/live")).status == 200
    for writer in writers:
        writer.close()
    await until(lambda: waiting.taken == 0)
    simulator.faults.hang_rate = 0.0
    simulator.faults.release()


async def test_who_does_not_wait_needs_no_place_and_who_is_refused_leaves_no_job(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, app: Application, service: Service
) -> None:
    simulator.faults.hang_rate = 1.0
    with ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(rooms(app)["waiting"].place("127.0.0.1"))
        refused = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
        assert (refused.status, error_code(refused)) == (429, "too_many_streams")
        assert await service.jobs.newest(10) == []
        taken = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", "wait": False})
        assert taken.status == 202
    simulator.faults.hang_rate = 0.0
    simulator.faults.release()


async def test_a_verify_ends_with_its_client(
    http_server_client: AsyncHTTPServerClient, app: Application, service: Service
) -> None:
    waiting, body = rooms(app)["waiting"], json.dumps({"symbol": "BTCUSDT"})
    ask = f"POST /api/verify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    async with service.syncing.ledgers.hold(Series("binance", "spot", "BTCUSDT")):
        staying = asyncio.create_task(post(http_server_client, "/api/verify", {"symbol": "BTCUSDT"}))
        await until(lambda: waiting.taken == 1)
        before = len(asyncio.all_tasks())
        writers = [await ask_and_stay(http_server_client, ask) for _ in range(50)]
        await until(lambda: waiting.taken == 51)
        for writer in writers:
            writer.close()
        await until(lambda: waiting.taken == 1)
        await until(lambda: len(asyncio.all_tasks()) < before + 20)
        assert not staying.done()
    await staying


async def test_bots_have_places_too(http_server_client: AsyncHTTPServerClient, app: Application) -> None:
    with ExitStack() as stack:
        for number in range(400):
            stack.enter_context(rooms(app)["data"].place(f"client {number}"))
        reply = await get(http_server_client, "/binance/api/v3/klines?symbol=BTCUSDT&interval=1m")
        assert (reply.status, error_code(reply)) == (429, "too_many_streams")
        assert "Retry-After" in reply.headers
        for path in ("exchangeInfo", "ticker/price", "ticker/24hr"):
            assert (await get(http_server_client, f"/binance/api/v3/{path}")).status == 429
    assert (await get(http_server_client, "/binance/api/v3/exchangeInfo")).status == 200


async def test_one_client_cannot_take_all_streams(
    http_server_client: AsyncHTTPServerClient, app: Application
) -> None:
    with ExitStack() as stack:
        for _ in range(150):
            stack.enter_context(rooms(app)["streams"].place("127.0.0.1"))
        refused = await get(http_server_client, "/api/stream?series=binance:spot:BTCUSDT")
        assert (refused.status, error_code(refused)) == (429, "too_many_streams")
        assert "for you" in refused.body["error"]["message"]
        stack.enter_context(rooms(app)["streams"].place("another"))


async def test_events_of_jobs_have_a_place_each_and_give_it_back(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, app: Application
) -> None:
    simulator.faults.hang_rate = 1.0
    job = (await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", "wait": False})).body["job"][
        "id"
    ]
    events = rooms(app)["events"]
    ask = f"GET /api/jobs/{job}/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
    writers = [await ask_and_stay(http_server_client, ask) for _ in range(MANY)]
    await until(lambda: events.taken == MANY)
    reply = await get(http_server_client, f"/api/jobs/{job}/events")
    assert (reply.status, error_code(reply)) == (429, "too_many_streams")
    for writer in writers:
        writer.close()
    await until(lambda: events.taken == 0)
    simulator.faults.hang_rate = 0.0
    simulator.faults.release()


class TestFewPlaces:
    """A service in which ten jobs may wait."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, jobs_queued=10, role="api")

    async def test_requests_side_by_side_do_not_take_the_same_room(
        self, http_server_client: AsyncHTTPServerClient, service: Service
    ) -> None:
        symbols = [f"COIN{number}USDT" for number in range(60)]
        replies = await asyncio.gather(
            *(post(http_server_client, "/api/sync", {"symbol": name, "wait": False}) for name in symbols)
        )
        taken = [reply for reply in replies if reply.status == 202]
        assert {error_code(reply) for reply in replies if reply.status != 202} == {"too_many_jobs"}
        assert len(await service.jobs.newest(100, "queued")) == len(taken) <= 10


class CountedReads(MongoJobs):
    """Counts how often it is asked for jobs by id."""

    reads = 0

    async def load(self, job_id: str) -> Job | None:
        self.reads += 1
        return await super().load(job_id)

    async def load_all(self, job_ids: Collection[str]) -> dict[str, Job]:
        self.reads += 1
        return await super().load_all(job_ids)


async def test_all_who_watch_jobs_share_a_look(service: Service, database: Database) -> None:
    # A database of its own: the service's worker would take the jobs and end them.
    store = CountedReads(database.client[f"{database.name}-watched"])
    requests = [SyncRequest(Series("binance", "spot", f"C{number}USDT")) for number in range(50)]
    made = [await store.add(Job(f"job {number}", one, NOW)) for number, one in enumerate(requests)]
    jobs = Jobs(store, service.jobs.worker, FakeClock(NOW), 100, Metrics())
    async with AsyncExitStack() as stack:
        watchers = [await stack.enter_async_context(aclosing(jobs.watch(job.id))) for job in made]
        await asyncio.gather(*(anext(watcher) for watcher in watchers))
        store.reads = 0
        for _ in range(10):
            await asyncio.gather(*(anext(watcher) for watcher in watchers))
        assert 0 < store.reads <= 10
    await database.client.drop_database(f"{database.name}-watched")


class LateCount(MongoJobs):
    """Whose second count is made before the first job is written, and told after it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.admitted, self.counted, self.written = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def queued(self) -> int:
        found = await super().queued()
        if self.admitted.is_set():
            self.counted.set()
            await self.written.wait()
        return found

    async def add(self, job: Job) -> Job:
        self.admitted.set()
        await self.counted.wait()
        return await super().add(job)


async def test_a_count_that_is_told_late_lets_no_job_too_many_in(
    service: Service, database: Database
) -> None:
    store = LateCount(database)
    jobs = Jobs(store, service.jobs.worker, FakeClock(NOW), 1, Metrics())

    async def submit(symbol: str) -> None:
        await jobs.submit([SyncRequest(Series("binance", "spot", symbol), start=0, end=0)])
        store.written.set()

    first = asyncio.create_task(submit("BTCUSDT"))
    await store.admitted.wait()
    with pytest.raises(TooManyJobs):
        await submit("ETHUSDT")
    await first


class LateList(MongoFollows):
    """Whose second list is made before the first follow is written, and told after it."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.admitted, self.listed, self.written = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def all(self) -> list[Follow]:
        found = await super().all()
        if self.admitted.is_set() and not self.listed.is_set():
            self.listed.set()
            await self.written.wait()
        return found

    async def add(self, follow: Follow) -> None:
        self.admitted.set()
        await self.listed.wait()
        await super().add(follow)


async def test_a_list_that_is_told_late_lets_no_follow_too_many_in(
    service: Service, database: Database
) -> None:
    store = LateList(database)
    follows = Follows(
        store=store, coverage=MongoCoverage(database), markets=service.markets, clock=FakeClock(NOW), most=1
    )

    async def follow(symbol: str) -> None:
        await follows.add([service.markets.series(symbol, "binance", "spot")], None)
        store.written.set()

    first = asyncio.create_task(follow("BTCUSDT"))
    await store.admitted.wait()
    with pytest.raises(InvalidRequest, match="the limit is"):
        await follow("ETHUSDT")
    await first


async def test_follows_side_by_side_do_not_take_the_same_room(service: Service, database: Database) -> None:
    store = MongoFollows(database)
    follows = Follows(
        store=store, coverage=MongoCoverage(database), markets=service.markets, clock=FakeClock(NOW), most=3
    )
    symbols = ("BTCUSDT", "ETHUSDT")
    series = [service.markets.series(symbol, "binance", "spot") for symbol in symbols]
    others = [
        service.markets.series(symbol, "bitget", kind) for symbol in symbols for kind in ("spot", "perpetual")
    ]
    outcomes = await asyncio.gather(
        *(follows.add([one], None) for one in (*series, *others)), return_exceptions=True
    )
    assert len(await store.all()) <= 3
    assert all(isinstance(one, list | InvalidRequest) for one in outcomes)
    for follow in await store.all():
        await store.remove(follow.series)
    await store.add(Follow(series[0], None, created=NOW))
    assert len(await follows.add(others[:2], None)) == 2


def test_a_place_is_given_back_whatever_happens() -> None:
    room = Room("answers", 4)
    with pytest.raises(ZeroDivisionError), room.place("you"):
        raise ZeroDivisionError
    assert room.taken == 0


def test_a_client_has_three_quarters_of_the_places_and_the_rest_is_for_others() -> None:
    room = Room("answers", 4)
    with room.place("you"), room.place("you"), room.place("you"):
        with pytest.raises(TooManyStreams, match="for you"), room.place("you"):
            pass
        with (
            room.place("another"),
            pytest.raises(TooManyStreams, match="the limit"),
            room.place("third"),
        ):
            pass
    assert room.taken == 0


def test_a_client_is_a_key_or_an_address_or_all_of_an_ipv6_site() -> None:
    guard = Guard(Access(keys=read_keys("reader:reader-0123456789:read")), FakeClock(NOW))

    def caller(address: str, **headers: str) -> str:
        line = RequestStartLine("GET", "/", "HTTP/1.1")
        request = HTTPServerRequest(headers=HTTPHeaders({"Host": "localhost"} | headers), start_line=line)
        request.remote_ip = address
        return guard.caller(request)

    assert caller("192.0.2.1") != caller("192.0.2.2")
    assert caller("2001:db8::1") == caller("2001:db8::2") != caller("2001:db8:1::1")
    assert caller("192.0.2.1", Authorization="Bearer reader-0123456789") == "key reader"
