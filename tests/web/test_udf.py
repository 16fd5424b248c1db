"""TradingView's data feed: what a chart is told of bars, of holes and of where history begins."""

from __future__ import annotations

import random
from bisect import bisect_left
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.core.candles import held_by
from backend.core.coverage import Coverage, void_without_data
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.store.mongo import Database
from tests.examples import examples
from tests.fakes import START, candle, minute, minutes
from tests.integration.shelf import Shelf, bars, fill, shelf
from tests.web.client import Reply, get

BTC = Series("binance", "spot", "BTCUSDT")
RESOLUTIONS = {"1": "1m", "5": "5m", "15": "15m", "60": "1h"}
LENGTH = 300
STORIES = 12


async def ask(client: AsyncHTTPServerClient, path: str, **query: object) -> Reply:
    return await get(client, f"/udf/{path}?{urlencode(query)}")


async def history(client: AsyncHTTPServerClient, **query: object) -> Any:
    reply = await ask(client, "history", **{"symbol": "BINANCE:BTCUSDT", **query})
    assert reply.status == 200, reply.body
    return reply.body


def seconds(number: int) -> int:
    return minute(number) // 1000


def story(number: int) -> Shelf:
    """A few hours with holes of both kinds, another one for each number."""
    dice = random.Random(number)
    ends = sorted(dice.sample(range(LENGTH), 8))
    holes = list(zip(ends[0:6:2], ends[1:6:2], strict=True))
    gone = [minutes(*hole) for hole in holes]
    candles = [
        candle(moment)
        for moment in range(*minutes(0, LENGTH), MINUTE)
        if not any(hole.start <= moment < hole.end for hole in gone)
    ]
    known = Coverage().asked(minutes(0, LENGTH)).with_held(held_by(candles))
    void = [void_without_data(hole, START) for hole in gone[: dice.randrange(3)]]
    return Shelf(Series("binance", "spot", f"S{number}USDT"), candles, known.with_voids(void))


