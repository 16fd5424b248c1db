"""What the simulator of Binance spot refuses, with which code and text, and which fault it names first."""

from __future__ import annotations

import pytest

from tests.simulator import Simulator, SimulatorClock
from tests.simulator.asking import ask
from tests.simulator.times import parse_instant

KLINES = "/api/v3/klines"
GOOD = {"symbol": "BTCUSDT", "interval": "1m"}
CLOCK = parse_instant("2025-06-03T12:00Z")
SYMBOL_TEXT = r"Illegal characters found in parameter 'symbol'; legal range is '^[\w\-._&&[^a-z]]{1,50}$'."
TIME_TEXT = "Illegal characters found in parameter '{}'; legal range is '^[0-9]{{1,20}}$'."


def missing(name: str) -> str:
    return f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        (
            {**GOOD, "start": "1"},
            -1104,
            "Not all sent parameters were read; read '2' parameter(s) but was sent '3'.",
        ),
        ({"interval": "1m"}, -1102, missing("symbol")),
        ({"symbol": "BTCUSDT"}, -1102, missing("interval")),
        ({**GOOD, "symbol": ""}, -1105, "Parameter 'symbol' was empty."),
        ({**GOOD, "limit": ""}, -1105, "Parameter 'limit' was empty."),
        ({**GOOD, "symbol": "btcusdt"}, -1100, SYMBOL_TEXT),
        ({**GOOD, "symbol": "BTC/USDT"}, -1100, SYMBOL_TEXT),
        ({**GOOD, "symbol": "B" * 51}, -1100, SYMBOL_TEXT),
        ({**GOOD, "symbol": "NOSUCHPAIR"}, -1121, "Invalid symbol."),
        ({**GOOD, "interval": "7m"}, -1120, "Invalid interval."),
        ({**GOOD, "interval": "1D"}, -1120, "Invalid interval."),
        ({**GOOD, "interval": "1s"}, -1120, "Invalid interval."),
        ({**GOOD, "limit": "0"}, -1102, missing("limit")),
        ({**GOOD, "limit": "ten"}, -1102, missing("limit")),
        ({**GOOD, "limit": "-1"}, -1102, missing("limit")),
        ({**GOOD, "startTime": "yesterday"}, -1100, TIME_TEXT.format("startTime")),
        ({**GOOD, "endTime": "-1"}, -1100, TIME_TEXT.format("endTime")),
        ({**GOOD, "timeZone": "15"}, -1130, "Data sent for parameter 'timeZone' is not valid."),
        ({**GOOD, "timeZone": "UTC"}, -1130, "Data sent for parameter 'timeZone' is not valid."),
    ],
)
async def test_a_wrong_parameter_is_answered_with_its_code(
    params: dict[str, str], code: int, message: str
) -> None:
    async with Simulator() as simulator:
        reply = await ask(simulator, KLINES, params)
    assert (reply.status, reply.json) == (400, {"code": code, "msg": message})


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"interval": "", "limti": "0"}, -1104),
        ({"interval": "", "limit": "0"}, -1102),
        ({"symbol": "btc", "interval": ""}, -1105),
        ({"symbol": "btc", "interval": "7m"}, -1100),
        ({"symbol": "NOSUCHPAIR", "interval": "7m"}, -1121),
        ({"symbol": "BTCUSDT", "interval": "7m", "limit": "0"}, -1120),
        ({"symbol": "BTCUSDT", "interval": "1m", "limit": "0", "startTime": "9", "endTime": "1"}, -1102),
    ],
)
async def test_of_several_wrong_parameters_the_first_in_binances_order_is_named(
    params: dict[str, str], code: int
) -> None:
    async with Simulator() as simulator:
        reply = await ask(simulator, KLINES, params)
    assert reply.json["code"] == code


async def test_a_parameter_sent_twice_is_refused() -> None:
    async with Simulator() as simulator:
        reply = await ask(simulator, KLINES + "?symbol=BTCUSDT&symbol=ETHUSDT&interval=1m")
    assert (reply.status, reply.json["code"]) == (400, -1101)


