"""What the simulated Bitget refuses and lists, how it limits requests, and faults on it."""

from __future__ import annotations

import pytest

from tests.simulator import Forced, Simulator, SimulatorClock, default_markets
from tests.simulator.asking import ask
from tests.simulator.asking_bitget import (
    ASKED,
    KINDS,
    MIX,
    NOON,
    NOW,
    SPOT,
    asked,
    opened,
    rows,
    simulator_at,
)
from tests.simulator.times import DAY, HOUR, MINUTE

FAMILIES = pytest.mark.parametrize("family", [SPOT, MIX])


@FAMILIES
@pytest.mark.parametrize(
    ("name", "params", "code", "message"),
    [
        ("candles", {"symbol": "NOPEUSDT"}, "40034", "Parameter NOPEUSDT does not exist"),
        ("candles", {"symbol": "BTCUSDT_UMCBL"}, "40034", "Parameter BTCUSDT_UMCBL does not exist"),
        ("candles", {"symbol": ""}, "40019", "Parameter symbol cannot be empty"),
        ("candles", {"granularity": "7m"}, "400171", "Parameter verification failed k-line time range"),
        ("candles", {"granularity": "8h"}, "400171", "Parameter verification failed k-line time range"),
        (
            "candles",
            {"limit": 1001},
            "40053",
            "Value range verification failed: limit should be between (0, 1000]",
        ),
        (
            "history-candles",
            {"limit": 201},
            "40053",
            "Value range verification failed: limit should be between (0, 200]",
        ),
        ("candles", {"limit": 0}, "40053", "Value range verification failed"),
        ("candles", {"limit": "ten"}, "40017", "Parameter verification failed"),
        ("candles", {"endTime": "yesterday"}, "40020", "Parameter endTime error"),
        ("candles", {"startTime": NOON, "endTime": NOON - 1}, "40707", "Start time is greater"),
    ],
)
async def test_a_wrong_parameter_is_answered_with_its_code(
    family: str, name: str, params: dict[str, str | int], code: str, message: str
) -> None:
    async with simulator_at() as simulator:
        reply = await asked(simulator, family, name, **params)
    answer = reply.json
    assert (reply.status, answer["code"]) == (400, code)
    assert answer["msg"].startswith(message)
    assert (answer["requestTime"], answer["data"]) == (NOW, None)


@pytest.mark.parametrize(
    ("path", "params", "code", "message"),
    [
        (f"{SPOT}/candles", {"granularity": "1min"}, "400172", "Parameter verification failed"),
        (f"{SPOT}/history-candles", ASKED[SPOT], "40019", "Parameter endTime cannot be empty"),
        (
            f"{MIX}/candles",
            {"symbol": "BTCUSDT", "granularity": "1m"},
            "400172",
            "Parameter verification failed",
        ),
        (
            f"{MIX}/candles",
            {**ASKED[MIX], "productType": "NOPE-FUTURES"},
            "40019",
            "Parameter NOPE-FUTURES cannot be empty",
        ),
        (
            f"{MIX}/candles",
            {**ASKED[MIX], "productType": "USDC-FUTURES"},
            "40034",
            "Parameter BTCUSDT does not exist",
        ),
        (
            f"{MIX}/candles",
            {**ASKED[MIX], "granularity": "1h"},
            "400171",
            "Parameter verification failed k-line time range should be "
            "[1m,3m,5m,15m,30m,1H,4H,6H,12H,1D,1W,1M,6Hutc,12Hutc,1Dutc,3Dutc,1Wutc,1Mutc]",
        ),
        (
            f"{MIX}/candles",
            {**ASKED[MIX], "startTime": str(NOON - 91 * DAY), "endTime": str(NOON)},
            "40705",
            "The start and end time cannot exceed 90 days",
        ),
        (f"{MIX}/contracts", {}, "400172", "Parameter verification failed"),
        ("/api/v2/spot/public/symbols", {"symbol": "NOPE"}, "40034", "Parameter NOPE does not exist"),
        (
            "/api/mix/v1/market/candles",
            {},
            "30032",
            "The V1 API has been decommissioned. Please migrate to a newer version.",
        ),
    ],
)
async def test_each_family_has_refusals_of_its_own(
    path: str, params: dict[str, str], code: str, message: str
) -> None:
    async with simulator_at() as simulator:
        reply = await ask(simulator, path, params)
    assert (reply.status, reply.json["code"], reply.json["msg"]) == (400, code, message)


