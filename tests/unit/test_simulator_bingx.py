"""BingX in the simulator: which candles come, in which order and form."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.simulator import BingxRules, default_markets
from tests.simulator.asking_bingx import (
    FORMING,
    MARK,
    NOON,
    SPOT,
    SPOT_PATHS,
    SWAP,
    SWAP_PATHS,
    asked,
    at_noon,
    candles,
    minutes,
    open_times,
)
from tests.simulator.sparse import sparse_markets
from tests.simulator.times import DAY, HOUR, MINUTE

BOTH = pytest.mark.parametrize("path", [SPOT, SWAP])


@pytest.mark.parametrize("path", SPOT_PATHS)
async def test_spot_bounds_are_exclusive(path: str) -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, path, startTime=NOON - 5 * MINUTE, endTime=NOON - 2 * MINUTE)
        earlier = await candles(simulator, path, startTime=NOON - 5 * MINUTE - 1, endTime=NOON - 2 * MINUTE)
    assert open_times(rows) == minutes(3, 4)
    assert open_times(earlier) == minutes(3, 4, 5)


@pytest.mark.parametrize("path", [*SWAP_PATHS, MARK])
async def test_a_swap_start_is_inclusive_and_its_end_exclusive(path: str) -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, path, startTime=NOON - 5 * MINUTE, endTime=NOON - 2 * MINUTE)
    assert open_times(rows) == minutes(3, 4, 5)


async def test_the_bounds_may_be_switched() -> None:
    rules = BingxRules(
        spot_start_included=True,
        spot_end_included=True,
        swap_start_included=False,
        swap_end_included=True,
    )
    window = {"startTime": NOON - 5 * MINUTE, "endTime": NOON - 3 * MINUTE}
    async with at_noon(rules) as simulator:
        spot = await candles(simulator, SPOT, **window)
        swap = await candles(simulator, SWAP, **window)
    assert open_times(spot) == minutes(3, 4, 5)
    assert open_times(swap) == minutes(3, 4)


@BOTH
async def test_without_bounds_come_the_newest_500_rows_newest_first(path: str) -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, path)
    assert open_times(rows) == minutes(*range(500))


@BOTH
async def test_a_window_of_more_rows_than_the_limit_keeps_the_newest(path: str) -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, path, startTime=NOON - DAY, endTime=NOON - HOUR, limit=2)
    assert open_times(rows) == minutes(61, 62)


@BOTH
async def test_a_start_without_an_end_keeps_the_newest_or_if_switched_the_oldest(path: str) -> None:
    async with at_noon() as simulator:
        newest = await candles(simulator, path, startTime=NOON - DAY - 1, limit=2)
        simulator.faults.quirks.bingx = BingxRules(forward=True)
        oldest = await candles(simulator, path, startTime=NOON - DAY - 1, limit=2)
    assert open_times(newest) == minutes(0, 1)
    assert open_times(oldest) == [NOON - DAY + MINUTE, NOON - DAY]


@BOTH
async def test_an_end_without_a_start_gives_the_newest_before_it(path: str) -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, path, endTime=NOON - HOUR, limit=2)
    assert open_times(rows) == minutes(61, 62)


@pytest.mark.parametrize(
    ("path", "maximum"), [(SPOT, 1440), ("/openApi/market/his/v1/kline", 500), (SWAP, 1440)]
)
async def test_a_limit_above_the_maximum_is_cut_silently(path: str, maximum: int) -> None:
    async with at_noon() as simulator:
        assert len(await candles(simulator, path, limit=maximum + 1)) == maximum


async def test_a_swap_limit_above_the_maximum_may_be_refused_instead() -> None:
    async with at_noon(BingxRules(swap_limit_refused=True)) as simulator:
        reply = await asked(simulator, SWAP, limit=1441)
        assert len(await candles(simulator, SWAP, limit=1440)) == 1440
    assert (reply.status, reply.json["code"], reply.json["data"]) == (200, 109400, {})


@BOTH
async def test_the_minute_that_is_not_over_comes_first(path: str) -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, path, limit=2)
        closed = await candles(simulator, path, limit=1, endTime=FORMING)
    assert open_times(rows) == [FORMING, FORMING - MINUTE]
    assert open_times(closed) == [FORMING - MINUTE]


@BOTH
async def test_a_window_without_candles_is_an_empty_list(path: str) -> None:
    async with at_noon() as simulator:
        future = await candles(simulator, path, startTime=NOON + HOUR, endTime=NOON + DAY)
        inverted = await candles(simulator, path, startTime=NOON, endTime=NOON - HOUR)
        seconds = await candles(simulator, path, endTime=NOON // 1000)
    assert (future, inverted, seconds) == ([], [], [])


async def test_empty_and_inverted_windows_may_be_refused_instead() -> None:
    async with at_noon(BingxRules(spot_empty_refused=True, inverted_refused=True)) as simulator:
        empty = await asked(simulator, SPOT, startTime=NOON + HOUR)
        spot = await asked(simulator, SPOT, startTime=NOON, endTime=NOON - HOUR)
        swap = await asked(simulator, SWAP, startTime=NOON, endTime=NOON - HOUR)
    assert empty.json == {"code": 100204, "msg": "", "timestamp": NOON + 30_000}
    assert (spot.json["code"], swap.json["code"]) == (100400, 109400)


async def test_spot_minutes_reach_back_seven_days_unless_switched() -> None:
    window = {"startTime": NOON - 8 * DAY, "endTime": NOON - 7 * DAY + 2 * MINUTE}
    async with at_noon() as simulator:
        recent = await candles(simulator, SPOT, **window)
        hours = await candles(simulator, SPOT, **window, interval="1h")
        simulator.faults.quirks.bingx = BingxRules(spot_retention={})
        everything = await candles(simulator, SPOT, **window, limit=1440)
    assert open_times(recent) == [NOON - 7 * DAY + MINUTE]
    assert (len(hours), len(everything)) == (24, 1440)


async def test_swap_minutes_reach_back_to_the_listing_unless_switched() -> None:
    window = {"startTime": NOON - 700 * DAY, "endTime": NOON - 700 * DAY + 2 * MINUTE}
    async with at_noon() as simulator:
        everything = await candles(simulator, SWAP, **window)
        simulator.faults.quirks.bingx = BingxRules(swap_retention={"1m": 516 * DAY})
        kept = await candles(simulator, SWAP, **window)
    assert (len(everything), kept) == (2, [])


async def test_a_spot_window_wider_than_380_days_is_refused() -> None:
    async with at_noon(markets=sparse_markets()) as simulator:
        wide = await asked(simulator, SPOT, startTime=0, interval="1d")
        day = await candles(simulator, SPOT, startTime=NOON - 380 * DAY, endTime=NOON, interval="1d")
    assert (wide.json["code"], wide.json["msg"]) == (100204, "date of query is too wide.")
    assert len(day) == 380


@BOTH
async def test_a_window_across_the_listing_starts_at_the_first_candle(path: str) -> None:
    kind = "spot" if path == SPOT else "perpetual"
    listed = next(m.listed for m in default_markets() if m.symbol == "BTCUSDT" and m.kind == kind)
    async with at_noon(BingxRules(spot_retention={})) as simulator:
        rows = await candles(simulator, path, startTime=listed - HOUR, endTime=listed + 2 * MINUTE)
    assert open_times(rows) == [listed + MINUTE, listed]


@pytest.mark.parametrize(
    ("path", "params", "hour"),
    [
        (SPOT, {}, 16),
        (SPOT, {"timeZone": 0}, 0),
        (SPOT, {"timeZone": -5}, 5),
        (SWAP, {}, 0),
        (SWAP, {"timeZone": 8}, 16),
    ],
)
async def test_spot_days_open_at_midnight_of_utc_plus_8_and_swap_days_of_utc(
    path: str, params: dict[str, int], hour: int
) -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, path, interval="1d", limit=3, **params)
    assert [open_time % DAY // HOUR for open_time in open_times(rows)] == [hour] * 3


@pytest.mark.parametrize("interval", ["1m", "1h", "4h", "8h"])
async def test_spot_intervals_that_divide_eight_hours_are_the_same_everywhere(interval: str) -> None:
    async with at_noon() as simulator:
        default = await candles(simulator, SPOT, interval=interval, limit=3)
        utc = await candles(simulator, SPOT, interval=interval, limit=3, timeZone=0)
    assert default == utc


@pytest.mark.parametrize("path", SPOT_PATHS)
async def test_spot_rows_are_eight_bare_numbers(path: str) -> None:
    async with at_noon() as simulator:
        reply = await asked(simulator, path, limit=50)
        history = simulator.history("BTCUSDT", NOON - HOUR, NOON, venue="bingx")
    assert list(reply.json) == ["code", "timestamp", "data"]
    assert reply.json["timestamp"] == NOON + 30_000
    assert all(type(slot) in (int, float) for row in reply.json["data"] for slot in row)
    served = [tuple(map(float, row)) for row in reply.json["data"][::-1]][:-1]
    assert [(*row[:6], row[7]) for row in served] == [tuple(map(float, row[:7])) for row in history[-49:]]
    assert all(row[6] == row[0] + MINUTE - 1 for row in served)


@pytest.mark.parametrize("path", SWAP_PATHS)
async def test_swap_rows_are_objects_of_strings_without_a_close_time(path: str) -> None:
    async with at_noon() as simulator:
        reply = await asked(simulator, path, limit=50)
        history = simulator.history("BTCUSDT", NOON - HOUR, NOON, venue="bingx", market="perpetual")
    assert list(reply.json) == ["code", "msg", "data"]
    rows = reply.json["data"][::-1][:-1]
    assert list(rows[0]) == ["open", "close", "high", "low", "volume", "time"]
    assert {type(row["time"]) for row in rows} == {int}
    assert {Decimal(row["close"]).as_tuple().exponent for row in rows} == {-2}
    served = [
        tuple(float(row[name]) for name in ("time", "open", "high", "low", "close", "volume")) for row in rows
    ]
    assert served == [tuple(map(float, row[:6])) for row in history[-49:]]


async def test_mark_price_rows_have_no_volume_and_name_the_open_time_twice() -> None:
    async with at_noon() as simulator:
        row = (await candles(simulator, MARK, limit=1))[0]
    assert list(row) == ["open", "close", "high", "low", "volume", "openTime", "closeTime"]
    assert (row["volume"], row["openTime"], row["closeTime"]) == ("0.00", FORMING, FORMING)


async def test_spot_swap_and_other_exchanges_have_candles_of_their_own() -> None:
    async with at_noon() as simulator:
        kinds = [("bingx", "spot"), ("bingx", "perpetual"), ("binance", "spot"), ("binance", "perpetual")]
        found = [simulator.history("BTCUSDT", NOON - HOUR, NOON, venue, kind)[0] for venue, kind in kinds]
    assert len(set(found)) == 4
