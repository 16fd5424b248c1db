"""Binance USD-M perpetuals of the simulator: klines, listing, weights and refusals."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.simulator import Faults, Forced, Quirks, Simulator, SimulatorClock
from tests.simulator.asking import Reply, ask
from tests.simulator.binance_perpetual import NO_DELIVERY
from tests.simulator.times import DAY, HOUR, MINUTE, parse_instant

NOON = parse_instant("2025-06-03T12:00Z")
LISTED = parse_instant("2019-09-08T17:57Z")
KLINES = "/fapi/v1/klines"
RECORDED = os.environ.get("RECORDED_PAYLOADS")


def simulator_at(now: int = NOON, faults: Faults | None = None) -> Simulator:
    return Simulator(clock=SimulatorClock(now, frozen=True), faults=faults)


async def asked(simulator: Simulator, **params: str | int) -> Reply:
    return await ask(simulator, KLINES, {"symbol": "BTCUSDT", "interval": "1m", **params})


async def klines(simulator: Simulator, **params: str | int) -> list[Any]:
    reply = await asked(simulator, **params)
    assert reply.status == 200, reply.text
    rows: list[Any] = reply.json
    return rows


def test_perpetuals_have_candles_of_their_own() -> None:
    simulator = simulator_at()
    spot = simulator.history("BTCUSDT", NOON - HOUR, NOON)
    perpetual = simulator.history("BTCUSDT", NOON - HOUR, NOON, market="perpetual")
    assert [row[0] for row in spot] == [row[0] for row in perpetual]
    assert all(mine[1:5] != other[1:5] for mine, other in zip(spot, perpetual, strict=True))


async def test_a_row_has_twelve_slots_with_the_markets_decimals() -> None:
    async with simulator_at() as simulator:
        (row,) = await klines(simulator, startTime=NOON - HOUR, limit=1)
    assert [type(slot) for slot in row] == [int, *[str] * 5, int, str, int, str, str, str]
    assert (row[0], row[6], row[11]) == (NOON - HOUR, NOON - HOUR + MINUTE - 1, "0")
    assert [len(text.partition(".")[2]) for text in (*row[1:6], row[7], row[9], row[10])] == [
        *(2, 2, 2, 2, 3),
        *(5, 3, 5),
    ]


async def test_rows_are_what_history_says() -> None:
    start = NOON - 1500 * MINUTE
    async with simulator_at() as simulator:
        rows = await klines(simulator, startTime=start, limit=1500)
        history = simulator.history("BTCUSDT", start, NOON, market="perpetual")
    assert len(rows) == 1500
    assert [(row[0], *map(float, (*row[1:6], row[7])), row[8], *map(float, row[9:11])) for row in rows] == (
        history
    )


async def test_both_bounds_are_inclusive_and_the_oldest_rows_are_kept() -> None:
    async with simulator_at() as simulator:
        both = await klines(simulator, startTime=NOON - 2 * HOUR, endTime=NOON - HOUR)
        same = await klines(simulator, startTime=NOON - HOUR, endTime=NOON - HOUR)
        cut = await klines(simulator, startTime=NOON - 2 * HOUR, endTime=NOON - HOUR, limit=3)
    assert [row[0] for row in both] == [*range(NOON - 2 * HOUR, NOON - HOUR + 1, MINUTE)]
    assert [row[0] for row in same] == [NOON - HOUR]
    assert cut == both[:3]


async def test_without_a_start_the_newest_rows_come_and_the_forming_one_is_last() -> None:
    async with simulator_at(NOON + 30_000) as simulator:
        newest = await klines(simulator)
        until = await klines(simulator, endTime=NOON - 1, limit=2)
    assert len(newest) == 500
    assert newest[-1][0] == NOON
    assert [row[0] for row in until] == [NOON - 2 * MINUTE, NOON - MINUTE]


async def test_nothing_exists_before_the_first_minute() -> None:
    async with simulator_at() as simulator:
        before = await klines(simulator, startTime=0, endTime=LISTED - 1)
        straddling = await klines(simulator, startTime=0, limit=2)
        day = await klines(simulator, interval="1d", startTime=0, limit=1)
    assert before == []
    assert [row[0] for row in straddling] == [LISTED, LISTED + MINUTE]
    assert day[0][0] == LISTED - LISTED % DAY


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"symbol": ""}, -1105, "Parameter 'symbol' was empty."),
        ({"symbol": "NOSUCHPAIR"}, -1121, "Invalid symbol."),
        ({"interval": "1s"}, -1120, "Invalid interval."),
        ({"limit": 1501}, -1130, "Data sent for parameter 'limit' is not valid."),
        ({"limit": 0}, -1130, "Data sent for parameter 'limit' is not valid."),
        ({"startTime": NOON, "endTime": NOON - 1}, -1023, "Start time is greater than end time."),
    ],
)
async def test_a_wrong_parameter_is_answered_with_its_code(
    params: dict[str, str | int], code: int, message: str
) -> None:
    async with simulator_at() as simulator:
        reply = await asked(simulator, **params)
    assert (reply.status, reply.json) == (400, {"code": code, "msg": message})


async def test_a_missing_parameter_is_named() -> None:
    async with simulator_at() as simulator:
        reply = await ask(simulator, KLINES, {"interval": "1m"})
    assert (reply.status, reply.json["code"]) == (400, -1102)
    assert "'symbol'" in reply.json["msg"]


async def test_unknown_parameters_are_ignored_unless_the_quirk_refuses_them() -> None:
    async with simulator_at() as simulator:
        ignored = await asked(simulator, timeZone=8)
        simulator.faults.quirks = Quirks(binance_perpetual_unread=True)
        refused = await asked(simulator, timeZone=8)
    assert (ignored.status, refused.status, refused.json["code"]) == (200, 400, -1104)


@pytest.mark.parametrize(
    ("limit", "weight"), [(1, 1), (99, 1), (100, 2), (499, 2), (500, 5), (1000, 5), (1001, 10), (1500, 10)]
)
async def test_the_weight_of_klines_grows_with_the_page(limit: int, weight: int) -> None:
    async with simulator_at() as simulator:
        reply = await asked(simulator, limit=limit)
    assert reply.headers["x-mbx-used-weight-1m"] == str(weight)


async def test_the_default_page_weighs_five_and_other_paths_one() -> None:
    async with simulator_at() as simulator:
        await asked(simulator)
        for path in ("ping", "time", "exchangeInfo"):
            await ask(simulator, f"/fapi/v1/{path}")
        weights = [record.weight for record in simulator.requests]
    assert weights == [5, 1, 1, 1]


async def test_weight_over_2400_a_minute_is_refused_while_spot_goes_on() -> None:
    async with simulator_at(NOON + 15_000) as simulator:
        passed = {(await asked(simulator, limit=1500)).status for _ in range(240)}
        refused = await asked(simulator, limit=1)
        spot = await ask(simulator, "/api/v3/ping")
        simulator.clock.set(NOON + MINUTE)
        later = await asked(simulator, limit=1)
    assert (passed, refused.status, spot.status, later.status) == ({200}, 429, 200, 200)
    assert refused.headers["retry-after"] == "45"
    assert refused.json["code"] == -1003
    assert refused.json["msg"].startswith("Too many requests; current limit is 2400 requests per minute.")


async def test_who_goes_on_is_banned() -> None:
    async with simulator_at(faults=Faults(forced=Forced(418, retry_after=120))) as simulator:
        banned = await ask(simulator, "/fapi/v1/ping")
    assert (banned.status, banned.headers["retry-after"], banned.json["code"]) == (418, "120", -1003)
    assert banned.json["msg"].startswith(
        f"Way too many requests; IP(127.0.0.1) banned until {NOON + 120_000}."
    )


async def test_no_limit_refuses_where_limits_are_off() -> None:
    async with Simulator(clock=SimulatorClock(NOON, frozen=True), limits=False) as simulator:
        statuses = {(await asked(simulator, limit=1500)).status for _ in range(250)}
    assert statuses == {200}


async def test_the_listing_tells_when_a_contract_came_on_board() -> None:
    async with simulator_at() as simulator:
        info = (await ask(simulator, "/fapi/v1/exchangeInfo")).json
    symbol = info["symbols"][0]
    assert info["serverTime"] == NOON
    assert info["rateLimits"][0] == {
        "rateLimitType": "REQUEST_WEIGHT",
        "interval": "MINUTE",
        "intervalNum": 1,
        "limit": 2400,
    }
    assert (symbol["symbol"], symbol["pair"], symbol["contractType"]) == ("BTCUSDT", "BTCUSDT", "PERPETUAL")
    assert (symbol["onboardDate"], symbol["deliveryDate"]) == (LISTED, NO_DELIVERY)
    assert (symbol["status"], symbol["marginAsset"]) == ("TRADING", "USDT")
    assert (symbol["pricePrecision"], symbol["quantityPrecision"]) == (2, 3)


async def test_a_contract_is_not_listed_before_its_first_minute() -> None:
    async with simulator_at(LISTED - 1) as simulator:
        info = (await ask(simulator, "/fapi/v1/exchangeInfo")).json
        reply = await asked(simulator)
    assert info["symbols"] == []
    assert (reply.status, reply.json["code"]) == (400, -1121)


async def test_time_and_ping_answer() -> None:
    async with simulator_at() as simulator:
        assert (await ask(simulator, "/fapi/v1/time")).json == {"serverTime": NOON}
        assert (await ask(simulator, "/fapi/v1/ping")).json == {}
        assert (await ask(simulator, "/fapi/v1/trades")).status == 404


async def test_faults_reach_perpetuals_too() -> None:
    faults = Faults(page_cap=7, outages=[(NOON - 5 * MINUTE, NOON - 2 * MINUTE)])
    async with simulator_at(faults=faults) as simulator:
        rows = await klines(simulator, endTime=NOON - 1)
        history = simulator.history("BTCUSDT", NOON - 10 * MINUTE, NOON, market="perpetual")
        faults.failing = [(NOON - HOUR, NOON)]
        failed = await asked(simulator)
    assert [row[0] for row in rows] == [row[0] for row in history]
    assert len(rows) == 7
    assert (failed.status, failed.json["code"]) == (500, -1000)


@pytest.mark.skipif(not RECORDED, reason="RECORDED_PAYLOADS names no folder of recorded answers")
async def test_rows_have_the_recorded_shape() -> None:
    path = Path(RECORDED or "") / "recorded" / "binance" / "usdm_klines_1h_2024_4rows.json"
    real = json.loads(path.read_text())["response"]
    async with simulator_at() as simulator:
        ours = await klines(simulator, interval="1h", limit=4)

    def shape(row: list[Any]) -> list[tuple[type, int]]:
        return [(type(slot), len(str(slot).partition(".")[2])) for slot in row]

    assert {tuple(shape(row)) for row in real} == {tuple(shape(row)) for row in ours}
    assert {row[6] - row[0] for row in real} == {row[6] - row[0] for row in ours}


@pytest.mark.skipif(not RECORDED, reason="RECORDED_PAYLOADS names no folder of recorded answers")
async def test_days_before_the_listing_are_left_out_as_recorded() -> None:
    path = Path(RECORDED or "") / "recorded" / "binance" / "usdm_klines_1d_before_listing.json"
    answer = json.loads(path.read_text())
    async with simulator_at() as simulator:
        reply = await ask(simulator, answer["url"].removeprefix("https://fapi.binance.com"))
    assert [row[0] for row in reply.json] == [row[0] for row in answer["response"]]
