"""BingX in the simulator: what is refused and how, what is listed, and faults in its envelope."""

from __future__ import annotations

import pytest

from tests.simulator import BingxRules, Forced, Simulator, SimulatorClock, default_markets
from tests.simulator.asking import ask, post
from tests.simulator.asking_bingx import (
    NOON,
    SPOT,
    SWAP,
    asked,
    at_noon,
    candles,
    minutes,
    open_times,
)
from tests.simulator.times import DAY, HOUR, MINUTE

BOTH = pytest.mark.parametrize("path", [SPOT, SWAP])
NO_ROUTE = "this api is not exist,please refer to the API docs https://bingx-api.github.io/docs"


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"symbol": "BTCUSDT"}, 109400, "err:symbol: This field must end with -USDT or -USDC."),
        ({"symbol": "BTC-USD"}, 109400, "err:symbol: This field must end with -USDT or -USDC."),
        ({"symbol": ""}, 109400, "err:symbol"),
        ({"symbol": "NOPE-USDT"}, 109425, "NOPE-USDT not exist, please verify it in api"),
        ({"symbol": "btc-USDT"}, 109425, "btc-USDT not exist, please verify it in api"),
        ({"interval": "1x"}, 109400, "err:interval"),
        ({"interval": "1D"}, 109400, "err:interval"),
        ({"limit": "many"}, 109400, "err:limit"),
        ({"limit": "0"}, 109400, "err:limit"),
        ({"startTime": "yesterday"}, 109400, "err:startTime"),
        ({"timeZone": "15"}, 109400, "err:timeZone"),
    ],
)
async def test_a_wrong_swap_parameter_is_answered_with_http_200_and_a_code(
    params: dict[str, str], code: int, text: str
) -> None:
    async with at_noon() as simulator:
        reply = await ask(simulator, SWAP, {"symbol": "BTC-USDT", "interval": "1m", **params})
    assert (reply.status, reply.json["code"], reply.json["data"]) == (200, code, {})
    assert text in reply.json["msg"]


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"symbol": "NOPE-USDT"}, 100204, "symbol is not found."),
        ({"symbol": "BTCUSDT"}, 100204, "symbol is not found."),
        ({"interval": "1x"}, 100400, "err:interval"),
        ({"limit": "many"}, 100400, "err:limit"),
    ],
)
async def test_a_wrong_spot_parameter_is_answered_with_http_200_and_a_timestamp(
    params: dict[str, str], code: int, text: str
) -> None:
    async with at_noon() as simulator:
        reply = await ask(simulator, SPOT, {"symbol": "BTC-USDT", "interval": "1m", **params})
    assert (reply.status, reply.json["code"]) == (200, code)
    assert list(reply.json) == ["code", "msg", "timestamp"]
    assert text in reply.json["msg"]


@BOTH
async def test_unknown_parameters_are_ignored(path: str) -> None:
    async with at_noon() as simulator:
        rows = await candles(simulator, path, limit=1, timestamp=NOON, recvWindow=5000, nonsense=1)
    assert len(rows) == 1


async def test_an_unknown_path_or_method_is_http_200_and_100400() -> None:
    async with at_noon() as simulator:
        replies = [await ask(simulator, "/openApi/swap/v9/nothing"), await post(simulator, SWAP, {})]
    assert [reply.status for reply in replies] == [200, 200]
    assert [reply.json for reply in replies] == [{"code": 100400, "msg": NO_ROUTE}] * 2


@pytest.mark.parametrize("path", ["/openApi/swap/v2/server/time", "/openApi/spot/v1/server/time"])
async def test_the_server_tells_its_time(path: str) -> None:
    async with at_noon() as simulator:
        reply = await ask(simulator, path)
    assert reply.json == {"code": 0, "msg": "", "data": {"serverTime": NOON + 30_000}}


async def test_contracts_are_listed_with_strings_for_booleans() -> None:
    async with at_noon() as simulator:
        contracts = (await ask(simulator, "/openApi/swap/v2/quote/contracts")).json["data"]
        one = (await ask(simulator, "/openApi/swap/v2/quote/contracts", {"symbol": "ETH-USDT"})).json["data"]
    assert [item["symbol"] for item in contracts] == ["BTC-USDT", "ETH-USDT", "XRP-USDT", "SOL-USDT"]
    assert {item["apiStateOpen"] for item in contracts} == {"true"}
    assert (contracts[0]["size"], contracts[0]["pricePrecision"], contracts[0]["currency"]) == (
        "0.001",
        2,
        "USDT",
    )
    assert [item["symbol"] for item in one] == ["ETH-USDT"]


