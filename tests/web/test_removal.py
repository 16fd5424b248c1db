"""DELETE /api/series/{symbol}: what would go, what goes, and what is refused."""

from __future__ import annotations

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.core.windows import MINUTE
from backend.services.service import Service
from backend.store.mongo import Database
from tests.conftest import NOW
from tests.following import until
from tests.integration.stored import SERIES, stored_documents, stored_rows
from tests.simulator import Simulator
from tests.web.client import Reply, error_code, get, post, send

CLOSED = NOW // MINUTE * MINUTE
START = CLOSED - 1500 * MINUTE
PATH = "/api/series/BTCUSDT"
HOUR = f"start_time={START + 60 * MINUTE}&end_time={START + 119 * MINUTE}"


async def delete(client: AsyncHTTPServerClient, query: str = "", path: str = PATH) -> Reply:
    return await send(client, f"{path}?{query}", method="DELETE")


async def sync(client: AsyncHTTPServerClient, **more: object) -> Reply:
    reply = await post(client, "/api/sync", {"symbol": "BTCUSDT", **more})
    assert reply.status == 200
    return reply


async def tag_of(client: AsyncHTTPServerClient, query: str) -> str:
    answer = await client.fetch(f"/api/data/BTCUSDT?{query}")
    return str(answer.headers["Etag"])


async def test_a_dry_run_tells_what_would_go_and_leaves_it(
    http_server_client: AsyncHTTPServerClient, mongod_uri: str, database: Database
) -> None:
    await sync(http_server_client)
    whole = await delete(http_server_client, "dry_run=true")
    assert whole.status == 200
    assert whole.body.pop("bytes_on_disk") > 0
    assert whole.body == {
        "success": True,
        "dry_run": True,
        "symbol": "BTCUSDT",
        "exchange": "binance",
        "market": "spot",
        "start_time": None,
        "end_time": None,
        "candles": 1500,
        "revisions": 0,
        "follows": 0,
        "jobs": 1,
    }
    part = await delete(http_server_client, f"{HOUR}&dry_run=true")
    assert (part.body["candles"], part.body["jobs"]) == (60, 0)
    assert part.body["start_time"] == "2025-06-01T01:00:00+00:00"
    assert part.body["end_time"] == "2025-06-01T01:59:00+00:00"
    assert len(stored_documents(mongod_uri, database.name)) == 1500


