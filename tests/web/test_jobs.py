"""Syncs as jobs over HTTP: not waited for, watched, cancelled, joined, queued; on a real mongod."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.clock import parse_time
from backend.core.windows import HOUR, MINUTE
from backend.settings import Settings
from tests.conftest import NOW
from tests.simulator import Simulator
from tests.web.client import Reply, error_code, get, post, send

CLOSED = NOW - NOW % MINUTE
PAGES_START = "2025-05-01"
PAGES_MINUTES = (CLOSED - parse_time(PAGES_START)) // MINUTE


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """One job at a time, and one more may wait."""
    return replace(settings, jobs_at_once=1, jobs_queued=1, pages_in_flight=2)


@asynccontextmanager
async def exchange_hangs(simulator: Simulator) -> AsyncIterator[None]:
    """Inside, the exchange takes requests and answers none."""
    simulator.faults.hang_rate = 1.0
    try:
        yield
    finally:
        simulator.faults.hang_rate = 0.0
        simulator.faults.release()


async def begin(client: AsyncHTTPServerClient, symbol: str = "BTCUSDT", **more: object) -> dict[str, Any]:
    """Ask for a sync without waiting; the job as it was told."""
    reply = await post(client, "/api/sync", {"symbol": symbol, "wait": False, **more})
    assert reply.status == 202
    assert reply.headers["Location"] == f"/api/jobs/{reply.body['job']['id']}"
    job: dict[str, Any] = reply.body["job"]
    return job


async def job_of(client: AsyncHTTPServerClient, job_id: str) -> dict[str, Any]:
    reply = await get(client, f"/api/jobs/{job_id}")
    assert reply.status == 200
    job: dict[str, Any] = reply.body["job"]
    return job


async def until(client: AsyncHTTPServerClient, job_id: str, *statuses: str) -> dict[str, Any]:
    """The job once its status is one of these."""
    async with asyncio.timeout(60):
        while (job := await job_of(client, job_id))["status"] not in statuses:
            continue
    return job


async def test_a_sync_that_is_not_waited_for_can_be_followed_to_its_end(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    async with exchange_hangs(simulator):
        told = await begin(http_server_client)
        assert told["status"] == "queued"
        assert (told["start_time"], told["end_time"], told["minutes_total"]) == (None, None, 0)
        await until(http_server_client, told["id"], "running")
    job = await until(http_server_client, told["id"], "done")
    assert job["started"] <= job["finished"]
    assert job == told | {
        "status": "done",
        "start_time": "2025-06-01T00:00:00+00:00",
        "end_time": "2025-06-02T00:59:00+00:00",
        "minutes_done": 1500,
        "minutes_total": 1500,
        "new_records": 1500,
        "requests": 7,
        "candles_per_second": job["candles_per_second"],
        "rate_limit_waits": job["rate_limit_waits"],
        "rate_limit_seconds": job["rate_limit_seconds"],
        "started": job["started"],
        "finished": job["finished"],
    }
    assert job["candles_per_second"] > 0
    assert len(simulator.requests) == job["requests"]


async def test_waiting_some_seconds_ends_with_the_result_or_with_the_job(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    async with exchange_hangs(simulator):
        await until(http_server_client, (await begin(http_server_client))["id"], "running")
        reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", "wait": 0.05})
        assert (reply.status, reply.body["job"]["status"]) == (202, "running")
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", "wait": 60})
    assert (reply.status, reply.body["complete"]) == (200, True)


async def test_retries_are_counted(http_server_client: AsyncHTTPServerClient, simulator: Simulator) -> None:
    simulator.faults.error_rate = 0.3
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", "start_time": PAGES_START})
    job = await job_of(http_server_client, reply.body["job"])
    assert job["requests"] == len(simulator.requests)
    assert 0 < job["retries"] < job["requests"]


async def test_more_symbols_than_may_wait_are_refused_together(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    body = {"symbols": ["ETHUSDT", "BTC/USDT", "ethusdt"], "end_time": "2025-06-01"}
    refused = await post(http_server_client, "/api/sync", body)
    assert error_code(refused) == "too_many_jobs"
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert (await get(http_server_client, "/api/jobs")).body["count"] == 1


async def test_one_symbol_that_fails_does_not_hide_the_others(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    reply = await post(http_server_client, "/api/sync", {"symbols": ["NOSUCH"]})
    assert (reply.status, error_code(reply)) == (404, "unknown_symbol")
    assert [result["error"]["code"] for result in reply.body["results"]] == ["unknown_symbol"]
    simulator.faults.failing = [(CLOSED - HOUR, CLOSED)]
    reply = await post(http_server_client, "/api/sync", {"symbols": ["BTCUSDT"]})
    assert reply.status == 503
    [result] = reply.body["results"]
    assert result["success"] is False
    assert 0 < result["missing_records"] < 1500
    assert result["new_records"] + result["missing_records"] == 1500


async def test_progress_is_sent_as_events_until_the_end(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.latency = 0.05
    told = await begin(http_server_client, start_time=PAGES_START)
    answer = await http_server_client.fetch(f"/api/jobs/{told['id']}/events")
    assert answer.headers["Content-Type"] == "text/event-stream"
    events = [event.split("\n") for event in answer.body.decode().split("\n\n") if event]
    names = [lines[0] for lines in events]
    assert names == ["event: progress"] * (len(names) - 1) + ["event: done"]
    jobs = [json.loads(lines[1].removeprefix("data: ")) for lines in events]
    done = [job["minutes_done"] for job in jobs]
    assert done == sorted(done)
    assert done[-1] == PAGES_MINUTES
    assert any(0 < minutes < PAGES_MINUTES for minutes in done)
    assert any(job["seconds_left"] for job in jobs[:-1])


async def test_a_cancelled_job_keeps_what_came_and_tells_who_waits(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.latency = 0.05
    told = await begin(http_server_client, start_time=PAGES_START)
    waiting = asyncio.create_task(
        post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", "start_time": PAGES_START})
    )
    async with asyncio.timeout(60):
        while not (await job_of(http_server_client, told["id"]))["minutes_done"]:
            continue
    reply = await send(http_server_client, f"/api/jobs/{told['id']}", method="DELETE")
    assert (reply.status, reply.body["job"]["cancelling"]) == (200, True)
    joined = await waiting
    assert (joined.status, error_code(joined)) == (409, "cancelled")
    assert 0 < joined.body["new_records"] < PAGES_MINUTES
    job = await job_of(http_server_client, told["id"])
    assert (job["status"], job["cancelling"], job["error"]["code"]) == ("cancelled", False, "cancelled")
    rest = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert rest.body["complete"] is True
    assert rest.body["new_records"] == PAGES_MINUTES - joined.body["new_records"]


async def test_a_queued_job_is_cancelled_at_once_and_a_finished_one_stays(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    async with exchange_hangs(simulator):
        running = await begin(http_server_client)
        await until(http_server_client, running["id"], "running")
        queued = await begin(http_server_client, "ETHUSDT")
        reply = await send(http_server_client, f"/api/jobs/{queued['id']}", method="DELETE")
        assert reply.body["job"]["status"] == "cancelled"
    await until(http_server_client, running["id"], "done")
    reply = await send(http_server_client, f"/api/jobs/{running['id']}", method="DELETE")
    assert reply.body["job"]["status"] == "done"


async def test_beyond_the_queue_syncs_are_refused_and_joining_still_works(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    async with exchange_hangs(simulator):
        running = await begin(http_server_client)
        await until(http_server_client, running["id"], "running")
        queued = await begin(http_server_client, "ETHUSDT")
        refused = await post(http_server_client, "/api/sync", {"symbol": "SOLUSDT", "wait": False})
        assert (refused.status, error_code(refused)) == (429, "too_many_jobs")
        assert int(refused.headers["Retry-After"]) > 0
        assert (await begin(http_server_client, "ETHUSDT"))["id"] == queued["id"]
    await until(http_server_client, queued["id"], "done")


async def test_a_request_joins_the_job_that_does_what_it_asks_and_no_other(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    async with exchange_hangs(simulator):
        running = await begin(http_server_client, start_time="2025-06-01", end_time="2025-06-01T09:59Z")
        await until(http_server_client, running["id"], "running")
        inside = await begin(http_server_client, start_time="2025-06-01T01:00Z", end_time="2025-06-01T02:00Z")
        later = await begin(http_server_client, start_time="2025-06-01", end_time="2025-06-01T10:00Z")
    assert inside["id"] == running["id"] != later["id"]
    assert (await until(http_server_client, later["id"], "done"))["new_records"] == 1
    assert (await job_of(http_server_client, running["id"]))["new_records"] == 600


async def test_a_client_that_goes_away_does_not_cancel_the_job(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    async with exchange_hangs(simulator):
        with suppress(Exception):
            await post_and_leave(http_server_client)
        [job] = (await get(http_server_client, "/api/jobs?status=running")).body["jobs"]
    assert (await until(http_server_client, job["id"], "done"))["new_records"] == 1500


async def post_and_leave(client: AsyncHTTPServerClient) -> None:
    """Send a sync whose answer is not waited for, and cut the connection."""
    body = b'{"symbol":"BTCUSDT"}'
    reader, writer = await asyncio.open_connection("127.0.0.1", client.get_http_port())
    writer.write(
        b"POST /api/sync HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
    await writer.drain()
    async with asyncio.timeout(60):
        while not (await get(client, "/api/jobs?status=running")).body["jobs"]:
            continue
    writer.close()
    await writer.wait_closed()
    assert not await reader.read()


async def test_jobs_are_listed_newest_first(http_server_client: AsyncHTTPServerClient) -> None:
    for symbol in ("BTCUSDT", "ETHUSDT", "NOSUCH"):
        await post(http_server_client, "/api/sync", {"symbol": symbol, "end_time": "2025-06-01"})
    reply = await get(http_server_client, "/api/jobs")
    assert reply.body["count"] == 3
    assert [(job["symbol"], job["status"]) for job in reply.body["jobs"]] == [
        ("NOSUCH", "failed"),
        ("ETHUSDT", "done"),
        ("BTCUSDT", "done"),
    ]
    assert reply.body["jobs"][0]["error"]["code"] == "unknown_symbol"
    done = await get(http_server_client, "/api/jobs?status=done&limit=1")
    assert [job["symbol"] for job in done.body["jobs"]] == ["ETHUSDT"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
@pytest.mark.parametrize("job_id", ["nosuch", "%00", "a" * 300, "%7B%22$ne%22:1%7D"])
async def test_a_job_that_is_not_there_is_not_found(
    http_server_client: AsyncHTTPServerClient, method: str, job_id: str
) -> None:
    reply = await send(http_server_client, f"/api/jobs/{job_id}", method=method)
    assert (reply.status, error_code(reply)) == (404, "unknown_job")


async def test_events_of_a_job_that_is_not_there_are_not_found(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await get(http_server_client, "/api/jobs/nosuch/events")
    assert (reply.status, error_code(reply)) == (404, "unknown_job")


class TestWithRoom:
    """Where more than one job may wait."""

    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return replace(settings, jobs_queued=10)

    @pytest.mark.parametrize("wait", [True, 60])
    async def test_many_symbols_are_answered_together_in_their_order(
        self, http_server_client: AsyncHTTPServerClient, wait: object
    ) -> None:
        body = {"symbols": ["ETHUSDT", "BTC/USDT", "ethusdt", "NOSUCH"], "wait": wait}
        reply = await post(http_server_client, "/api/sync", body)
        assert (reply.status, error_code(reply)) == (404, "unknown_symbol")
        results = reply.body["results"]
        assert [result["symbol"] for result in results] == ["ETHUSDT", "BTCUSDT", "NOSUCH"]
        assert [result["success"] for result in results] == [True, True, False]
        assert [result.get("new_records") for result in results] == [1500, 1500, None]

    async def test_many_symbols_that_are_not_waited_for_are_jobs(
        self, http_server_client: AsyncHTTPServerClient
    ) -> None:
        body = {"symbols": ["ETHUSDT", "BTCUSDT"], "wait": False}
        reply = await post(http_server_client, "/api/sync", body)
        assert reply.status == 202
        assert [job["symbol"] for job in reply.body["jobs"]] == ["ETHUSDT", "BTCUSDT"]
        for job in reply.body["jobs"]:
            assert (await until(http_server_client, job["id"], "done"))["new_records"] == 1500


BAD: dict[str, tuple[dict[str, object], str]] = {
    "wait in words": ({"symbol": "BTCUSDT", "wait": "long"}, "invalid_wait"),
    "wait below nothing": ({"symbol": "BTCUSDT", "wait": -1}, "invalid_wait"),
    "wait for days": ({"symbol": "BTCUSDT", "wait": 86_401}, "invalid_wait"),
    "symbols that are no list": ({"symbols": "BTCUSDT"}, "invalid_symbols"),
    "no symbols": ({"symbols": []}, "invalid_symbols"),
    "too many symbols": ({"symbols": ["BTCUSDT"] * 501}, "invalid_symbols"),
    "a symbol that is no text": ({"symbols": [1]}, "invalid_symbol"),
    "symbol and symbols": ({"symbol": "BTCUSDT", "symbols": ["ETHUSDT"]}, "invalid_symbols"),
}


@pytest.mark.parametrize(("body", "code"), BAD.values(), ids=BAD.keys())
async def test_what_makes_no_sense_is_refused_before_any_job(
    http_server_client: AsyncHTTPServerClient, body: dict[str, object], code: str
) -> None:
    reply: Reply = await post(http_server_client, "/api/sync", body)
    assert (reply.status, error_code(reply)) == (400, code)
    assert (await get(http_server_client, "/api/jobs")).body["count"] == 0


@pytest.mark.parametrize(
    ("query", "code"), [("status=odd", "invalid_status"), ("limit=1001", "invalid_limit")]
)
async def test_a_list_of_jobs_that_makes_no_sense_is_refused(
    http_server_client: AsyncHTTPServerClient, query: str, code: str
) -> None:
    reply = await get(http_server_client, f"/api/jobs?{query}")
    assert (reply.status, error_code(reply)) == (400, code)