async def test_an_unknown_time_unit_is_refused() -> None:
    async with Simulator() as simulator:
        reply = await ask(simulator, "/api/v3/time", headers={"X-MBX-TIME-UNIT": "NANOSECOND"})
    message = "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."
    assert (reply.status, reply.json) == (400, {"code": -1194, "msg": message})


async def test_a_market_is_unknown_before_its_listing() -> None:
    clock = SimulatorClock(parse_instant("2019-01-01"), frozen=True)
    async with Simulator(clock=clock) as simulator:
        reply = await ask(simulator, KLINES, {"symbol": "SOLUSDT", "interval": "1m"})
        info = (await ask(simulator, "/api/v3/exchangeInfo")).json
    assert reply.json["code"] == -1121
    assert [item["symbol"] for item in info["symbols"]] == ["BTCUSDT", "ETHUSDT", "BNBUSDT", "XRPUSDT"]


@pytest.mark.parametrize("path", ["/api/v3/candles", "/api/v1/klines", "/"])
async def test_an_unknown_path_is_404(path: str) -> None:
    async with Simulator() as simulator:
        assert (await ask(simulator, path)).status == 404


async def test_a_404_is_html_only_for_a_client_that_accepts_it() -> None:
    async with Simulator() as simulator:
        plain = await ask(simulator, "/api/v3/candles", headers={"Accept": "application/json"})
        page = await ask(simulator, "/api/v3/candles", headers={"Accept": "text/html"})
    assert plain.headers["content-type"].startswith("application/json")
    assert page.headers["content-type"].startswith("text/html")


async def test_ping_answers_an_empty_object_and_time_the_clock() -> None:
    async with Simulator(clock=SimulatorClock(CLOCK, frozen=True)) as simulator:
        ping, time = await ask(simulator, "/api/v3/ping"), await ask(simulator, "/api/v3/time")
    assert (ping.json, time.json) == ({}, {"serverTime": CLOCK})
    assert time.headers["date"] == "Tue, 03 Jun 2025 12:00:00 GMT"


async def test_exchange_info_names_the_symbols_and_the_limits() -> None:
    async with Simulator(weight_limit=1234) as simulator:
        info = (await ask(simulator, "/api/v3/exchangeInfo")).json
    limits = {item["rateLimitType"]: item["limit"] for item in info["rateLimits"]}
    assert (limits["REQUEST_WEIGHT"], limits["RAW_REQUESTS"]) == (1234, 300_000)
    bitcoin = info["symbols"][0]
    assert [bitcoin[name] for name in ("symbol", "status", "baseAsset", "quoteAsset")] == [
        "BTCUSDT",
        "TRADING",
        "BTC",
        "USDT",
    ]
    assert bitcoin["filters"][0]["tickSize"] == "0.01000000"


@pytest.mark.parametrize(
    ("params", "symbols"),
    [
        ({"symbol": "ETHUSDT"}, ["ETHUSDT"]),
        ({"symbols": '["XRPUSDT","BTCUSDT"]'}, ["XRPUSDT", "BTCUSDT"]),
        ({"symbolStatus": "HALT"}, []),
    ],
)
async def test_exchange_info_may_be_narrowed(params: dict[str, str], symbols: list[str]) -> None:
    async with Simulator() as simulator:
        info = (await ask(simulator, "/api/v3/exchangeInfo", params)).json
    assert [item["symbol"] for item in info["symbols"]] == symbols


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"symbol": "NOSUCHPAIR"}, -1121),
        ({"symbol": ""}, -1105),
        ({"symbol": "btcusdt"}, -1100),
        ({"symbols": "BTCUSDT"}, -1100),
        ({"symbols": '["BTCUSDT","NOSUCHPAIR"]'}, -1121),
        ({"symbol": "BTCUSDT", "symbols": '["BTCUSDT"]'}, -1128),
        ({"symbol": "BTCUSDT", "symbolStatus": "TRADING"}, -1128),
        ({"symbolStatus": "SLEEPING"}, -1122),
        ({"coin": "BTC"}, -1104),
    ],
)
async def test_exchange_info_refuses_wrong_parameters(params: dict[str, str], code: int) -> None:
    async with Simulator() as simulator:
        reply = await ask(simulator, "/api/v3/exchangeInfo", params)
    assert (reply.status, reply.json["code"]) == (400, code)
