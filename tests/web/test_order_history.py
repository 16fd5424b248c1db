"""Histories over HTTP: pages and lines of what is stored, extractions, and how complete it all is."""

from __future__ import annotations

import asyncio
import csv
import json
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO, StringIO
from typing import Any

import pytest
from pyarrow import parquet
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.clock import Clock
from backend.core.windows import DAY, HOUR
from backend.settings import Settings
from backend.store.mongo import Database
from backend.store.trading.history import MongoHistory
from backend.trading.history import Kind, ids_of
from tests.account_venue import ScriptedBitget, refused, told
from tests.fakes import START
from tests.hurried import HurriedClock
from tests.traded import traded
from tests.web.client import Reply, error_code, get, send
from tests.web.test_leaving import ask_and_stay, until
from tests.web.trading import added, opened_venue, with_accounts

BOOK = traded(5, 60, START, START + 9 * DAY)
HISTORIES = {"/orders/history": Kind.ORDERS, "/trades": Kind.FILLS, "/ledger": Kind.BILLS}
NAMES = {"/orders/history": "orders", "/trades": "trades", "/ledger": "ledger"}
IDS = {"/orders/history": "order_id", "/trades": "fill_id", "/ledger": "bill_id"}
EMPTY: dict[str, Any] = {
    "/api/v2/mix/order/orders-history": told({"entrustedList": [], "endId": None}),
    "/api/v2/mix/order/orders-pending": told({"entrustedList": [], "endId": None}),
    "/api/v2/mix/order/fills": told({"fillList": [], "endId": None}),
    "/api/v2/mix/account/bill": told({"bills": [], "endId": None}),
    "/api/v2/spot/trade/history-orders": told([]),
    "/api/v2/spot/trade/unfilled-orders": told([]),
    "/api/v2/spot/account/bills": told([]),
    "/api/v2/spot/trade/fills": told([]),
}
"""Of an account that never traded."""


@pytest.fixture
def venue(io_loop: IOLoop) -> Iterator[ScriptedBitget]:
    with opened_venue(io_loop) as venue:
        venue.answers |= EMPTY
        yield venue


@pytest.fixture
def clock() -> Clock:
    """An exchange lets few questions a second by: waiting for the next second takes a twentieth of it."""
    return HurriedClock(20)


@pytest.fixture
def settings(settings: Settings, venue: ScriptedBitget) -> Settings:
    return with_accounts(settings, venue.url)


async def stored(client: AsyncHTTPServerClient, database: Database) -> str:
    """An account with a past in the database."""
    account: str = (await added(client))["id"]
    history = MongoHistory(database)
    for kind in Kind:
        await history.put(account, kind, ids_of(BOOK.rows(kind)))
    return account


async def posted(client: AsyncHTTPServerClient, path: str, body: object = None) -> Reply:
    """The answer to a question that may take as long as an extraction."""
    text = "" if body is None else json.dumps(body)
    return await send(client, path, method="POST", body=text, request_timeout=110)


@pytest.mark.parametrize("path", HISTORIES)
async def test_pages_tell_every_row_once_oldest_first(
    http_server_client: AsyncHTTPServerClient, database: Database, path: str
) -> None:
    account = await stored(http_server_client, database)
    rows: list[dict[str, Any]] = []
    after = ""
    while True:
        reply = await get(http_server_client, f"{path}?account={account}&limit=37{after}")
        assert reply.status == 200, reply.body
        assert reply.body["count"] == len(reply.body[NAMES[path]])
        assert "complete" in reply.body["completeness"]
        rows += reply.body[NAMES[path]]
        if reply.body["next"] is None:
            break
        after = f"&after={reply.body['next']}"
    assert sorted(row[IDS[path]] for row in rows) == sorted(ids_of(BOOK.rows(HISTORIES[path])))
    times = [row.get("created") or row["time"] for row in rows]
    assert times == sorted(times)