async def test_spot_symbols_are_listed_with_numbers() -> None:
    async with at_noon() as simulator:
        symbols = (await ask(simulator, "/openApi/spot/v1/common/symbols")).json["data"]["symbols"]
    assert [item["symbol"] for item in symbols][:2] == ["BTC-USDT", "ETH-USDT"]
    assert (symbols[0]["tickSize"], symbols[0]["status"], symbols[0]["apiStateBuy"]) == (0.01, 1, True)


async def test_a_delisted_market_is_offline() -> None:
    markets = [market.until(NOON - DAY) for market in default_markets()]
    async with Simulator(markets, SimulatorClock(NOON, frozen=True)) as simulator:
        contract = (await ask(simulator, "/openApi/swap/v2/quote/contracts")).json["data"][0]
        symbol = (await ask(simulator, "/openApi/spot/v1/common/symbols")).json["data"]["symbols"][0]
        rows = await candles(simulator, SWAP, limit=1)
    assert (contract["status"], contract["apiStateOpen"], contract["offTime"]) == (0, "false", NOON - DAY)
    assert (symbol["status"], symbol["apiStateBuy"], symbol["offTime"]) == (0, False, NOON - DAY)
    assert open_times(rows) == [NOON - DAY - MINUTE]


async def test_coin_contracts_are_none_and_insist_on_a_timestamp() -> None:
    async with at_noon() as simulator:
        without = await ask(simulator, "/openApi/cswap/v1/market/contracts")
        given = await ask(simulator, "/openApi/cswap/v1/market/contracts", {"timestamp": NOON})
    assert (without.status, without.json["code"]) == (400, 104414)
    assert (given.status, given.json["data"]) == (200, [])


@BOTH
async def test_page_cap_outages_and_disorder_work_here_too(path: str) -> None:
    outage = (NOON - 30 * MINUTE, NOON - 10 * MINUTE)
    async with at_noon(page_cap=40, outages=[outage]) as simulator:
        straight = await candles(simulator, path, endTime=NOON)
        simulator.faults.unordered_rate = 1
        shuffled = await candles(simulator, path, endTime=NOON)
    assert open_times(straight) == minutes(*range(1, 11), *range(31, 61))
    assert open_times(shuffled) != open_times(straight)
    assert sorted(open_times(shuffled), reverse=True) == open_times(straight)


@BOTH
async def test_a_failing_window_answers_500_in_the_envelope(path: str) -> None:
    async with at_noon(failing=[(NOON - HOUR, NOON - 50 * MINUTE)]) as simulator:
        inside = await asked(simulator, path, startTime=NOON - 2 * HOUR, endTime=NOON - 55 * MINUTE)
        outside = await asked(simulator, path, startTime=NOON - 49 * MINUTE)
    assert (inside.status, inside.json["code"]) == (500, 100500)
    assert (outside.status, outside.json["code"]) == (200, 0)


@pytest.mark.parametrize(
    ("forced", "status", "code"),
    [
        (100410, 200, 100410),
        (100500, 200, 100500),
        (109400, 200, 109400),
        (109500, 200, 109500),
        (429, 429, 100410),
        (418, 418, 100410),
        (500, 500, 100500),
        (503, 503, 100503),
    ],
)
async def test_a_forced_status_or_code_comes_in_the_envelope(forced: int, status: int, code: int) -> None:
    async with at_noon(forced=Forced(forced)) as simulator:
        reply = await asked(simulator, SWAP)
    assert (reply.status, reply.json["code"]) == (status, code)
    assert "retry-after" not in reply.headers


@pytest.mark.parametrize("status", [403, 502])
async def test_other_statuses_are_a_proxys_page(status: int) -> None:
    async with at_noon(forced=Forced(status)) as simulator:
        reply = await asked(simulator, SWAP)
    assert (reply.status, reply.headers["content-type"].partition(";")[0]) == (status, "text/html")


async def test_rules_may_be_changed_by_another_process() -> None:
    async with at_noon() as simulator:
        reply = await post(
            simulator, "/_sim/faults", {"quirks": {"bingx": {"spot_retention": {}, "limit": 7}}}
        )
        wrong = await post(simulator, "/_sim/faults", {"quirks": {"bingx": {"no_such_rule": 1}}})
    assert (reply.status, wrong.status) == (200, 400)
    assert simulator.faults.quirks.bingx == BingxRules(spot_retention={}, limit=7)
