"""`/api/follow`: wishes are kept, told and taken back; what makes no sense is refused."""

from __future__ import annotations

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.clock import Clock
from backend.services.service import Service
from tests.following import HandClock, until_complete
from tests.simulator import Simulator
from tests.web.client import error_code, get, post, send

SINCE = "2025-06-02T00:00:00Z"


@pytest.fixture
def clock(simulator: Simulator) -> Clock:
    return HandClock(simulator)


async def test_a_followed_series_is_told_with_its_lag(
    http_server_client: AsyncHTTPServerClient, service: Service, simulator: Simulator
) -> None:
    reply = await post(http_server_client, "/api/follow", {"symbol": "BTC/USDT", "since": SINCE})
    assert (reply.status, reply.body["count"]) == (200, 1)
    await until_complete(service, simulator)
    reply = await get(http_server_client, "/api/follow")
    [told] = reply.body["follows"]
    assert told == {
        "series": "binance:spot:BTCUSDT",
        "symbol": "BTCUSDT",
        "exchange": "binance",
        "market": "spot",
        "since": "2025-06-02T00:00:00+00:00",
        "state": "live",
        "source": "rest",
        "last_record": "2025-06-02T00:59:00+00:00",
        "lag_seconds": 30,
        "checked": told["checked"],
        "failures": 0,
        "error": None,
        "new_records": told["new_records"],
        "healed_records": 0,
        "reconnects": 0,
    }


async def test_many_are_followed_together_and_unfollowed_one_by_one(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    market = {"exchange": "bitget", "market": "perpetual", "since": SINCE}
    body = {"symbols": ["BTCUSDT", "ethusdt", "ETH/USDT"], **market}
    reply = await post(http_server_client, "/api/follow", body)
    assert [one["symbol"] for one in reply.body["follows"]] == ["BTCUSDT", "ETHUSDT"]
    path = "/api/follow?symbol=BTCUSDT&exchange=bitget&market=perpetual"
    reply = await send(http_server_client, path, method="DELETE")
    assert reply.body == {"success": True, "series": "bitget:perpetual:BTCUSDT"}
    again = await send(http_server_client, path, method="DELETE")
    assert (again.status, error_code(again)) == (404, "not_followed")
    reply = await get(http_server_client, "/api/follow")
    assert [one["symbol"] for one in reply.body["follows"]] == ["ETHUSDT"]


async def test_an_unknown_symbol_is_refused_and_nothing_of_its_request_followed(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    reply = await post(http_server_client, "/api/follow", {"symbols": ["BTCUSDT", "NOSUCH"]})
    assert (reply.status, error_code(reply)) == (404, "unknown_symbol")
    assert (await get(http_server_client, "/api/follow")).body["count"] == 0


async def test_following_next_lists_every_follow_once(http_server_client: AsyncHTTPServerClient) -> None:
    await post(http_server_client, "/api/follow", {"symbols": ["ETHUSDT", "BTCUSDT"]})
    first = (await get(http_server_client, "/api/follow?limit=1")).body
    assert [one["symbol"] for one in first["follows"]] == ["BTCUSDT"]
    second = (await get(http_server_client, f"/api/follow?limit=1&start={first['next']}")).body
    assert ([one["symbol"] for one in second["follows"]], second["next"]) == (["ETHUSDT"], None)


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "start=", "page=2"])
async def test_a_page_that_makes_no_sense_is_refused(
    http_server_client: AsyncHTTPServerClient, query: str
) -> None:
    assert (await get(http_server_client, f"/api/follow?{query}")).status == 400


BAD: dict[str, tuple[dict[str, object], str]] = {
    "nothing": ({}, "missing_symbol"),
    "both": ({"symbol": "BTCUSDT", "symbols": ["ETHUSDT"]}, "invalid_symbols"),
    "too many": ({"symbols": ["BTCUSDT"] * 501}, "invalid_symbols"),
    "no exchange": ({"symbol": "BTCUSDT", "exchange": "nasdaq"}, "unknown_exchange"),
    "no time": ({"symbol": "BTCUSDT", "since": "soon"}, "invalid_time"),
    "misspelt": ({"symbol": "BTCUSDT", "from": 1}, "unknown_parameter"),
}


@pytest.mark.parametrize(("body", "code"), BAD.values(), ids=BAD.keys())
async def test_what_makes_no_sense_is_refused(
    http_server_client: AsyncHTTPServerClient, body: dict[str, object], code: str
) -> None:
    reply = await post(http_server_client, "/api/follow", body)
    assert (reply.status, error_code(reply)) == (400, code)