def model(found: Shelf, resolution: str, start: int, end: int, countback: int | None) -> dict[str, Any]:
    """What the protocol demands, by looking at every bar there is."""
    whole = [bar for bar in bars(found, RESOLUTIONS[resolution]) if bar[0] < end * 1000]
    wanted = [bar for bar in whole if bar[0] >= start * 1000]
    if countback is not None:
        wanted = whole[-countback:]
    if wanted:
        columns = zip(*wanted, strict=True)
        told = dict(zip("tohlcv", (list(column) for column in columns), strict=True))
        return {"s": "ok", **told, "t": [moment // 1000 for moment in told["t"]]}
    return {"s": "no_data", "nextTime": whole[-1][0] // 1000} if whole else {"s": "no_data"}


def test_history_is_what_the_protocol_demands(
    database: Database, http_server_client: AsyncHTTPServerClient, io_loop: IOLoop
) -> None:
    stories = [story(number) for number in range(STORIES)]
    io_loop.run_sync(lambda: fill(database, stories))
    moments = st.integers(-30, LENGTH + 30).map(seconds)

    @hypothesis_settings(max_examples=examples(150), suppress_health_check=list(HealthCheck))
    @given(
        st.integers(0, STORIES - 1),
        st.sampled_from(sorted(RESOLUTIONS)),
        moments,
        moments,
        st.none() | st.integers(1, 400),
    )
    def check(number: int, resolution: str, start: int, end: int, countback: int | None) -> None:
        found = stories[number]
        query: dict[str, object] = {"resolution": resolution, "from": start, "to": end}
        if countback is not None:
            query["countback"] = countback
        query["symbol"] = f"BINANCE:{found.series.symbol}"
        answer = io_loop.run_sync(lambda: history(http_server_client, **query))
        expected = model(found, resolution, start, end, countback)
        assert answer == {
            name: pytest.approx(column) if name == "v" else column for name, column in expected.items()
        }

    check()


async def test_a_chart_that_scrolls_back_finds_everything(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    """The library's own walk: bars before the oldest one it has, jumping to `nextTime` over holes."""
    stored = shelf(BTC)
    await fill(database, [stored])
    found: list[int] = []
    end = seconds(5000)
    while True:
        body = await history(http_server_client, resolution="5", **{"from": end - 40 * 300, "to": end})
        if body["s"] == "ok":
            found = body["t"] + found
            end = body["t"][0]
        elif "nextTime" in body:
            end = body["nextTime"] + 1
        else:
            break
    assert found == [bar[0] // 1000 for bar in bars(stored, "5m")]


async def test_countback_reaches_back_over_holes_whatever_from_says(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    stored = shelf(BTC)
    await fill(database, [stored])
    end = seconds(3300)
    body = await history(
        http_server_client, resolution="1", countback=1200, **{"from": seconds(3290), "to": end}
    )
    opens = [bar[0] // 1000 for bar in bars(stored, "1m")]
    assert body["t"] == opens[bisect_left(opens, end) - 1200 : bisect_left(opens, end)]


async def test_before_the_beginning_there_is_nothing_and_no_next_time(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    await fill(database, [shelf(BTC)])
    for query in ({"from": -5_000_000, "to": seconds(0)}, {"to": seconds(90), "countback": 10}):
        assert await history(http_server_client, resolution="1", **query) == {"s": "no_data"}


async def test_symbols_and_search_name_what_is_stored(
    database: Database, http_server_client: AsyncHTTPServerClient
) -> None:
    perpetual = Series("bitget", "perpetual", "ETHUSDT")
    await fill(database, [shelf(BTC), shelf(perpetual)])
    everything = (await ask(http_server_client, "search", query="", type="", exchange="", limit=30)).body
    assert [(each["ticker"], each["type"]) for each in everything] == [
        ("BINANCE:BTCUSDT", "spot"),
        ("BITGET:ETHUSDT.P", "swap"),
    ]
    for query in ({"query": "ethu"}, {"exchange": "BITGET"}, {"type": "swap"}):
        found = (await ask(http_server_client, "search", **query)).body
        assert [each["full_name"] for each in found] == ["BITGET:ETHUSDT.P"]
    assert len((await ask(http_server_client, "search", limit=1)).body) == 1
    symbol = (await ask(http_server_client, "symbols", symbol=everything[1]["ticker"])).body
    assert (symbol["ticker"], symbol["name"]) == ("BITGET:ETHUSDT.P", "ETHUSDT.P")
    assert (symbol["pricescale"], symbol["timezone"], symbol["session"]) == (10**8, "Etc/UTC", "24x7")
    assert (await ask(http_server_client, "symbols", symbol="btcusdt")).body["ticker"] == "BINANCE:BTCUSDT"


async def test_the_configuration_names_what_is_understood(http_server_client: AsyncHTTPServerClient) -> None:
    body = (await ask(http_server_client, "config")).body
    assert {"1", "60", "720", "1D", "1W", "1M"} < set(body["supported_resolutions"])
    assert (body["supports_search"], body["supports_group_request"], body["supports_time"]) == (
        True,
        False,
        True,
    )
    assert [each["value"] for each in body["exchanges"]] == ["", "BINANCE", "BITGET", "BINGX", "EXTENDED"]


async def test_time_is_in_seconds(http_server_client: AsyncHTTPServerClient) -> None:
    answer = await http_server_client.fetch("/udf/time")
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert int(answer.body) > START // 1000


RANGE = {"from": 0, "to": 1}


@pytest.mark.parametrize(
    ("path", "query", "status", "said"),
    [
        ("history", {"symbol": "BTCUSDT", "resolution": "7", **RANGE}, 400, "1, 3, 5"),
        ("history", {"symbol": "BTCUSDT", **RANGE}, 400, "resolution"),
        ("history", {"symbol": "BTCUSDT", "resolution": "1", "from": 0}, 400, "to must be"),
        ("history", {"symbol": "BTCUSDT", "resolution": "1", "to": 1}, 400, "from must be"),
        ("history", {"symbol": "BTCUSDT", "resolution": "1", "from": 0, "to": 10**15}, 400, "to must be"),
        (
            "history",
            {"symbol": "BTCUSDT", "resolution": "1", "to": "soon", "countback": 1},
            400,
            "to must be",
        ),
        *(
            ("history", {"symbol": "BTCUSDT", "resolution": "1", "to": 1, "countback": bad}, 400, "50000")
            for bad in (0, -1, 50_001, "many", "9" * 30)
        ),
        ("history", {"symbol": "NOPEUSDT", "resolution": "1", **RANGE}, 404, "unknown_symbol"),
        ("symbols", {"symbol": "NASDAQ:BTCUSDT"}, 404, "unknown_symbol"),
        ("symbols", {"symbol": ".P"}, 404, "unknown_symbol"),
        ("symbols", {}, 404, "unknown_symbol"),
        ("search", {"limit": 1001}, 400, "1 to 1000"),
    ],
)
async def test_bad_input_is_told_in_the_protocols_words(
    database: Database,
    http_server_client: AsyncHTTPServerClient,
    path: str,
    query: dict[str, object],
    status: int,
    said: str,
) -> None:
    await fill(database, [shelf(BTC)])
    reply = await ask(http_server_client, path, **query)
    assert reply.status == status
    assert reply.body["s"] == "error"
    assert said in reply.body["errmsg"]
