"""Replays over HTTP: stored alarms against stored candles, as a task with a result."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.clock import SystemClock, iso
from backend.core.series import Series
from backend.core.windows import HOUR, MINUTE
from backend.services.alarms.replays import MOST_BEGUN, MOST_WAITING
from backend.settings import Settings
from backend.store.mongo import Database
from backend.store.trading.alarms import MongoAlarms
from backend.store.trading.replays import MongoReplays
from backend.trading.alarms.alarm import Alarm, AlarmState
from backend.trading.alarms.replay import ReplayRun
from backend.trading.alarms.signal import Signal
from tests.fakes import minute
from tests.integration.shelf import fill, shelf
from tests.web.client import error_code, get, post, send
from tests.web.trading import with_accounts

SWAP = Series("bingx", "perpetual", "BTCUSDT")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Accounts are on, and their venues' rules are told by the simulated markets."""
    return with_accounts(settings, settings.base_urls["BITGET_URL"])


async def strategy(client: AsyncHTTPServerClient, **more: object) -> None:
    assert (await post(client, "/accounts", {"venue": "bingx"})).status == 201
    body = {"id": "ema", "sizing": {"by": "alarm", "amount": "0.01"}, **more}
    assert (await post(client, "/strategies", body)).status == 201


async def came(database: Database, received: int, after: int) -> None:
    alarm = Alarm(
        id=f"a{received}",
        strategy="ema",
        revision=1,
        account="a",
        lane="l",
        symbol="BTC-USDT",
        signal=Signal(ticker="BTCUSDT.P", action="buy", after=Decimal(after)),
        body="",
        sender="test",
        received=received,
        state=AlarmState.DONE,
        decided=received,
    )
    assert await MongoAlarms(database).add(alarm)


async def finished(client: AsyncHTTPServerClient, path: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = (await get(client, path)).body["replay"]
            if found["status"] != "running":
                return found
            await asyncio.sleep(0.05)


async def test_a_replay_trades_at_stored_prices(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    stored = shelf(SWAP)
    await fill(database, [stored])
    await strategy(http_server_client)
    opened, closed = stored.candles[10], stored.candles[20]
    await came(database, opened.open_time - 1, 1)
    await came(database, closed.open_time, 0)
    begin = {"from": iso(opened.open_time - MINUTE), "to": iso(closed.open_time + MINUTE), "balance": "5000"}
    reply = await post(http_server_client, "/strategies/ema/replay", begin)
    assert (reply.status, reply.body["replay"]["alarms_found"]) == (202, 2)
    found = await finished(http_server_client, reply.headers["Location"])
    assert (found["status"], found["alarms_done"]) == ("done", 2)
    result = found["result"]
    prices = [Decimal(repr(one.open)) for one in (opened, closed)]
    assert [Decimal(one["price"]) for one in result["alarms"]] == prices
    assert Decimal(result["realised"]) == (prices[1] - prices[0]) / 100
    assert Decimal(result["fees"]) == (prices[0] + prices[1]) / 100 * Decimal("0.0005")
    assert Decimal(result["equity"]) == 5000 + Decimal(result["realised"]) - Decimal(result["fees"])
    assert (result["trades"], [one["differs"] for one in result["alarms"]]) == (2, [False, False])


async def test_what_cannot_be_replayed(http_server_client: AsyncHTTPServerClient) -> None:
    await strategy(http_server_client)
    for body, status, code in (
        ({}, 400, "missing_from"),
        ({"from": iso(minute(0)), "to": iso(minute(-1))}, 400, "invalid_time_range"),
        ({"from": "2020-01-01"}, 400, "invalid_time_range"),
        ({"from": iso(minute(0)), "balance": "0"}, 400, "invalid_balance"),
    ):
        reply = await post(http_server_client, "/strategies/ema/replay", body)
        assert (reply.status, error_code(reply)) == (status, code)
    day = {"from": iso(minute(0)), "to": iso(minute(60))}
    reply = await post(http_server_client, "/strategies/nobody/replay", day)
    assert (reply.status, error_code(reply)) == (404, "unknown_strategy")
    assert error_code(await get(http_server_client, "/replays/nobody")) == "unknown_replay"


async def test_without_alarms_nothing_changes(http_server_client: AsyncHTTPServerClient) -> None:
    await strategy(http_server_client)
    begin = {"from": iso(minute(0)), "to": iso(minute(60))}
    reply = await post(http_server_client, "/strategies/ema/replay", begin)
    found = await finished(http_server_client, reply.headers["Location"])
    assert (found["result"]["equity"], found["result"]["trades"]) == ("10000", 0)


def another(run_id: str = "other", **more: Any) -> ReplayRun:
    """A replay that another process has."""
    about: dict[str, Any] = {"holder": "another", "begun": 1, "until": SystemClock().now() + HOUR}
    about["created"] = minute(0)
    return ReplayRun(
        id=run_id,
        strategy="ema",
        revision=1,
        venue="bingx",
        start=minute(0),
        end=minute(60),
        caller="me",
        **about | more,
    )


async def test_a_replay_whose_process_is_gone_is_begun_again(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    await MongoReplays(database).add(another(until=minute(1)))
    await strategy(http_server_client)
    found = await finished(http_server_client, "/replays/other")
    assert (found["status"], found["result"]["equity"]) == ("done", "10000")


async def test_a_replay_that_ends_its_process_again_and_again_fails(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    await strategy(http_server_client)
    await MongoReplays(database).add(another(until=minute(1), begun=MOST_BEGUN))
    found = await finished(http_server_client, "/replays/other")
    assert (found["status"], found["result"]) == ("failed", None)
    assert "again and again" in found["reason"]


async def test_a_replay_is_cancelled_wherever_it_runs(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    store = MongoReplays(database)
    await store.add(another())
    for _ in range(2):
        reply = await send(http_server_client, "/replays/other", method="DELETE")
        assert (reply.status, reply.body["replay"]["status"]) == (200, "cancelled")
    assert not await store.report(another(status="done"))
    assert not await store.renew("other", "another", minute(2))
    reply = await send(http_server_client, "/replays/nobody", method="DELETE")
    assert (reply.status, error_code(reply)) == (404, "unknown_replay")


async def test_replays_are_listed_newest_first(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    store = MongoReplays(database)
    for number in range(3):
        await store.add(another(f"r{number}", created=minute(number)))
    await store.add(replace(another("else"), strategy="else"))
    reply = await get(http_server_client, "/replays?strategy=ema&limit=2")
    assert [one["id"] for one in reply.body["replays"]] == ["r2", "r1"]
    assert (reply.body["count"], "result" in reply.body["replays"][0]) == (2, False)
    assert (await get(http_server_client, "/replays")).body["count"] == 4


async def test_a_long_line_of_replays_is_refused(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    store = MongoReplays(database)
    for number in range(MOST_WAITING):
        await store.add(another(f"r{number}"))
    await strategy(http_server_client)
    begin = {"from": iso(minute(0)), "to": iso(minute(60))}
    reply = await post(http_server_client, "/strategies/ema/replay", begin)
    assert (reply.status, error_code(reply)) == (429, "too_many_jobs")


async def test_a_product_without_candles_is_not_replayed(http_server_client: AsyncHTTPServerClient) -> None:
    await strategy(http_server_client, product="perpetual-coin")
    day = {"from": iso(minute(0)), "to": iso(minute(60))}
    reply = await post(http_server_client, "/strategies/ema/replay", day)
    assert (reply.status, error_code(reply)) == (400, "unknown_product")
