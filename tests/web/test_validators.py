"""A repeated read of closed history answers 304, and never when anything changed."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.httpclient import HTTPResponse
from tornado.httputil import format_timestamp
from tornado.ioloop import IOLoop

from backend.clock import SystemClock
from backend.core.candles import Candle
from backend.core.windows import MINUTE, Window
from backend.services.service import Service
from backend.store.market.coverage import MongoCoverage
from backend.store.market.revisions import ABANDONED_MS
from backend.store.mongo import Database
from tests.syncing import save_ledger
from tests.web.stored import SERIES, START, candle, candle_store, store

HOLE = range(600, 660)
CLOSED = f"start_time={START}&end_time={START + 599 * MINUTE}"
"""A range without a hole."""

WITH_HOLE = f"end_time={START + 1439 * MINUTE}"
"""A day that lacks an hour, from before the listing on."""


@pytest.fixture(autouse=True)
def stored(database: Database, io_loop: IOLoop) -> None:
    """A day and a half with an hour's hole."""
    io_loop.run_sync(lambda: store(database, [candle(n) for n in range(2160) if n not in HOLE]))


async def fetch(client: AsyncHTTPServerClient, query: str, **headers: str) -> HTTPResponse:
    answer: HTTPResponse = await client.fetch(
        f"/api/data/BTCUSDT?{query}", headers=headers, decompress_response=False, raise_error=False
    )
    return answer


async def again(client: AsyncHTTPServerClient, query: str, tag: str) -> HTTPResponse:
    return await fetch(client, query, **{"If-None-Match": tag})


@pytest.mark.parametrize(
    "query",
    [
        CLOSED,
        WITH_HOLE,
        f"{CLOSED}&format=parquet&order=desc",
        f"{CLOSED}&interval=1h",
        "interval=1h",
        "limit=100",
        f"start_time={START + 500 * MINUTE}&limit=200",
    ],
)
async def test_a_repeated_read_of_closed_history_is_not_sent_again(
    http_server_client: AsyncHTTPServerClient, query: str
) -> None:
    first = await fetch(http_server_client, query)
    assert first.headers["Etag"].startswith('"')
    second = await again(http_server_client, query, first.headers["Etag"])
    assert (second.code, second.body) == (304, b"")
    assert second.headers["Etag"] == first.headers["Etag"]


@pytest.mark.parametrize(
    "query",
    [
        f"end_time={START + 2160 * MINUTE}",
        f"end_time={START + 5000 * MINUTE}",
        "limit=3000",
        "interval=1d&forming=true",
        "last=5",
        f"{CLOSED}&fill=previous",
    ],
)
async def test_what_may_still_grow_has_no_validator(
    http_server_client: AsyncHTTPServerClient, query: str
) -> None:
    answer = await fetch(http_server_client, query)
    assert answer.code == 200
    assert "Last-Modified" not in answer.headers
    assert "Etag" not in answer.headers


async def test_different_answers_about_the_same_history_have_different_tags(
    http_server_client: AsyncHTTPServerClient,
) -> None:
    queries = ["", "&format=csv", "&format=columns", "&fields=open", "&time=s", "&order=desc", "&limit=10"]
    queries += ["&limit=11", "&interval=1h", "&interval=2h"]
    plain = [(await fetch(http_server_client, CLOSED + more)).headers["Etag"] for more in queries]
    packed = [
        (await fetch(http_server_client, CLOSED, **{"Accept-Encoding": coding})).headers["Etag"]
        for coding in ("gzip", "zstd")
    ]
    assert len({*plain, *packed}) == len(queries) + 2


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("query", ["", "&format=csv", "&interval=1h&order=desc"])
async def test_who_asks_for_the_same_again_gets_it_without_another_look_at_the_candles(
    http_server_client: AsyncHTTPServerClient, database: Database, query: str, coding: str
) -> None:
    headers = {"Accept-Encoding": coding}
    first = await fetch(http_server_client, CLOSED + query, **headers)
    await database[SERIES.name].drop()
    second = await fetch(http_server_client, CLOSED + query, **headers)
    assert (second.code, second.body) == (200, first.body)
    for name in ("Etag", "Content-Type", "Vary", "Last-Modified"):
        assert second.headers[name] == first.headers[name]
    assert second.headers.get("Content-Encoding") == first.headers.get("Content-Encoding")
    assert int(second.headers["Content-Length"]) == len(second.body)


