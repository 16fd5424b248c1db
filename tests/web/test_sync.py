"""POST /api/sync over HTTP, on a real mongod and a simulated exchange."""

from __future__ import annotations

import asyncio

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.clock import parse_time
from backend.core.windows import MINUTE
from tests.conftest import NOW
from tests.simulator import Forced, Simulator
from tests.web.client import error_code, get, post, send

START = parse_time("2025-06-01T00:00:00Z")


async def test_a_first_sync_stores_everything_from_the_default_start(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert reply.status == 200
    assert reply.body["success"] is True
    assert reply.body["symbol"] == "BTCUSDT"
    assert reply.body["new_records"] == 1500
    assert reply.body["complete"] is True
    assert reply.body["missing"] == reply.body["void"] == []
    assert reply.body["statistics"] == {
        "symbol": "BTCUSDT",
        "exchange": "binance",
        "market": "spot",
        "total_records": 1500,
        "first_record": "2025-06-01T00:00:00+00:00",
        "last_record": "2025-06-02T00:59:00+00:00",
        "expected_records": 1500,
        "missing_records": 0,
        "void_records": 0,
        "complete": True,
    }


async def test_what_is_stored_equals_what_the_exchange_has(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    reply = await get(http_server_client, "/api/data/BTCUSDT")
    stored = [
        (
            row["open_time"],
            *(row[name] for name in ("open", "high", "low", "close", "volume", "quote_volume", "trades")),
            row["taker_buy_volume"],
            row["taker_buy_quote_volume"],
        )
        for row in reply.body["data"]
    ]
    assert stored == simulator.history("BTCUSDT", START, NOW)


async def test_a_second_sync_asks_for_no_candle(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    simulator.requests.clear()
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert reply.body["new_records"] == 0
    assert reply.body["statistics"]["total_records"] == 1500
    assert list(simulator.requests) == []


async def test_two_syncs_at_once_fetch_nothing_twice(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    replies = await asyncio.gather(
        *(post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"}) for _ in range(2))
    )
    assert [reply.body["new_records"] for reply in replies] == [1500, 1500]
    assert replies[0].body["job"] == replies[1].body["job"]
    asked = [record.params["startTime"] for record in simulator.requests if "klines" in record.path]
    pages = [start for start in asked if start != "0"]
    assert len(pages) == len(set(pages))
    assert asked.count("0") == 2, "what was listed when is asked twice, by one job"


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2025-06-01T10:00:00Z", "2025-06-01T10:09:00+00:00"),
        (START + 600 * MINUTE, START + 609 * MINUTE),
        (str(START + 600 * MINUTE), "2025-06-01 10:09"),
        (START + 600 * MINUTE - 1, START + 610 * MINUTE - 1),
    ],
)
async def test_a_window_may_be_given_in_ms_or_iso_with_both_ends_included(
    http_server_client: AsyncHTTPServerClient, start: object, end: object
) -> None:
    reply = await post(
        http_server_client, "/api/sync", {"symbol": "BTCUSDT", "start_time": start, "end_time": end}
    )
    assert reply.body["statistics"]["total_records"] == 10
    assert reply.body["statistics"]["first_record"] == "2025-06-01T10:00:00+00:00"
    assert reply.body["statistics"]["last_record"] == "2025-06-01T10:09:00+00:00"


async def test_interior_holes_and_earlier_history_are_filled(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    for start, end in (("10:00", "10:59"), ("14:00", "14:59")):
        window = {"start_time": f"2025-06-01T{start}Z", "end_time": f"2025-06-01T{end}Z"}
        await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT", **window})
    reply = await post(
        http_server_client,
        "/api/sync",
        {"symbol": "BTCUSDT", "start_time": "2025-06-01T08:00Z", "end_time": "2025-06-01T15:59Z"},
    )
    assert reply.body["new_records"] == 8 * 60 - 120
    assert reply.body["statistics"]["total_records"] == 8 * 60


async def test_the_forming_minute_is_never_stored(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await post(
        http_server_client, "/api/sync", {"symbol": "BTCUSDT", "end_time": "2025-06-05T00:00Z"}
    )
    assert reply.body["statistics"]["last_record"] == "2025-06-02T00:59:00+00:00"


async def test_a_window_in_the_future_is_empty_and_no_error(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await post(
        http_server_client, "/api/sync", {"symbol": "BTCUSDT", "start_time": "2030-01-01T00:00Z"}
    )
    assert (reply.status, reply.body["new_records"]) == (200, 0)


async def test_an_outage_is_named_as_what_the_exchange_does_not_have(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.outages.append((START + 100 * MINUTE, START + 130 * MINUTE))
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert (reply.status, reply.body["complete"], reply.body["new_records"]) == (200, True, 1470)
    assert reply.body["void_records"] == 30
    assert reply.body["void"] == [
        {
            "start_time": "2025-06-01T01:40:00+00:00",
            "end_time": "2025-06-01T02:09:00+00:00",
            "minutes": 30,
            "reason": "no_data",
        }
    ]


async def test_a_page_that_keeps_failing_loses_only_itself_and_is_fetched_next_time(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.failing.append((START, START + 1))
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert reply.status == 503
    assert error_code(reply) == "exchange_unavailable"
    assert reply.body["new_records"] == 500
    assert reply.body["missing"] == [
        {
            "start_time": "2025-06-01T00:00:00+00:00",
            "end_time": "2025-06-01T16:39:00+00:00",
            "minutes": 1000,
        }
    ]
    simulator.faults.failing.clear()
    simulator.requests.clear()
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert (reply.status, reply.body["new_records"]) == (200, 1000)
    assert [record.params.get("startTime") for record in simulator.requests] == [str(START)]


async def test_an_unknown_symbol_is_404_and_leaves_no_trace(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await post(http_server_client, "/api/sync", {"symbol": "NOSUCHCOIN"})
    assert (reply.status, error_code(reply)) == (404, "unknown_symbol")
    assert (await get(http_server_client, "/api/stats/NOSUCHCOIN")).status == 404


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "missing_symbol"),
        ({"symbol": ""}, "missing_symbol"),
        ({"symbol": None}, "missing_symbol"),
        ({"symbol": 7}, "invalid_symbol"),
        ({"symbol": "BTC$"}, "invalid_symbol"),
        ({"symbol": "B" * 51}, "invalid_symbol"),
        ({"symbol": "BTCUSDT", "exchange": "nyse"}, "unknown_exchange"),
        ({"symbol": "BTCUSDT", "exchange": ["binance"]}, "invalid_exchange"),
        ({"symbol": "BTCUSDT", "market": "options"}, "unknown_market"),
        ({"symbol": "BTCUSDT", "start_time": "yesterday"}, "invalid_time"),
        ({"symbol": "BTCUSDT", "start_time": True}, "invalid_time"),
        ({"symbol": "BTCUSDT", "start_time": 1748736000}, "invalid_time"),
        ({"symbol": "BTCUSDT", "end_time": 10**30}, "invalid_time"),
        ({"symbol": "BTCUSDT", "end_time": 1.5}, "invalid_time"),
        ({"symbol": "BTCUSDT", "start_time": START + 1, "end_time": START}, "invalid_time_range"),
        ({"symbol": "BTCUSDT", "from": START}, "unknown_parameter"),
        ([], "invalid_json"),
        ("BTCUSDT", "invalid_json"),
        (None, "invalid_json"),
    ],
)
async def test_a_bad_body_is_400_with_a_code(
    http_server_client: AsyncHTTPServerClient, body: object, code: str
) -> None:
    reply = await post(http_server_client, "/api/sync", body)
    assert (reply.status, error_code(reply)) == (400, code)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b'{"symbol":', b"[" * 60_000])
async def test_a_body_that_is_not_json_is_400(http_server_client: AsyncHTTPServerClient, body: bytes) -> None:
    reply = await send(http_server_client, "/api/sync", method="POST", body=body)
    assert (reply.status, error_code(reply)) == (400, "invalid_json")


async def test_a_body_over_64_kib_is_413(http_server_client: AsyncHTTPServerClient) -> None:
    body = b'{"symbol":"BTCUSDT"%b}' % (b" " * 65536)
    reply = await send(http_server_client, "/api/sync", method="POST", body=body)
    assert (reply.status, error_code(reply)) == (413, "body_too_large")


async def test_a_body_of_64_kib_is_read(http_server_client: AsyncHTTPServerClient) -> None:
    body = b'{"symbol":"NOSUCHCOIN"%b}' % (b" " * (65536 - 23))
    assert len(body) == 65536
    reply = await send(http_server_client, "/api/sync", method="POST", body=body)
    assert reply.status == 404


@pytest.mark.parametrize(
    ("forced", "status", "code"),
    [
        (Forced(451, count=100), 502, "region_blocked"),
        (Forced(418, count=100, retry_after=7), 503, "banned"),
        (Forced(403, count=100), 503, "rate_limited"),
        (Forced(500, count=100), 503, "exchange_unavailable"),
    ],
)
async def test_an_exchange_that_refuses_is_told_apart_by_status_and_code(
    http_server_client: AsyncHTTPServerClient,
    simulator: Simulator,
    forced: Forced,
    status: int,
    code: str,
) -> None:
    simulator.faults.forced = forced
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert (reply.status, error_code(reply)) == (status, code)


async def test_a_ban_is_told_with_its_end_and_nothing_more_is_sent(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.forced = Forced(418, count=1, retry_after=600)
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert reply.headers["Retry-After"] == "600"
    sent = len(simulator.requests)
    reply = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert (reply.status, error_code(reply)) == (503, "banned")
    assert 590 <= int(reply.headers["Retry-After"]) <= 600
    assert len(simulator.requests) == sent