async def test_an_unknown_path_is_404_in_the_envelope() -> None:
    async with simulator_at() as simulator:
        reply = await ask(simulator, "/api/v2/spot/market/weather")
    assert (reply.status, reply.json["code"], reply.json["data"]) == (404, "40404", None)


async def test_the_product_type_may_be_in_lower_case() -> None:
    async with simulator_at() as simulator:
        assert len(await rows(simulator, MIX, productType="usdt-futures", limit=1)) == 1


async def test_the_server_tells_its_time_as_text() -> None:
    async with simulator_at() as simulator:
        answer = (await ask(simulator, "/api/v2/public/time")).json
    assert answer["data"] == {"serverTime": str(NOW)}


async def test_spot_symbols_are_listed_in_strings_without_a_listing_date() -> None:
    async with simulator_at() as simulator:
        every = (await ask(simulator, "/api/v2/spot/public/symbols")).json["data"]
        (one,) = (await ask(simulator, "/api/v2/spot/public/symbols", {"symbol": "ETHUSDT"})).json["data"]
    assert [item["symbol"] for item in every] == ["BTCUSDT", "ETHUSDT", "BNBUSDT", "XRPUSDT", "SOLUSDT"]
    assert one == every[1]
    assert (one["baseCoin"], one["quoteCoin"], one["status"], one["offTime"]) == ("ETH", "USDT", "online", "")
    assert (one["pricePrecision"], one["quantityPrecision"]) == ("2", "4")


async def test_contracts_are_listed_by_product_type() -> None:
    path = f"{MIX}/contracts"
    async with simulator_at() as simulator:
        listed = (await ask(simulator, path, {"productType": "USDT-FUTURES"})).json["data"]
        none = (await ask(simulator, path, {"productType": "COIN-FUTURES"})).json["data"]
    contract = next(item for item in listed if item["symbol"] == "BTCUSDT")
    assert none == []
    assert (contract["symbolType"], contract["symbolStatus"]) == ("perpetual", "normal")
    assert (contract["offTime"], contract["launchTime"]) == ("-1", "")
    assert (contract["pricePlace"], contract["volumePlace"], contract["sizeMultiplier"]) == (
        "2",
        "3",
        "0.001",
    )
    assert contract["supportMarginCoins"] == ["USDT"]


async def test_a_market_without_trading_goes_offline_and_a_day_later_its_symbol_is_removed() -> None:
    markets = [market.until(NOON) for market in default_markets()]
    async with Simulator(markets=markets, clock=SimulatorClock(NOW, frozen=True)) as simulator:
        offline = (await ask(simulator, "/api/v2/spot/public/symbols")).json["data"][0]
        off = (await ask(simulator, f"{MIX}/contracts", {"productType": "USDT-FUTURES"})).json["data"][0]
        last = await rows(simulator, SPOT, limit=1)
        simulator.clock.set(NOON + DAY)
        none = (await ask(simulator, "/api/v2/spot/public/symbols")).json["data"]
        removed = await asked(simulator, SPOT)
    assert (offline["status"], offline["offTime"]) == ("offline", str(NOON))
    assert (off["symbolStatus"], off["offTime"], opened(last), none) == ("off", str(NOON), [-1], [])
    assert (removed.status, removed.json["code"]) == (400, "40309")
    assert removed.json["msg"] == "The symbol has been removed"


async def test_each_endpoint_takes_twenty_requests_a_second() -> None:
    async with simulator_at() as simulator:
        passed = [await asked(simulator, SPOT, limit=1) for _ in range(20)]
        refused = await asked(simulator, SPOT, limit=1)
        other = await asked(simulator, MIX, limit=1)
        simulator.clock.advance(1000)
        later = await asked(simulator, SPOT, limit=1)
    assert [reply.headers["x-mbx-used-remain-limit"] for reply in passed] == [
        str(left) for left in range(19, -1, -1)
    ]
    assert ({reply.status for reply in passed}, refused.status, other.status, later.status) == (
        {200},
        429,
        200,
        200,
    )
    assert refused.json == {"code": "429", "msg": "Too Many Requests", "requestTime": NOW, "data": None}
    assert "retry-after" not in refused.headers


