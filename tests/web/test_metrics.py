"""GET /metrics: what happened and how it is, with a bounded number of labels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.app import open_service
from backend.clock import Clock, SystemClock, parse_time
from backend.core.job import SyncRequest
from backend.core.series import Series
from backend.services.service import Service
from backend.settings import Settings, load_settings
from backend.store.market.candles import MongoCandles
from backend.store.market.revisions import MongoRevisions
from backend.store.mongo import Database
from backend.telemetry.metrics import VISIT_ENDS, Metrics
from backend.web.routes import make_application
from tests.conftest import NOW
from tests.fakes import BTC, candle, minute
from tests.figures import counted, scrape
from tests.following import until, until_complete
from tests.simulator import Simulator
from tests.syncing import run_job
from tests.web.client import error_code, get, send

SPOT = {"exchange": "binance", "market": "spot"}
START = parse_time("2025-06-01T00:00:00Z")


async def test_a_sync_shows_in_candles_requests_jobs_and_its_series(
    http_server_client: AsyncHTTPServerClient, service: Service, clock: Clock
) -> None:
    await run_job(service, BTC)
    figures = await scrape(http_server_client)
    assert figures.value("candles_written_total", **SPOT) == 1500
    assert figures.value("revisions_total", **SPOT) == 0
    assert (figures.value("exchange_requests_total", **SPOT, status="200", outcome="ok") or 0) >= 4
    assert figures.value("jobs_ended_total", status="done") == 1
    assert figures.value("job_seconds_count", status="done") == 1
    assert figures.value("jobs", status="running") == figures.value("jobs", status="queued") == 0
    symbol = {**SPOT, "symbol": "BTCUSDT"}
    assert figures.value("series") == 1
    assert figures.value("series_stored_minutes", **symbol) == 1500
    assert figures.value("series_missing_minutes", **symbol) == 0
    assert figures.value("series_completeness_ratio", **symbol) == 1
    lag = figures.value("series_lag_seconds", **symbol) or 0
    assert abs(lag - (clock.now() - NOW) / 1000) < 300


async def test_a_series_with_minutes_missing_is_not_complete(
    http_server_client: AsyncHTTPServerClient, service: Service, database: Database
) -> None:
    await run_job(service, BTC, START, START + 600_000)
    await database["coverage"].update_one({"_id": BTC.name}, {"$set": {"held": [[START, START + 60_000]]}})
    figures = await scrape(http_server_client)
    symbol = {**SPOT, "symbol": "BTCUSDT"}
    assert figures.value("series_missing_minutes", **symbol) == 9
    assert figures.value("series_completeness_ratio", **symbol) == 0.1


async def test_the_budgets_show_what_is_spent_of_them(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    before = await scrape(http_server_client)
    await run_job(service, BTC)
    figures = await scrape(http_server_client)
    assert before.value("budget_used_ratio", budget="binance-spot", unit="weight") == 0
    assert 0 < (figures.value("budget_used_ratio", budget="binance-spot", unit="weight") or 0) < 1
    assert figures.value("budget_blocked_seconds", budget="binance-spot") == 0
    assert figures.value("budget_used_ratio", budget="binance-perpetual", unit="weight") == 0


async def test_requests_are_told_by_route_not_by_path(http_server_client: AsyncHTTPServerClient) -> None:
    for number in range(20):
        await get(http_server_client, f"/api/data/COIN{number}")
        await get(http_server_client, f"/api/jobs/{number}")
        await get(http_server_client, f"/nothing/{number}")
        await send(http_server_client, "/health", method=f"VERB{number}", allow_nonstandard_methods=True)
    figures = await scrape(http_server_client)
    told = {"method": "GET", "status": "404"}
    assert figures.value("http_requests_total", route="/api/data/{symbol}", **told) == 20
    assert figures.value("http_requests_total", route="/api/jobs/{id}", **told) == 20
    assert figures.value("http_requests_total", route="none", **told) == 20
    assert figures.value("http_requests_total", route="/health", method="other", status="405") == 20
    assert figures.value("http_request_seconds_count", route="/api/data/{symbol}") == 20
    assert figures.labels("http_requests_total", "route") == {
        "/api/data/{symbol}",
        "/api/jobs/{id}",
        "none",
        "/health",
    }


async def test_the_database_and_the_process_are_told_of(http_server_client: AsyncHTTPServerClient) -> None:
    await get(http_server_client, "/api/jobs")
    figures = await scrape(http_server_client)
    assert (figures.value("database_seconds_count", command="find") or 0) > 0
    assert figures.value("database_up") == figures.value("worker_up") == 1
    assert {"process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"} <= {
        sample.name for sample in figures.samples
    }


async def test_metrics_take_no_parameters(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, "/metrics?name=up")
    assert (reply.status, error_code(reply)) == (400, "unknown_parameter")


async def test_what_is_stored_again_otherwise_counts_as_a_revision(database: Database) -> None:
    metrics = Metrics()
    candles = MongoCandles(database, MongoRevisions(database, SystemClock()), metrics)
    await candles.write(BTC, [candle(minute(0)), candle(minute(1))])
    await candles.write(BTC, [candle(minute(0)), candle(minute(1), close=1.25)])
    figures = counted(metrics)
    assert figures.value("candles_written_total", **SPOT) == 2
    assert figures.value("revisions_total", **SPOT) == 1


class TestBounded:
    """A service that tells of one series only."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, metrics_series=1)

    async def test_only_so_many_series_are_told_of(
        self, http_server_client: AsyncHTTPServerClient, service: Service
    ) -> None:
        await run_job(service, BTC, START, START + 600_000)
        await run_job(service, Series("binance", "spot", "ETHUSDT"))
        figures = await scrape(http_server_client)
        assert figures.value("series") == 2
        assert figures.labels("series_lag_seconds", "symbol") == {"ETHUSDT"}


