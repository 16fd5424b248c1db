"""POST /api/import: files of candles over HTTP."""

from __future__ import annotations

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.tcpclient import TCPClient
from tornado.web import Application

from backend.clock import parse_time
from backend.core.archive_file import LARGEST_TEXT
from backend.core.windows import MINUTE
from tests.archives import text_of, zipped
from tests.fakes import candle
from tests.web.client import Reply, error_code, get, send
from tests.web.test_leaving import until

DAY = parse_time("2025-05-20")
WHOLE = [candle(DAY + number * MINUTE) for number in range(1440)]
NAME = "BTCUSDT-1m-2025-05-20"


async def take(client: AsyncHTTPServerClient, body: bytes, query: str) -> Reply:
    return await send(client, f"/api/import?{query}", method="POST", body=body)


def head_of(length: int) -> bytes:
    """The head of a request with a file of so many bytes."""
    lines = (f"POST /api/import?name={NAME}.csv HTTP/1.1", "Host: localhost", f"Content-Length: {length}")
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


async def test_a_file_is_checked_stored_and_claimed_and_once_more_changes_nothing(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    body = zipped({f"{NAME}.csv": text_of(WHOLE, 1000)})
    reply = await take(http_server_client, body, f"name={NAME}.zip")
    about = {"success": True, "symbol": "BTCUSDT", "exchange": "binance", "market": "spot", "candles": 1440}
    assert reply.body == about | {"new_records": 1440, "held_before": 0, "remark": ""}
    reply = await take(http_server_client, text_of(WHOLE), f"name={NAME}.csv&symbol=btc-usdt")
    assert reply.body == about | {"new_records": 0, "held_before": 1440, "remark": ""}
    found = (await get(http_server_client, "/api/coverage/BTCUSDT")).body
    assert (found["held_records"], found["complete"]) == (1440, True)


async def test_a_file_of_prices_gives_no_trades(http_server_client: AsyncHTTPServerClient) -> None:
    reply = await take(http_server_client, text_of(WHOLE), f"name={NAME}.csv&market=perpetual-mark")
    assert (reply.status, reply.body["candles"]) == (200, 1440)
    path = f"/api/data/BTCUSDT?market=perpetual-mark&start_time={DAY}&limit=1"
    [row] = (await get(http_server_client, path)).body["data"]
    assert (row["close"], row["volume"], row.get("trades")) == (WHOLE[0].close, 0.0, None)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("name=more.csv", "give the symbol"),
        (f"name={NAME}.csv&symbol=ETHUSDT", "is a file of BTCUSDT, not of ETHUSDT"),
        (f"name={NAME}.csv&exchange=bitget", "not of bitget"),
        (f"name={NAME}.csv&market=options", "unknown market"),
        (f"name={NAME}.txt", "neither a .csv nor a .zip"),
        (f"name={NAME}.zip", "cannot be unzipped"),
        ("name=BTCUSDT-1m-2025-07-01.csv", "not over yet"),
        (f"name={NAME}.csv&line=2", "unknown parameter"),
        ("", "name is missing"),
    ],
)
async def test_what_is_no_such_file_is_told_in_a_sentence(
    http_server_client: AsyncHTTPServerClient, query: str, said: str
) -> None:
    reply = await take(http_server_client, text_of(WHOLE[:3]), query)
    assert reply.status == 400
    assert said in reply.body["error"]["message"]
    assert (await get(http_server_client, "/api/coverage/BTCUSDT")).status == 404


async def test_a_bad_line_is_named_and_nothing_is_taken(http_server_client: AsyncHTTPServerClient) -> None:
    body = text_of(WHOLE[:3]) + b"no,candle\n"
    reply = await take(http_server_client, body, f"name={NAME}.csv")
    assert reply.status == 400
    assert f"{NAME}.csv" in reply.body["error"]["message"]
    assert "4" in reply.body["error"]["message"]
    assert (await get(http_server_client, "/api/coverage/BTCUSDT")).status == 404


async def test_a_file_that_is_too_large_is_refused_before_it_comes(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    stream = await TCPClient().connect("127.0.0.1", http_server_client.get_http_port())
    await stream.write(head_of(LARGEST_TEXT + 1))
    answer = await stream.read_until(b"}}")
    assert b" 413 " in answer.splitlines()[0]
    assert f"over {LARGEST_TEXT} bytes".encode() in answer
    stream.close()


async def test_files_that_come_slowly_have_a_few_places_and_give_them_back(
    http_server_client: AsyncHTTPServerClient, app: Application
) -> None:
    """They are kept in memory while they come."""
    streams = [await TCPClient().connect("127.0.0.1", http_server_client.get_http_port()) for _ in range(3)]
    for stream in streams:
        await stream.write(head_of(1_000_000))
    imports = app.settings["rooms"].imports
    await until(lambda: imports.taken == 3)
    reply = await take(http_server_client, text_of(WHOLE[:3]), f"name={NAME}.csv")
    assert (reply.status, error_code(reply)) == (429, "too_many_streams")
    for stream in streams:
        stream.close()
    await until(lambda: not imports.taken)
    assert (await take(http_server_client, text_of(WHOLE[:3]), f"name={NAME}.csv")).status == 200