@pytest.mark.parametrize("path", HISTORIES)
async def test_lines_tell_the_same_as_pages(
    http_server_client: AsyncHTTPServerClient, database: Database, path: str
) -> None:
    account = await stored(http_server_client, database)
    paged = (await get(http_server_client, f"{path}?account={account}&limit=1000")).body[NAMES[path]]
    reply = await http_server_client.fetch(f"{path}?account={account}&format=ndjson")
    assert reply.headers["Content-Type"] == "application/x-ndjson"
    assert reply.headers["X-Complete"] == "false"
    assert [json.loads(line) for line in reply.body.splitlines()] == paged


@pytest.mark.parametrize("path", HISTORIES)
async def test_csv_and_parquet_tell_the_same_as_pages(
    http_server_client: AsyncHTTPServerClient, database: Database, path: str
) -> None:
    account = await stored(http_server_client, database)
    paged = (await get(http_server_client, f"{path}?account={account}&limit=1000")).body[NAMES[path]]
    reply = await http_server_client.fetch(f"{path}?account={account}&format=csv")
    assert f"{NAMES[path]}-{account}.csv" in reply.headers["Content-Disposition"]
    told = list(csv.DictReader(StringIO(reply.body.decode())))
    assert told == [{field: as_text(value) for field, value in row.items()} for row in paged]
    reply = await http_server_client.fetch(f"{path}?account={account}&format=parquet")
    assert reply.headers["Content-Type"] == "application/vnd.apache.parquet"
    table = parquet.read_table(BytesIO(reply.body))
    assert table.column_names == list(paged[0])
    for one, row in zip(table.to_pylist(), paged, strict=True):
        assert {field: as_text(value) for field, value in one.items()} == {
            field: as_text(value) for field, value in row.items()
        }


def as_text(value: Any) -> str:
    """A value as CSV has it."""
    if isinstance(value, datetime):
        value = value.isoformat()
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, separators=(",", ":"))