async def test_of_a_series_that_was_deleted_nothing_is_left(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    await sync(http_server_client)
    reply = await delete(http_server_client)
    assert (reply.status, reply.body["candles"], reply.body["dry_run"]) == (200, 1500, False)
    for path in ("/api/data/BTCUSDT", "/api/stats/BTCUSDT", "/api/coverage/BTCUSDT"):
        assert error_code(await get(http_server_client, path)) == "not_stored"
    assert (await get(http_server_client, "/api/series")).body["series"] == []
    assert (await get(http_server_client, "/api/jobs")).body["jobs"] == []
    assert SERIES.name not in await database.list_collection_names()
    assert await database["coverage"].count_documents({}) == 0
    assert error_code(await delete(http_server_client)) == "not_stored"


async def test_what_is_synced_anew_equals_the_exchange_and_no_old_validator_holds(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, mongod_uri: str, database: Database
) -> None:
    await sync(http_server_client)
    query = f"start_time={START}&end_time={START + 99 * MINUTE}"
    before = await tag_of(http_server_client, query)
    simulator.faults.revisions = {("BTCUSDT", START + 5 * MINUTE): {"volume": "1234.5"}}
    assert (await delete(http_server_client)).status == 200
    await sync(http_server_client)
    assert stored_rows(mongod_uri, database.name) == simulator.history("BTCUSDT", START, CLOSED)
    answer = await http_server_client.fetch(f"/api/data/BTCUSDT?{query}", headers={"If-None-Match": before})
    assert answer.code == 200
    assert b"1234.5" in answer.body
    assert (await get(http_server_client, "/api/revisions/BTCUSDT")).body["revisions"] == []


async def test_a_window_that_was_deleted_is_missing_and_fetched_by_the_next_sync(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, mongod_uri: str, database: Database
) -> None:
    await sync(http_server_client)
    before = await tag_of(http_server_client, HOUR)
    assert (await delete(http_server_client, HOUR)).body["candles"] == 60
    found = (await get(http_server_client, "/api/coverage/BTCUSDT")).body
    assert (found["since"], found["missing_records"]) == ("2025-06-01T00:00:00+00:00", 60)
    assert found["missing"][0]["start_time"] == "2025-06-01T01:00:00+00:00"
    assert len(stored_documents(mongod_uri, database.name)) == 1440
    assert (await sync(http_server_client)).body["new_records"] == 60
    assert stored_rows(mongod_uri, database.name) == simulator.history("BTCUSDT", START, CLOSED)
    assert await tag_of(http_server_client, HOUR) != before


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("dry_run=maybe", 400, "invalid_dry_run"),
        ("start_time=never", 400, "invalid_time"),
        ("start_time=2025-06-02&end_time=2025-06-01", 400, "invalid_time_range"),
        (f"start_time={START + 1}&end_time={START + 2}", 400, "invalid_time_range"),
        ("since=1", 400, "unknown_parameter"),
        ("exchange=nowhere", 400, "unknown_exchange"),
        ("", 404, "not_stored"),
        (HOUR, 404, "not_stored"),
        ("dry_run=true", 404, "not_stored"),
    ],
)
async def test_what_cannot_be_deleted_is_told(
    http_server_client: AsyncHTTPServerClient, query: str, status: int, code: str
) -> None:
    reply = await delete(http_server_client, query)
    assert (reply.status, error_code(reply)) == (status, code)


async def test_beside_a_job_nothing_is_deleted_until_it_is_cancelled(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, mongod_uri: str, database: Database
) -> None:
    await sync(http_server_client, end_time=START + 99 * MINUTE)
    simulator.faults.hang_rate = 1.0
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", "wait": False})
    path = f"/api/jobs/{reply.body['job']['id']}"
    busy = await delete(http_server_client)
    assert (busy.status, error_code(busy)) == (409, "series_busy")
    assert len(stored_documents(mongod_uri, database.name)) == 100
    await send(http_server_client, path, method="DELETE")
    simulator.faults.hang_rate = 0.0
    simulator.faults.release()

    async def is_over() -> bool:
        return (await get(http_server_client, path)).body["job"]["status"] in ("cancelled", "done")

    await until(is_over)
    assert (await delete(http_server_client)).status == 200
    assert stored_documents(mongod_uri, database.name) == []


async def test_a_followed_series_is_followed_no_more_and_does_not_come_back(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator, database: Database
) -> None:
    await post(http_server_client, "/api/follow", {"symbol": "BTCUSDT", "since": START})

    async def is_live() -> bool:
        return [one.state for one in await service.following.follows.all()] == ["live"]

    await until(is_live)
    reply = await delete(http_server_client)
    assert (reply.status, reply.body["follows"]) == (200, 1)
    simulator.requests.clear()
    service.following.keeper.hurry([SERIES])
    await post(http_server_client, "/api/follow", {"symbol": "ETHUSDT", "since": START})
    await until(is_live)
    assert {record.params.get("symbol") for record in simulator.requests} <= {None, "ETHUSDT"}
    assert SERIES.name not in await database.list_collection_names()


async def test_a_deleted_window_of_a_followed_series_is_fetched_again(
    http_server_client: AsyncHTTPServerClient,
    service: Service,
    simulator: Simulator,
    mongod_uri: str,
    database: Database,
) -> None:
    await post(http_server_client, "/api/follow", {"symbol": "BTCUSDT", "since": START})

    async def is_whole() -> bool:
        return stored_rows(mongod_uri, database.name) == simulator.history("BTCUSDT", START, CLOSED)

    await until(is_whole)
    assert (await delete(http_server_client, HOUR)).status == 200
    service.following.keeper.hurry([SERIES])
    await until(is_whole)
