"""`GET /api/v3/klines` of the simulator: which rows, in which order, in which form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.simulator import Simulator, SimulatorClock, default_markets
from tests.simulator.asking import ask, klines
from tests.simulator.intervals import GRIDS
from tests.simulator.rows import so_far
from tests.simulator.times import DAY, HOUR, MINUTE, parse_instant

NOON = parse_instant("2025-06-03T12:00Z")
LISTED = parse_instant("2017-08-17T04:00Z")
FORMING = NOON
"""With the clock at NOON + 30 s this minute is half done."""


def at_noon() -> Simulator:
    return Simulator(clock=SimulatorClock(NOON + 30_000, frozen=True))


def open_times(rows: list[Any]) -> list[int]:
    return [row[0] for row in rows]


async def test_both_bounds_are_inclusive_on_open_time() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, startTime=NOON - 5 * MINUTE, endTime=NOON - 2 * MINUTE)
    assert open_times(rows) == [NOON - n * MINUTE for n in (5, 4, 3, 2)]


async def test_equal_bounds_on_the_grid_give_one_row() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, startTime=NOON - HOUR, endTime=NOON - HOUR)
    assert open_times(rows) == [NOON - HOUR]


async def test_bounds_off_the_grid_keep_the_rows_that_open_between_them() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, startTime=NOON - 3 * MINUTE + 1, endTime=NOON - MINUTE - 1)
    assert open_times(rows) == [NOON - 2 * MINUTE]


async def test_without_bounds_come_the_newest_500_rows_up_to_now() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator)
    assert open_times(rows) == [FORMING - n * MINUTE for n in reversed(range(500))]


async def test_with_a_start_only_come_the_oldest_rows_from_it() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, startTime=NOON - 30 * DAY, limit=3)
    assert open_times(rows) == [NOON - 30 * DAY + n * MINUTE for n in range(3)]


async def test_with_an_end_only_come_the_newest_rows_up_to_it() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, endTime=NOON - DAY, limit=3)
    assert open_times(rows) == [NOON - DAY - n * MINUTE for n in (2, 1, 0)]


async def test_with_both_bounds_the_oldest_rows_are_kept() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, startTime=NOON - DAY, endTime=NOON, limit=2)
    assert open_times(rows) == [NOON - DAY, NOON - DAY + MINUTE]


async def test_a_start_after_the_end_gives_an_empty_list() -> None:
    async with at_noon() as simulator:
        assert await klines(simulator, startTime=NOON, endTime=NOON - MINUTE) == []


async def test_a_limit_above_1000_is_cut_silently() -> None:
    async with at_noon() as simulator:
        assert len(await klines(simulator, startTime=LISTED, limit=1001)) == 1000


async def test_pages_across_blocks_have_no_seam() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, startTime=NOON - 2500 * MINUTE, limit=1000)
        rows += await klines(simulator, startTime=NOON - 1500 * MINUTE, limit=1000)
    assert open_times(rows) == [NOON - n * MINUTE for n in range(2500, 500, -1)]


async def test_times_may_be_sent_in_microseconds() -> None:
    async with at_noon() as simulator:
        micro = await klines(
            simulator, startTime=(NOON - HOUR) * 1000, endTime=(NOON - HOUR) * 1000 + MINUTE * 1000
        )
    assert open_times(micro) == [NOON - HOUR, NOON - HOUR + MINUTE]


async def test_a_microsecond_after_a_minute_has_begun_is_after_its_open_time() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, startTime=(NOON - HOUR) * 1000 + 1, limit=1)
    assert open_times(rows) == [NOON - HOUR + MINUTE]


@pytest.mark.parametrize("unit", ["MICROSECOND", "microsecond"])
async def test_the_time_unit_header_turns_all_times_into_microseconds(unit: str) -> None:
    async with at_noon() as simulator:
        params = {"symbol": "BTCUSDT", "interval": "1m", "startTime": NOON - HOUR, "limit": 1}
        reply = await ask(simulator, "/api/v3/klines", params, {"X-MBX-TIME-UNIT": unit})
        time = await ask(simulator, "/api/v3/time", headers={"X-MBX-TIME-UNIT": unit})
    row = reply.json[0]
    assert (row[0], row[6]) == ((NOON - HOUR) * 1000, (NOON - HOUR + MINUTE) * 1000 - 1)
    assert time.json == {"serverTime": (NOON + 30_000) * 1000}


async def test_the_minute_that_is_not_over_comes_last_with_its_planned_end() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, limit=2)
    assert rows[-1][0] == FORMING
    assert rows[-1][6] == FORMING + MINUTE - 1


async def test_the_minute_that_is_not_over_is_left_out_by_an_end_before_it() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, endTime=FORMING - 1, limit=1)
    assert open_times(rows) == [FORMING - MINUTE]


async def test_the_minute_that_is_not_over_counts_for_the_limit() -> None:
    async with at_noon() as simulator:
        assert open_times(await klines(simulator, startTime=FORMING - MINUTE, limit=1)) == [FORMING - MINUTE]
        assert open_times(await klines(simulator, limit=1)) == [FORMING]


async def test_the_minute_that_is_not_over_grows_into_the_final_one() -> None:
    simulator = at_noon()
    async with simulator:
        seen = []
        for elapsed in (0, 15_000, 30_000, 59_999, 60_000):
            simulator.clock.set(FORMING + elapsed)
            seen.append((await klines(simulator, startTime=FORMING, limit=1))[0])
        (final,) = simulator.history("BTCUSDT", FORMING, FORMING + MINUTE)
    assert float(seen[0][5]) == 0
    assert [float(row[5]) for row in seen] == sorted(float(row[5]) for row in seen)
    assert [float(row[2]) for row in seen] == sorted(float(row[2]) for row in seen)
    assert float(seen[2][5]) < float(seen[-1][5])
    assert [float(value) for value in seen[-1][1:6]] == list(final[1:6])


async def test_nothing_is_served_from_the_future() -> None:
    async with at_noon() as simulator:
        assert await klines(simulator, startTime=FORMING + MINUTE) == []


@pytest.mark.parametrize(
    ("symbol", "first"),
    [
        ("BTCUSDT", "2017-08-17T04:00Z"),
        ("ETHUSDT", "2017-08-17T04:00Z"),
        ("BNBUSDT", "2017-11-06T03:00Z"),
        ("XRPUSDT", "2018-05-04T08:00Z"),
        ("SOLUSDT", "2020-08-11T06:00Z"),
    ],
)
async def test_asking_from_zero_finds_the_first_minute(symbol: str, first: str) -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, symbol, startTime=0, limit=1)
    assert open_times(rows) == [parse_instant(first)]


async def test_a_window_before_the_listing_is_empty() -> None:
    async with at_noon() as simulator:
        assert await klines(simulator, startTime=0, endTime=LISTED - 1) == []


async def test_a_window_across_the_listing_starts_at_the_first_candle() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, startTime=LISTED - HOUR, endTime=LISTED + MINUTE)
    assert open_times(rows) == [LISTED, LISTED + MINUTE]


async def test_a_delisted_market_ends_where_it_was_delisted() -> None:
    market = default_markets()[0].until(NOON - DAY)
    async with Simulator(markets=[market], clock=SimulatorClock(NOON, frozen=True)) as simulator:
        rows = await klines(simulator, limit=2)
        info = (await ask(simulator, "/api/v3/exchangeInfo")).json
    assert open_times(rows) == [NOON - DAY - 2 * MINUTE, NOON - DAY - MINUTE]
    assert info["symbols"][0]["status"] == "BREAK"


@pytest.mark.parametrize("interval", list(GRIDS))
async def test_a_longer_candle_is_the_sum_of_its_minutes(interval: str) -> None:
    async with at_noon() as simulator:
        end = parse_instant("2025-05-01T00:00Z")
        row = (await klines(simulator, "XRPUSDT", interval, endTime=end, limit=1))[0]
        minutes = simulator.history("XRPUSDT", row[0], row[6] + 1)
    assert row[0] == minutes[0][0]
    assert row[6] == minutes[-1][0] + MINUTE - 1
    assert float(row[1]) == minutes[0][1]
    assert float(row[2]) == max(minute[2] for minute in minutes)
    assert float(row[3]) == min(minute[3] for minute in minutes)
    assert float(row[4]) == minutes[-1][4]
    assert float(row[5]) == pytest.approx(sum(minute[5] for minute in minutes))
    assert float(row[7]) == pytest.approx(sum(minute[6] for minute in minutes))
    assert row[8] == sum(minute[7] for minute in minutes)


@pytest.mark.parametrize(
    ("interval", "opening"),
    [
        ("5m", "2025-06-03T12:00Z"),
        ("8h", "2025-06-03T08:00Z"),
        ("1d", "2025-06-03T00:00Z"),
        ("1w", "2025-06-02T00:00Z"),
        ("1M", "2025-06-01T00:00Z"),
    ],
)
async def test_the_longer_candle_that_is_not_over_holds_its_minutes_so_far(
    interval: str, opening: str
) -> None:
    async with at_noon() as simulator:
        row = (await klines(simulator, interval=interval, limit=1))[0]
        forming = (await klines(simulator, limit=1))[0]
        closed = simulator.history("BTCUSDT", row[0], NOON)
    assert row[0] == parse_instant(opening)
    assert row[4] == forming[4]
    assert float(row[5]) == pytest.approx(sum(minute[5] for minute in closed) + float(forming[5]))


async def test_longer_candles_follow_each_other_across_chunks() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, interval="1d", startTime=NOON - 40 * DAY, limit=1000)
    assert open_times(rows) == [NOON - NOON % DAY - n * DAY for n in reversed(range(40))]


async def test_the_candle_of_the_listing_day_opens_before_the_first_minute() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, interval="1d", startTime=0, limit=1)
    assert open_times(rows) == [LISTED - LISTED % DAY]


@pytest.mark.parametrize(("zone", "hours"), [("8", 8), ("-1:00", -1), ("05:45", 5.75), ("0", 0)])
async def test_a_time_zone_shifts_the_boundaries_only(zone: str, hours: float) -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, interval="1d", startTime=NOON - 5 * DAY, limit=2, timeZone=zone)
    assert [(row[0] + hours * HOUR) % DAY for row in rows] == [0, 0]
    assert rows[0][0] >= NOON - 5 * DAY


async def test_rows_have_twelve_slots_of_the_documented_types() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, limit=5)
    kinds = [int, str, str, str, str, str, int, str, int, str, str, str]
    assert all([type(slot) for slot in row] == kinds for row in rows)
    assert all(row[11] == "0" for row in rows)


async def test_history_and_answers_agree() -> None:
    async with at_noon() as simulator:
        rows = await klines(simulator, startTime=NOON - 1000 * MINUTE, endTime=NOON - 1, limit=1000)
        history = simulator.history("BTCUSDT", NOON - 1000 * MINUTE, NOON + DAY)
    served = [(r[0], *map(float, r[1:6]), float(r[7]), r[8], float(r[9]), float(r[10])) for r in rows]
    assert served == history


async def test_history_is_half_open_and_closed_by_the_clock() -> None:
    async with at_noon() as simulator:
        closed = simulator.history("BTCUSDT", NOON - 2 * MINUTE, NOON - MINUTE)
        latest = simulator.history("BTCUSDT", NOON - 2 * MINUTE, NOON + HOUR)
    assert [row[0] for row in closed] == [NOON - 2 * MINUTE]
    assert [row[0] for row in latest] == [NOON - 2 * MINUTE, NOON - MINUTE]


@given(
    minute=st.integers(0, 4_000_000),
    elapsed=st.integers(0, MINUTE),
    market=st.sampled_from(default_markets()),
)
def test_a_part_of_a_candle_is_plausible(minute: int, elapsed: int, market: Any) -> None:
    open_time = NOON - minute * MINUTE
    block = market.minutes.block(open_time // (1000 * MINUTE))
    whole = block[open_time // MINUTE % 1000]
    part = so_far(whole, elapsed)
    low, high, volume = float(part.low), float(part.high), float(part.volume)
    assert low <= float(part.open) <= high
    assert low <= float(part.close) <= high
    assert float(whole.low) <= low <= high <= float(whole.high)
    assert volume <= float(whole.volume)
    assert volume * low - 1e-6 <= float(part.quote_volume) <= volume * high + 1e-6
    assert float(part.taker_buy_volume) <= volume
    assert float(part.taker_buy_quote_volume) <= float(part.quote_volume)
    assert (part.trades == 0) == (volume == 0)
    assert so_far(whole, MINUTE) == whole


async def test_the_body_is_a_bare_array() -> None:
    async with at_noon() as simulator:
        reply = await ask(simulator, "/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1m"})
    assert reply.text.startswith("[[")
    assert reply.headers["content-type"].startswith("application/json")
    assert json.loads(reply.text)