class TestAway:
    """A service that never finds its database."""

    @pytest.fixture
    def app(self, io_loop: IOLoop) -> Iterator[Application]:
        stack = AsyncExitStack()
        settings = load_settings({"MONGODB_URI": "mongodb://127.0.0.1:1/", "DATABASE_TIMEOUT": "0.5"})
        service = io_loop.run_sync(lambda: stack.enter_async_context(open_service(settings)))
        yield make_application(service)
        io_loop.run_sync(stack.aclose)

    async def test_metrics_say_so_and_tell_the_rest(self, http_server_client: AsyncHTTPServerClient) -> None:
        figures = await scrape(http_server_client)
        assert figures.value("database_up") == 0
        assert figures.value("series") is None
        assert figures.value("worker_up") == 1
        assert figures.value("budget_used_ratio", budget="binance-spot", unit="weight") == 0


async def test_a_follow_shows_in_states_lags_and_visits(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    await service.following.follows.add([BTC], NOW - 3_600_000)
    await until_complete(service, simulator)
    figures = await scrape(http_server_client)
    assert figures.value("follows", state="live", source="rest") == 1
    assert figures.value("follows", state="failing", source="rest") == 0
    assert 30 <= (figures.value("follow_lag_seconds", **SPOT, symbol="BTCUSDT") or 0) < 60
    assert (figures.value("visits_total", **SPOT, outcome="ok") or 0) >= 1
    assert figures.value("visits_total", **SPOT, outcome="failed") == 0
    assert figures.value("minutes_healed_total", **SPOT) == 0


async def test_a_follow_that_fails_shows_so(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    simulator.faults.failing = [(NOW - 3_600_000, NOW)]
    await service.following.follows.add([BTC], NOW - 3_600_000)

    async def is_failing() -> bool:
        figures = await scrape(http_server_client)
        failing = figures.value("follows", state="failing", source="rest")
        return failing == 1 and bool(figures.value("visits_total", **SPOT, outcome="failed"))

    await until(is_failing)
    figures = await scrape(http_server_client)
    assert figures.labels("follow_lag_seconds", "symbol") == set()


async def test_healed_minutes_are_counted() -> None:
    metrics = Metrics([("binance", "spot")])
    metrics.visited("binance", "spot", "ok", 7)
    metrics.visited("binance", "spot", "skipped", 0)
    figures = counted(metrics)
    assert figures.value("minutes_healed_total", **SPOT) == 7
    assert [figures.value("visits_total", **SPOT, outcome=outcome) for outcome in VISIT_ENDS] == [1, 0, 1]


async def test_a_job_that_failed_is_counted_as_such(
    http_server_client: AsyncHTTPServerClient, service: Service
) -> None:
    await run_job(service, Series("binance", "spot", "NOSUCHCOIN"))
    figures = await scrape(http_server_client)
    assert figures.value("jobs_ended_total", status="failed") == 1
    assert figures.value("jobs_ended_total", status="done") == 0


class TestQueued:
    """A service that leaves jobs to others."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, role="api")

    async def test_queued_jobs_are_told_of_and_a_cancelled_one_is_counted_once(
        self, http_server_client: AsyncHTTPServerClient, service: Service
    ) -> None:
        [job] = await service.jobs.submit([SyncRequest(BTC)])
        assert (await scrape(http_server_client)).value("jobs", status="queued") == 1
        await service.jobs.cancel(job.id)
        await service.jobs.cancel(job.id)
        figures = await scrape(http_server_client)
        assert figures.value("jobs", status="queued") == 0
        assert figures.value("jobs_ended_total", status="cancelled") == 1
        assert figures.value("worker_up") == 0
