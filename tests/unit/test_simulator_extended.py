"""Extended in the simulator: which candles come, in which form, and what is refused."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.simulator import ExtendedRules, Faults, Forced, Quirks, Simulator, SimulatorClock, default_markets
from tests.simulator.asking import Reply, ask, post
from tests.simulator.extended_candles import INTERVALS
from tests.simulator.times import DAY, HOUR, MINUTE, parse_instant

NOON = parse_instant("2025-06-03T12:00Z")
FORMING = NOON
"""With the clock at NOON + 30 s this minute is half done."""
TRADES = "/api/v1/info/candles/BTC-USD/trades"
MARKETS = "/api/v1/info/markets"


def at_noon(rules: ExtendedRules | None = None, **faults: Any) -> Simulator:
    switched = Faults(quirks=Quirks(extended=rules or ExtendedRules()), **faults)
    return Simulator(clock=SimulatorClock(NOON + 30_000, frozen=True), faults=switched)


async def asked(simulator: Simulator, path: str = TRADES, **params: str | int) -> Reply:
    return await ask(simulator, path, {"interval": "PT1M", "limit": 1000, **params})


async def candles(simulator: Simulator, path: str = TRADES, **params: str | int) -> list[Any]:
    reply = await asked(simulator, path, **params)
    assert (reply.status, reply.json["status"]) == (200, "OK"), reply.text
    rows: list[Any] = reply.json["data"]
    return rows


def open_times(rows: list[Any]) -> list[int]:
    return [row["T"] for row in rows]


def minutes(*before: int) -> list[int]:
    """Return the open times so many minutes before noon."""
    return [NOON - n * MINUTE for n in before]


async def test_rows_come_newest_first_with_the_minute_that_is_not_over() -> None:
    async with at_noon() as simulator:
        assert open_times(await candles(simulator, limit=3)) == minutes(0, 1, 2)


async def test_the_minute_that_is_not_over_may_be_left_out() -> None:
    async with at_noon(ExtendedRules(forming=False)) as simulator:
        assert open_times(await candles(simulator, limit=2)) == minutes(1, 2)


async def test_the_end_is_inclusive_unless_switched() -> None:
    async with at_noon() as simulator:
        inclusive = await candles(simulator, endTime=NOON - HOUR, limit=2)
        simulator.faults.quirks.extended = ExtendedRules(end_included=False)
        exclusive = await candles(simulator, endTime=NOON - HOUR, limit=2)
        between = await candles(simulator, endTime=NOON - HOUR + MINUTE - 1, limit=1)
    assert open_times(inclusive) == minutes(60, 61)
    assert open_times(exclusive) == minutes(61, 62)
    assert open_times(between) == minutes(60)


async def test_a_start_does_not_exist() -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, startTime=NOON - DAY, endTime=NOON, limit=2)
    assert open_times(rows) == minutes(0, 1)


async def test_an_end_in_seconds_gives_an_empty_list() -> None:
    async with at_noon() as simulator:
        assert await candles(simulator, endTime=NOON // 1000) == []


async def test_paging_back_by_the_oldest_row_reaches_the_first_candle() -> None:
    async with at_noon() as simulator:
        start = parse_instant("2024-01-02T10:00Z")
        pages, end = [], start + 2500 * MINUTE - 1
        while page := await candles(simulator, endTime=end):
            pages.append(page)
            end = page[-1]["T"] - 1
        history = simulator.history("BTCUSD", 0, start + 2500 * MINUTE, "extended", "perpetual")
    assert [len(page) for page in pages] == [1000, 1000, 500]
    assert [row["T"] for page in pages for row in page] == [row[0] for row in reversed(history)]


async def test_pages_of_minutes_are_shorter_than_documented_and_other_ones_are_not() -> None:
    async with at_noon() as simulator:
        assert len(await candles(simulator, limit=10_000)) == 2800
        assert len(await candles(simulator, limit=3000, interval="PT5M")) == 3000
        simulator.faults.quirks.extended = ExtendedRules(page_caps={})
        assert len(await candles(simulator, limit=10_000)) == 10_000
        assert len(await candles(simulator, limit=10_001)) == 10_000


async def test_a_day_is_1440_rows() -> None:
    async with at_noon() as simulator:
        end = parse_instant("2025-06-02T00:00Z") - 1
        rows = await candles(simulator, limit=1440, endTime=end)
    assert open_times(rows) == [end + 1 - n * MINUTE for n in range(1, 1441)]


async def test_old_candles_may_be_absent() -> None:
    async with at_noon(ExtendedRules(retention=HOUR)) as simulator:
        assert open_times(await candles(simulator, endTime=NOON - 58 * MINUTE)) == minutes(58, 59)


async def test_rows_are_objects_of_short_strings_and_agree_with_history() -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, endTime=NOON - 1)
        history = simulator.history("BTCUSD", NOON - 1000 * MINUTE, NOON, "extended", "perpetual")
    assert list(rows[0]) == ["o", "l", "h", "c", "v", "T"]
    served = [tuple(float(row[name]) for name in "Tohlcv") for row in reversed(rows)]
    assert served == [tuple(map(float, row[:6])) for row in history]
    assert not any(row[name].endswith((".", "0")) and "." in row[name] for row in rows for name in "olhcv")
    assert {row["v"] for row in rows if len({row[name] for name in "olhc"}) == 1} >= {"0"}


@pytest.mark.parametrize("kind", ["mark-prices", "index-prices"])
async def test_mark_and_index_candles_have_no_volume(kind: str) -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, f"/api/v1/info/candles/BTC-USD/{kind}", limit=2)
    assert list(rows[0]) == ["o", "l", "h", "c", "T"]


@pytest.mark.parametrize(
    ("interval", "opening"),
    [
        ("PT5M", "2025-06-03T12:00Z"),
        ("PT8H", "2025-06-03T08:00Z"),
        ("PT24H", "2025-06-03T00:00Z"),
        ("P1D", "2025-06-03T00:00Z"),
        ("P7D", "2025-06-02T00:00Z"),
        ("P30D", "2025-06-01T00:00Z"),
    ],
)
async def test_longer_candles_open_on_the_utc_calendar(interval: str, opening: str) -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, interval=interval, limit=1)
    assert open_times(rows) == [parse_instant(opening)]


@pytest.mark.parametrize("interval", list(INTERVALS))
async def test_every_documented_interval_is_served(interval: str) -> None:
    async with at_noon() as simulator:
        assert len(await candles(simulator, interval=interval, limit=2)) == 2


@pytest.mark.parametrize(
    ("path", "params", "status", "code"),
    [
        ("/api/v1/info/candles/NOPE-USD/trades", {}, 404, 1001),
        ("/api/v1/info/candles/BTCUSD/trades", {}, 404, 1001),
        ("/api/v1/info/candles/BTC-USDT/trades", {}, 404, 1001),
        ("/api/v1/info/candles/BTC-USD/guesses", {}, 404, 404),
        ("/api/v1/info/nothing", {}, 404, 404),
        (TRADES, {"interval": "1m"}, 400, 1005),
        (TRADES, {"interval": ""}, 422, 422),
        (TRADES, {"limit": ""}, 422, 422),
        (TRADES, {"limit": "0"}, 400, 400),
        (TRADES, {"limit": "many"}, 400, 400),
        (TRADES, {"endTime": "now"}, 400, 400),
    ],
)
async def test_a_wrong_request_is_answered_with_4xx_and_an_error_object(
    path: str, params: dict[str, str], status: int, code: int
) -> None:
    async with at_noon() as simulator:
        reply = await asked(simulator, path, **params)
    assert (reply.status, reply.json["status"], reply.json["error"]["code"]) == (status, "ERROR", code)
    assert reply.json["error"]["message"]


async def test_a_limit_may_be_optional_or_strict() -> None:
    async with at_noon(ExtendedRules(limit_required=False, limit_refused=True)) as simulator:
        without = await candles(simulator, limit="")
        strict = await asked(simulator, limit=10_001)
    assert (len(without), strict.status) == (100, 400)


async def test_a_request_without_a_user_agent_is_refused_unless_switched() -> None:
    async def anonymous(simulator: Simulator) -> int:
        async with (
            aiohttp.ClientSession(skip_auto_headers=["User-Agent"]) as session,
            session.get(simulator.url + MARKETS) as response,
        ):
            return response.status

    async with at_noon() as simulator:
        required = await anonymous(simulator)
        simulator.faults.quirks.extended = ExtendedRules(user_agent_required=False)
        optional = await anonymous(simulator)
    assert (required, optional) == (403, 200)


async def test_more_than_the_limit_in_a_sliding_minute_is_refused() -> None:
    async with at_noon(ExtendedRules(limit=2)) as simulator:
        statuses = [(await ask(simulator, MARKETS)).status]
        simulator.clock.advance(MINUTE // 2)
        statuses += [(await ask(simulator, MARKETS)).status for _ in range(2)]
        refused = await ask(simulator, TRADES)
        simulator.clock.advance(MINUTE // 2)
        statuses += [(await ask(simulator, MARKETS)).status for _ in range(2)]
    assert statuses == [200, 200, 429, 200, 429]
    assert (refused.status, refused.json["status"]) == (429, "ERROR")


@pytest.mark.parametrize("rules", [ExtendedRules(), ExtendedRules(limit=None)])
async def test_without_limits_nothing_is_refused(rules: ExtendedRules) -> None:
    faults = Faults(quirks=Quirks(extended=rules))
    async with Simulator(faults=faults, limits=rules.limit is None) as simulator:
        assert (await ask(simulator, MARKETS)).status == 200


async def test_the_clock_is_told_by_the_date_header_alone() -> None:
    async with at_noon() as simulator:
        reply = await ask(simulator, MARKETS)
    assert reply.headers["date"] == "Tue, 03 Jun 2025 12:00:30 GMT"


async def test_markets_are_listed_and_may_be_chosen() -> None:
    async with at_noon() as simulator:
        every = (await ask(simulator, MARKETS)).json["data"]
        chosen = (await ask(simulator, MARKETS + "?market=SOL-USD&market=BTC-USD")).json["data"]
        unknown = await ask(simulator, MARKETS, {"market": "NOPE-USD"})
    assert [item["name"] for item in every] == ["BTC-USD", "ETH-USD", "SOL-USD"]
    assert [item["name"] for item in chosen] == ["SOL-USD", "BTC-USD"]
    assert (unknown.status, unknown.json["error"]["code"]) == (404, 1001)
    bitcoin = every[0]
    assert (bitcoin["status"], bitcoin["active"], bitcoin["type"]) == ("ACTIVE", True, "PERPETUAL")
    assert (bitcoin["assetName"], bitcoin["collateralAssetName"]) == ("BTC", "USD")
    assert bitcoin["tradingConfig"]["minPriceChange"] == "0.01"


async def test_statistics_are_those_of_the_last_day() -> None:
    async with at_noon() as simulator:
        stats = (await ask(simulator, MARKETS + "/BTC-USD/stats")).json["data"]
        rows = await candles(simulator, limit=1440)
    assert stats["lastPrice"] == rows[0]["c"]
    assert float(stats["dailyHigh"]) == max(float(row["h"]) for row in rows)
    assert stats["nextFundingRate"] == NOON + HOUR


async def test_a_delisted_market_is_listed_as_such() -> None:
    markets = [market.until(NOON - DAY) for market in default_markets()]
    async with Simulator(markets, SimulatorClock(NOON, frozen=True)) as simulator:
        market = (await ask(simulator, MARKETS)).json["data"][0]
        rows = await candles(simulator, limit=1)
    assert (market["active"], market["status"]) == (False, "DELISTED")
    assert open_times(rows) == [NOON - DAY - MINUTE]


async def test_page_cap_outages_and_failing_windows_work_here_too() -> None:
    outage = (NOON - 30 * MINUTE, NOON - 10 * MINUTE)
    failing = (NOON - 5 * HOUR, NOON - 4 * HOUR)
    async with at_noon(page_cap=40, outages=[outage], failing=[failing]) as simulator:
        rows = await candles(simulator, endTime=NOON - 1)
        failed = await asked(simulator, endTime=NOON - 4 * HOUR)
    assert open_times(rows) == minutes(*range(1, 11), *range(31, 61))
    assert (failed.status, failed.json["status"]) == (500, "ERROR")


@pytest.mark.parametrize(
    ("forced", "status", "code"),
    [(429, 429, 429), (403, 403, 403), (500, 500, 1006), (1001, 404, 1001), (1010, 500, 1010)],
)
async def test_a_forced_status_or_code_comes_in_the_envelope(forced: int, status: int, code: int) -> None:
    async with at_noon(forced=Forced(forced)) as simulator:
        reply = await asked(simulator)
    assert (reply.status, reply.json["status"], reply.json["error"]["code"]) == (status, "ERROR", code)


async def test_other_statuses_are_a_proxys_page() -> None:
    async with at_noon(forced=Forced(502)) as simulator:
        reply = await asked(simulator)
    assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (502, "text/html")


async def test_only_get_is_answered() -> None:
    async with at_noon() as simulator:
        assert (await post(simulator, MARKETS, {})).status == 404