async def test_rows_are_chosen_by_symbol_product_and_time(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    await stored(http_server_client, database)
    start, end = START + DAY, START + 3 * DAY
    reply = await get(
        http_server_client, f"/orders/history?symbol=COIN1USDT&start_time={start}&end_time={end}&limit=1000"
    )
    chosen = [row for row in BOOK.orders if row.symbol == "COIN1USDT" and start <= row.created <= end]
    assert [row["order_id"] for row in reply.body["orders"]] == [
        row.order_id for row in sorted(chosen, key=lambda row: (row.created, row.order_id))
    ]
    assert (await get(http_server_client, "/orders/history?product=spot")).body["count"] == 0


async def test_money_is_text_to_the_last_digit(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    await stored(http_server_client, database)
    rows = (await get(http_server_client, "/trades?limit=1000")).body["trades"]
    sizes = {fill.fill_id: format(fill.size, "f") for fill in BOOK.fills}
    assert all(isinstance(row["size"], str) for row in rows)
    assert {row["fill_id"]: float(row["size"]) for row in rows} == {
        name: float(size) for name, size in sizes.items()
    }


async def test_an_extraction_answers_with_all_orders_and_how_complete_they_are(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    account = await stored(http_server_client, database)
    reply = await posted(http_server_client, "/extract-orders", {"account": account, "wait": 600})
    assert reply.status == 200, reply.body
    assert reply.body["extraction"]["status"] == "done"
    assert reply.body["count"] == len(reply.body["orders"]) == len(BOOK.orders)
    streams = {one["stream"]: one for one in reply.body["completeness"]["streams"]}
    told = streams["orders/perpetual-usdt"]
    assert told["complete"], json.dumps(told)
    assert streams["orders/perpetual-usdt"]["lost"][0]["reason"] == "beyond_retention"
    assert reply.body["completeness"]["proof"]["holds"] in (True, False)
    listed = (await get(http_server_client, "/extract-orders")).body["extractions"]
    assert [one["id"] for one in listed] == [reply.body["extraction"]["id"]]


async def test_an_extraction_is_watched_and_cancelled(
    http_server_client: AsyncHTTPServerClient, venue: ScriptedBitget
) -> None:
    await added(http_server_client)
    venue.answers["/api/v2/mix/order/fills"] = refused("40015", "system is abnormal")
    reply = await posted(http_server_client, "/extract-orders", {"test_mode": True})
    assert reply.status == 202
    where = reply.headers["Location"]
    assert where == f"/extract-orders/{reply.body['extraction']['id']}"
    assert (await get(http_server_client, where)).status == 200
    gone = await send(http_server_client, where, method="DELETE")
    assert gone.body["extraction"]["status"] in ("running", "cancelled", "failed")
    reply = await posted(http_server_client, "/extract-orders", {"test_mode": True, "wait": 600})
    assert (reply.status, error_code(reply)) == (503, "outcome_unknown")


async def test_who_waits_for_an_extraction_and_leaves_costs_nothing(
    http_server_client: AsyncHTTPServerClient, venue: ScriptedBitget, app: Application
) -> None:
    await added(http_server_client)
    stuck = asyncio.Event()
    venue.wait_for = stuck.wait
    waiting = app.settings["rooms"].waiting
    writer = await ask_and_stay(
        http_server_client,
        'POST /extract-orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\n{"wait":600}',
    )
    await until(lambda: waiting.taken == 1)
    writer.close()
    await until(lambda: waiting.taken == 0)
    stuck.set()


async def test_stages_run_alone(http_server_client: AsyncHTTPServerClient) -> None:
    await added(http_server_client)
    for stage in ("coordinator", "symbol-processor", "result-collector"):
        reply = await posted(http_server_client, f"/test/{stage}")
        assert (reply.status, reply.body["extraction"]["status"]) == (200, "done"), reply.body
    reply = await posted(http_server_client, "/test/symbol-processor?symbol=BTCUSDT&product=spot")
    assert reply.body["extraction"]["symbols"] == ["BTCUSDT"]
    completeness = (await get(http_server_client, "/account/completeness")).body["completeness"]
    assert completeness["proof"]["holds"]
    assert completeness["complete"] == all(one["complete"] for one in completeness["streams"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code"),
    [
        ("GET", "/orders/history?after=x", None, 400, "invalid_after"),
        ("GET", "/orders/history?after=1~", None, 400, "invalid_after"),
        ("GET", "/orders/history?limit=1001", None, 400, "invalid_limit"),
        ("GET", "/trades?format=xml", None, 400, "unknown_format"),
        ("GET", "/ledger?start_time=soon", None, 400, "invalid_time"),
        ("GET", "/trades?account=x", None, 404, "unknown_account"),
        ("POST", "/extract-orders", {"products": ["coins"]}, 400, "unknown_product"),
        ("POST", "/extract-orders", {"products": "spot"}, 400, "unknown_product"),
        ("POST", "/extract-orders", {"wait": 601}, 400, "invalid_wait"),
        ("POST", "/extract-orders", {"wait": True}, 400, "invalid_wait"),
        ("POST", "/extract-orders", {"test_mode": "yes"}, 400, "invalid_test_mode"),
        ("POST", "/extract-orders", {"since": "soon"}, 400, "invalid_time"),
        ("POST", "/test/everything", None, 400, "unknown_stage"),
        ("GET", "/extract-orders/x", None, 404, "unknown_extraction"),
        ("DELETE", "/extract-orders/x", None, 404, "unknown_extraction"),
    ],
)
async def test_what_makes_no_sense_is_told(
    http_server_client: AsyncHTTPServerClient,
    method: str,
    path: str,
    body: object,
    status: int,
    code: str,
) -> None:
    await added(http_server_client)
    options: dict[str, Any] = {"method": method}
    if method == "POST":
        options["body"] = "" if body is None else json.dumps(body)
    reply = await send(http_server_client, path, **options)
    assert (reply.status, error_code(reply)) == (status, code)


async def test_a_million_hours_are_no_window(http_server_client: AsyncHTTPServerClient) -> None:
    await added(http_server_client)
    reply = await get(http_server_client, f"/trades?start_time={START}&end_time={START - HOUR}")
    assert (reply.status, reply.body["count"]) == (200, 0)
