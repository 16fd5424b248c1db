"""GET /api/coverage, POST /api/verify and GET /api/revisions over HTTP, on a real mongod."""

from __future__ import annotations

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.clock import parse_time
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.store.mongo import Database
from tests.simulator import Simulator
from tests.web.client import error_code, get, post
from tests.web.stored import candle, store

START = parse_time("2025-06-01T00:00:00Z")


async def test_coverage_tells_held_void_and_missing(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.outages = [(START + 10 * MINUTE, START + 20 * MINUTE)]
    simulator.faults.failing = [(START + 1200 * MINUTE, START + 1201 * MINUTE)]
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    body = (await get(http_server_client, "/api/coverage/BTCUSDT")).body
    assert (body["since"], body["until"]) == ("2025-06-01T00:00:00+00:00", "2025-06-02T00:59:00+00:00")
    assert body["first_candle"] == "2017-08-17T04:00:00+00:00"
    assert (body["complete"], body["held_records"], body["missing_records"]) == (False, 990, 500)
    assert (body["held_percent"], body["missing_percent"], body["void_records"]) == (66.0, 33.3333, 10)
    assert [window["minutes"] for window in body["held"]] == [10, 980]
    assert [window["start_time"] for window in body["missing"]] == ["2025-06-01T16:40:00+00:00"]
    assert [void["reason"] for void in body["void"]] == ["before_listing", "no_data"]
    assert all(void["ask_again"] > void["confirmed"] for void in body["void"])


async def test_statistics_tell_whether_a_series_is_complete(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.outages = [(START + 10 * MINUTE, START + 20 * MINUTE)]
    simulator.faults.failing = [(START + 1200 * MINUTE, START + 1201 * MINUTE)]
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    found = (await get(http_server_client, "/api/stats/BTCUSDT")).body["statistics"]
    assert (found["expected_records"], found["missing_records"], found["void_records"]) == (1490, 500, 10)
    assert found["complete"] is False
    simulator.faults.failing = []
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    found = (await get(http_server_client, "/api/stats/BTCUSDT")).body["statistics"]
    assert (found["total_records"], found["missing_records"], found["complete"]) == (1490, 0, True)


async def test_verify_tells_what_is_lost(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    await database["binance.spot.BTCUSDT"].delete_one({"_id": START + 7 * MINUTE})
    reply = await post(http_server_client, "/api/verify", {"symbol": "BTCUSDT"})
    assert (reply.status, reply.body["drift"], reply.body["stored_records"]) == (200, True, 1499)
    assert (reply.body["lost_records"], reply.body["unclaimed_records"]) == (1, 0)
    assert reply.body["lost"][0]["start_time"] == "2025-06-01T00:07:00+00:00"
    body = (await get(http_server_client, "/api/coverage/BTCUSDT")).body
    assert (body["complete"], body["missing_records"]) == (False, 1)
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert (reply.body["new_records"], reply.body["complete"]) == (1, True)


async def test_revisions_are_listed_with_both_values_page_by_page(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    for number in (5, 6):
        simulator.faults.revisions[("BTCUSDT", START + number * MINUTE)] = {"volume": f"{number}.5"}
    window = {"start_time": START, "end_time": START + 9 * MINUTE}
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", "refresh": True, **window})
    assert (reply.body["new_records"], reply.body["revised_records"]) == (0, 2)
    body = (await get(http_server_client, "/api/revisions/BTCUSDT?limit=1")).body
    assert (body["count"], body["next"]) == (1, START + 6 * MINUTE)
    body = (await get(http_server_client, f"/api/revisions/BTCUSDT?start_time={body['next']}")).body
    assert (body["count"], body["next"]) == (1, None)
    [revision] = body["revisions"]
    assert (revision["timestamp"], revision["after"]["volume"]) == ("2025-06-01T00:06:00+00:00", 6.5)
    assert revision["before"]["volume"] != 6.5
    found = (await get(http_server_client, "/api/stats/BTCUSDT")).body["statistics"]
    assert found["revisions"] == 2


async def test_revisions_come_in_pages_of_a_bounded_size(http_server_client: AsyncHTTPServerClient) -> None:
    for limit in ("999999999", "10001", "0"):
        reply = await get(http_server_client, f"/api/revisions/BTCUSDT?limit={limit}")
        assert (reply.status, error_code(reply)) == (400, "invalid_limit")


@pytest.mark.parametrize("area", ["coverage", "revisions"])
async def test_a_series_that_was_never_synced_is_404(
    http_server_client: AsyncHTTPServerClient, area: str
) -> None:
    reply = await get(http_server_client, f"/api/{area}/ETHUSDT")
    assert (reply.status, error_code(reply)) == (404, "not_stored")


async def test_verifying_a_series_that_was_never_synced_is_404(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await post(http_server_client, "/api/verify", {"symbol": "ETHUSDT"})
    assert (reply.status, error_code(reply)) == (404, "not_stored")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"refresh": True}, "missing_time"),
        ({"refresh": True, "start_time": START}, "missing_time"),
        ({"refresh": 1, "start_time": START, "end_time": START}, "invalid_refresh"),
        ({"refresh": "yes", "start_time": START, "end_time": START}, "invalid_refresh"),
    ],
)
async def test_a_refresh_says_which_minutes_it_means(
    http_server_client: AsyncHTTPServerClient, body: dict[str, object], code: str
) -> None:
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", **body})
    assert (reply.status, error_code(reply)) == (400, code)


async def test_windows_between_two_times_and_whether_a_list_is_cut(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, database: Database
) -> None:
    simulator.faults.outages = [(START + 10 * MINUTE, START + 20 * MINUTE)]
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    path = f"/api/coverage/BTCUSDT?start_time={START + 15 * MINUTE}&end_time={START + 29 * MINUTE}"
    body = (await get(http_server_client, path)).body
    assert ([one["minutes"] for one in body["held"]], [one["minutes"] for one in body["void"]]) == ([10], [5])
    assert (body["held_records"], body["truncated"]) == (1490, False)
    series = Series("binance", "spot", "ETHUSDT")
    await store(database, [candle(number) for number in range(0, 2004, 2)], series)
    path = "/api/coverage/ETHUSDT"
    body = (await get(http_server_client, path)).body
    assert (len(body["held"]), len(body["void"]), body["truncated"]) == (1000, 1000, True)
    body = (await get(http_server_client, f"{path}?start_time={START + 10 * MINUTE}")).body
    assert (len(body["held"]), body["truncated"]) == (997, False)


async def test_a_map_counts_minutes_bucket_by_bucket_and_page_by_page(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.outages = [(START + 10 * MINUTE, START + 20 * MINUTE)]
    simulator.faults.failing = [(START + 1200 * MINUTE, START + 1201 * MINUTE)]
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    body = (await get(http_server_client, "/api/map/BTCUSDT?interval=1d")).body
    assert (body["interval"], body["count"], body["next"]) == ("1d", 2, None)
    assert body["open_time"] == [START, START + 1440 * MINUTE]
    assert (body["held"], body["missing"], body["no_data"]) == ([990, 0], [440, 60], [10, 0])
    body = (
        await get(http_server_client, f"/api/map/BTCUSDT?interval=1h&start_time={START + 90 * MINUTE}")
    ).body
    assert (body["count"], body["open_time"][0], body["held"][0]) == (24, START + 60 * MINUTE, 30)
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", "start_time": START - 20_000 * MINUTE})
    body = (await get(http_server_client, "/api/map/BTCUSDT")).body
    assert (body["count"], body["next"]) == (10_000, START - 10_000 * MINUTE)
    body = (await get(http_server_client, f"/api/map/BTCUSDT?start_time={START - 100 * MINUTE}")).body
    assert (body["count"], body["next"]) == (1600, None)
    reply = await get(http_server_client, "/api/map/ETHUSDT")
    assert (reply.status, error_code(reply)) == (404, "not_stored")