async def test_what_has_no_validator_is_read_each_time(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    query = f"end_time={START + 5000 * MINUTE}"
    first = await fetch(http_server_client, query)
    await database[SERIES.name].delete_one({"_id": START})
    assert len((await fetch(http_server_client, query)).body) < len(first.body)


async def changed(client: AsyncHTTPServerClient, query: str, tag: str) -> HTTPResponse:
    """An answer that must be sent although the client knows `tag`."""
    answer = await again(client, query, tag)
    assert answer.code == 200
    assert answer.headers.get("Etag") != tag
    return answer


async def test_a_replaced_candle_changes_the_tag_and_only_where_it_is(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    before = await fetch(http_server_client, CLOSED)
    other = f"start_time={START + 700 * MINUTE}&end_time={START + 800 * MINUTE}"
    untouched = await fetch(http_server_client, other)
    await candle_store(database).write(SERIES, [msgspec.structs.replace(candle(5), close=99.5)])
    after = await changed(http_server_client, CLOSED, before.headers["Etag"])
    assert b'"close":99.5' in after.body
    assert (await again(http_server_client, CLOSED, after.headers["Etag"])).code == 304
    assert (await again(http_server_client, other, untouched.headers["Etag"])).code == 304


async def test_while_a_candle_is_being_replaced_there_is_no_validator(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    before = await fetch(http_server_client, CLOSED)
    await database["revisions"].insert_one(pending_revision(SystemClock().now()))
    during = await changed(http_server_client, CLOSED, before.headers["Etag"])
    assert "Etag" not in during.headers


async def test_a_replacement_that_a_crash_cut_off_long_ago_changes_no_tag(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    before = await fetch(http_server_client, CLOSED)
    await database["revisions"].insert_one(pending_revision(SystemClock().now() - ABANDONED_MS - 1))
    assert (await again(http_server_client, CLOSED, before.headers["Etag"])).code == 304


def pending_revision(at: int) -> dict[str, object]:
    """A change of the first candle that has not taken place."""
    change = {"before": {"close": 1.0}, "after": {"close": 2.0}}
    return {"series": SERIES.name, "open_time": START, "at": at, "pending": True, **change}


async def test_a_hole_that_is_filled_later_changes_the_tag(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    before = await fetch(http_server_client, WITH_HOLE)
    assert "Last-Modified" not in before.headers
    late = [candle(number) for number in HOLE]
    await candle_store(database).write(SERIES, late)
    await claim(database, late)
    after = await changed(http_server_client, WITH_HOLE, before.headers["Etag"])
    assert len(after.body) > len(before.body)


async def claim(database: Database, candles: Sequence[Candle]) -> None:
    """Tell the ledger that these are stored."""
    ledger = MongoCoverage(database)
    coverage = await ledger.load(SERIES)
    window = Window(candles[0].open_time, candles[-1].open_time + MINUTE)
    await save_ledger(ledger, SERIES, coverage.with_held([window]))


async def test_rows_that_an_audit_missed_and_a_sync_brought_back_otherwise_change_the_tag(
    http_server_client: AsyncHTTPServerClient, database: Database, service: Service
) -> None:
    before = await fetch(http_server_client, CLOSED)
    await database[SERIES.name].delete_many({"_id": START})
    assert (await service.syncing.auditor.verify(SERIES)).lost == (Window(START, START + MINUTE),)
    await candle_store(database).write(SERIES, [msgspec.structs.replace(candle(7), open_time=START)])
    await claim(database, [candle(0)])
    await changed(http_server_client, CLOSED, before.headers["Etag"])


@pytest.mark.parametrize("query", [CLOSED, f"{CLOSED}&interval=1h", f"start_time={START}&limit=100"])
async def test_rows_that_were_away_for_a_while_leave_no_tag_that_lies(
    http_server_client: AsyncHTTPServerClient, database: Database, query: str
) -> None:
    await database[SERIES.name].delete_many({"_id": {"$gte": START, "$lt": START + 10 * MINUTE}})
    short = await fetch(http_server_client, query)
    await candle_store(database).write(SERIES, [candle(number) for number in range(10)])
    whole = await changed(http_server_client, query, short.headers["Etag"])
    assert whole.body != short.body
    assert (await again(http_server_client, query, whole.headers["Etag"])).code == 304


async def test_history_without_a_hole_says_when_it_came_to_be(
    http_server_client: AsyncHTTPServerClient, database: Database
) -> None:
    first = await fetch(http_server_client, CLOSED)
    end = format_timestamp((START + 600 * MINUTE) / 1000)
    assert first.headers["Last-Modified"] == end
    second = await fetch(http_server_client, CLOSED, **{"If-Modified-Since": end})
    assert second.code == 304
    other = await fetch(http_server_client, CLOSED, **{"If-Modified-Since": format_timestamp(2**31)})
    assert other.code == 200
    await candle_store(database).write(SERIES, [msgspec.structs.replace(candle(5), close=99.5)])
    assert (await fetch(http_server_client, CLOSED, **{"If-Modified-Since": end})).code == 200