async def test_too_many_requests_a_minute_are_refused_everywhere_for_five_minutes() -> None:
    async with simulator_at(all=3) as simulator:
        statuses = [(await asked(simulator, SPOT, limit=1)).status for _ in range(4)]
        elsewhere = (await ask(simulator, "/api/v2/public/time")).status
        simulator.clock.set(NOW + 5 * MINUTE - 1)
        still = (await ask(simulator, "/api/v2/public/time")).status
        simulator.clock.set(NOW + 5 * MINUTE)
        after = (await ask(simulator, "/api/v2/public/time")).status
    assert (statuses, elsewhere, still, after) == ([200, 200, 200, 429], 429, 429, 200)


async def test_no_limit_refuses_where_limits_are_off() -> None:
    async with Simulator(clock=SimulatorClock(NOW, frozen=True), limits=False) as simulator:
        statuses = {(await asked(simulator, SPOT, limit=1)).status for _ in range(30)}
    assert statuses == {200}


@pytest.mark.parametrize(("status", "code"), [(429, "429"), (500, "40725"), (503, "40200")])
async def test_forced_statuses_come_in_the_envelope(status: int, code: str) -> None:
    async with simulator_at() as simulator:
        simulator.faults.forced = Forced(status)
        reply = await asked(simulator, SPOT)
    assert (reply.status, reply.json["code"], reply.json["data"]) == (status, code, None)


async def test_the_edge_answers_html() -> None:
    async with simulator_at() as simulator:
        simulator.faults.forced = Forced(502)
        reply = await asked(simulator, SPOT)
    assert (reply.status, reply.headers["content-type"]) == (502, "text/html")


async def test_any_code_may_be_forced_with_its_body() -> None:
    body = {"code": "45001", "msg": "Unknown error", "requestTime": NOW, "data": None}
    async with simulator_at() as simulator:
        simulator.faults.forced = Forced(400, body=body)
        forced = await asked(simulator, SPOT)
        after = await asked(simulator, SPOT)
    assert (forced.status, forced.json, after.status) == (400, body, 200)


@FAMILIES
async def test_faults_reach_both_families(family: str) -> None:
    async with simulator_at() as simulator:
        simulator.faults.page_cap = 7
        simulator.faults.outages = [(NOON - 5 * MINUTE, NOON - 2 * MINUTE)]
        page = await rows(simulator, family, "history-candles", endTime=NOON)
        history = simulator.history("BTCUSDT", NOON - 10 * MINUTE, NOON, "bitget", KINDS[family])
        simulator.faults.failing = [(NOON - HOUR, NOON)]
        failed = await asked(simulator, family)
    assert opened(page) == [-10, -9, -8, -7, -6, -2, -1]
    assert [int(row[0]) for row in page] == [row[0] for row in history]
    assert (failed.status, failed.json["code"]) == (500, "40725")


@FAMILIES
async def test_rows_outside_the_window_may_come_but_history_never_has_the_forming_one(family: str) -> None:
    async with simulator_at() as simulator:
        simulator.faults.outside_rate = 1
        inside = await rows(simulator, family, "history-candles", endTime=NOON - HOUR, limit=2)
        newest = await rows(simulator, family, "history-candles", endTime=NOW, limit=2)
    assert (opened(inside)[-1], opened(newest)[-1]) == (-59, -1)


@FAMILIES
async def test_a_thin_market_may_have_no_candles_for_empty_minutes(family: str) -> None:
    async with simulator_at() as simulator:
        full = await rows(simulator, family, endTime=NOON, limit=1000)
        simulator.faults.quirks.omit_empty = True
        thin = await rows(simulator, family, endTime=NOON, limit=1000)
        history = simulator.history("BTCUSDT", NOON - 1000 * MINUTE, NOON, "bitget", KINDS[family])
    traded = [row for row in full if row[5] != "0"]
    assert len(traded) < len(full) == len(thin) == 1000
    assert thin[-len(traded) :] == traded
    assert [row[0] for row in history] == [int(row[0]) for row in traded]
