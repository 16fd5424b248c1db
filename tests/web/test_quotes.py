"""Prices now over HTTP: exact numbers as text, at most a second old, and who asks for what there is not."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from tests.conftest import NOW
from tests.simulator import Forced, Simulator
from tests.web.client import error_code, get

TICKER, BOOK = "/markets/BTCUSDT/ticker", "/markets/BTCUSDT/orderbook"
BITGET = "?exchange=bitget&market=perpetual"


def asked(simulator: Simulator, path: str) -> int:
    return sum(record.path.endswith(path) for record in simulator.requests)


async def test_a_ticker_says_how_old_it_is(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, f"{TICKER}{BITGET}")
    assert reply.status == 200, reply.body
    ticker = reply.body.pop("ticker")
    age, read = reply.body.pop("age_ms"), reply.body.pop("read_at")
    assert reply.body == {"success": True, "symbol": "BTCUSDT", "exchange": "bitget", "market": "perpetual"}
    assert 0 <= age < 60_000
    assert read.endswith("+00:00")
    assert ticker["time"] == "2025-06-02T01:00:30+00:00"
    assert Decimal(ticker["bid"]) < Decimal(ticker["last"]) < Decimal(ticker["ask"])
    assert {name for name, value in ticker.items() if value is None} == set()
    assert NOW == 1_748_826_030_000


async def test_an_order_book_has_the_best_offers_first(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await get(http_server_client, f"{BOOK}?limit=3")
    bids, asks = ([Decimal(one["price"]) for one in reply.body[side]] for side in ("bids", "asks"))
    assert (len(bids), len(asks)) == (3, 3)
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]
    assert all(isinstance(one["size"], str) for one in (*reply.body["bids"], *reply.body["asks"]))


async def test_who_asks_at_once_shares_one_question(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    replies = await asyncio.gather(*(get(http_server_client, BOOK) for _ in range(10)))
    assert len({str(reply.body["bids"]) for reply in replies}) == 1
    assert asked(simulator, "/depth") == 1


async def test_a_failure_is_told_to_those_who_waited_and_asked_for_anew(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.forced = Forced(400, body={"code": -1, "msg": "no"})
    assert error_code(await get(http_server_client, TICKER)) == "exchange_refused"
    assert (await get(http_server_client, TICKER)).status == 200


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/markets/NOUSDT/ticker", 404, "unknown_symbol"),
        ("/markets/NOUSDT/orderbook", 404, "unknown_symbol"),
        ("/markets/$where/ticker", 400, "invalid_symbol"),
        (f"{TICKER}?exchange=kraken", 400, "unknown_exchange"),
        (f"{TICKER}?market=moon", 400, "unknown_market"),
        (f"{TICKER}?limit=5", 400, "unknown_parameter"),
        (f"{BOOK}?limit=0", 400, "invalid_limit"),
        (f"{BOOK}?limit=1001", 400, "invalid_limit"),
        (f"{BOOK}?limit=many", 400, "invalid_limit"),
    ],
)
async def test_bad_questions_are_refused(
    http_server_client: AsyncHTTPServerClient, path: str, status: int, code: str
) -> None:
    reply = await get(http_server_client, path)
    assert (reply.status, error_code(reply)) == (status, code)
