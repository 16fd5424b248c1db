"""Real answers of the exchanges, where a folder of them is at hand: RECORDED_PAYLOADS names it.

A case says in `evidence` how far it can be trusted and in `note` what is odd about it. Rows of other
intervals look as one-minute rows do.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from backend.core.candles import Candle, clean
from backend.core.windows import MINUTE, Window
from backend.errors import (
    Banned,
    ExchangeRefused,
    ExchangeUnavailable,
    MarketDataError,
    RateLimited,
    RegionBlocked,
    UnknownSymbol,
)
from backend.exchanges import EXCHANGES
from backend.exchanges.base import Answer, Market

FOLDER = os.environ.get("RECORDED_PAYLOADS")

BINANCE_PLACES = (
    "open_time",
    "open",
    "high",
    "low",
    "close",
    "volume",
    None,
    "quote_volume",
    "trades",
    "taker_buy_volume",
    "taker_buy_quote_volume",
)
BITGET_PLACES = ("open_time", "open", "high", "low", "close", "volume")


class Endpoint(NamedTuple):
    """Where candles of a market come from, and the candle's field for each place or key of a row."""

    path: str
    exchange: str
    market: str
    fields: Mapping[int | str, str]


def places(*names: str | None) -> dict[int | str, str]:
    """Fields by their places in a row; None for a place that is not kept."""
    return {place: name for place, name in enumerate(names) if name}


PRICES: Mapping[int | str, str] = {
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "volume": "volume",
}

ENDPOINTS = (
    Endpoint("api.binance.com/api/v3/klines", "binance", "spot", places(*BINANCE_PLACES)),
    Endpoint("fapi.binance.com/fapi/v1/klines", "binance", "perpetual", places(*BINANCE_PLACES)),
    Endpoint("/api/v2/spot/market/", "bitget", "spot", places(*BITGET_PLACES, None, "quote_volume")),
    Endpoint("/api/v2/mix/market/", "bitget", "perpetual", places(*BITGET_PLACES, "quote_volume")),
    Endpoint("/openApi/spot/", "bingx", "spot", places(*BITGET_PLACES, None, "quote_volume")),
    Endpoint("/openApi/swap/v3/quote/klines", "bingx", "perpetual", {"time": "open_time", **PRICES}),
    Endpoint(
        "/info/candles/",
        "extended",
        "perpetual",
        {"T": "open_time", "o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"},
    ),
)

KINDS: Mapping[tuple[str, int | str], type[MarketDataError]] = {
    ("binance", -1003): RateLimited,
    ("binance", -1121): UnknownSymbol,
    ("binance", -4088): ExchangeRefused,
    ("bitget", "25100"): UnknownSymbol,
    ("bitget", "30032"): ExchangeRefused,
    ("bitget", "40019"): ExchangeRefused,
    ("bitget", "40034"): UnknownSymbol,
    ("bitget", "40053"): ExchangeRefused,
    ("bitget", "400172"): ExchangeRefused,
    ("bitget", "40309"): UnknownSymbol,
    ("bitget", "429"): RateLimited,
    ("bingx", 100400): ExchangeRefused,
    ("bingx", 100410): RateLimited,
    ("bingx", 101500): ExchangeUnavailable,
    ("bingx", 104414): ExchangeRefused,
    ("bingx", 109400): ExchangeRefused,
    ("bingx", 109415): UnknownSymbol,
    ("bingx", 109425): UnknownSymbol,
    ("extended", 1123): ExchangeRefused,
}
"""What an error's code means, by exchange."""

STATUSES: Mapping[int, type[MarketDataError]] = {403: RateLimited, 418: Banned, 451: RegionBlocked}
"""What Binance says by status alone."""

NOTHING_FOUND: Mapping[str, type[MarketDataError] | None] = {
    "": None,
    "date of query is too wide.": ExchangeRefused,
    "symbol is not found.": UnknownSymbol,
    "The maximum query range for X_USDT K-lines is 380 days and 0 hours.": None,
}
"""What BingX's code 100204 means, by its text; None for a window without candles."""


def recorded() -> list[Any]:
    """Every recorded case of a REST endpoint."""
    if not FOLDER:
        return []
    paths = sorted(Path(FOLDER, "recorded").glob("*/*.json"))
    if not paths:
        raise FileNotFoundError(f"RECORDED_PAYLOADS: {FOLDER} holds no recorded/*/*.json")
    return [json.loads(path.read_bytes()) for path in paths]


CASES = recorded()


def parameters(found: Sequence[Any]) -> list[Any]:
    """These cases as test parameters; one skipped case when there is no folder."""
    if FOLDER:
        return [pytest.param(case, id=f"{case['exchange']}-{case['case']}") for case in found]
    reason = "set RECORDED_PAYLOADS to a folder of recorded answers to run this"
    return [pytest.param({}, marks=pytest.mark.skip(reason=reason), id="none")]


def endpoint_of(case: dict[str, Any]) -> Endpoint | None:
    """Our place that the case was recorded at."""
    return next((endpoint for endpoint in ENDPOINTS if endpoint.path in case["url"]), None)


def market_of(case: dict[str, Any]) -> Market:
    """The market of the case, or one of the same exchange: they all read refusals alike."""
    endpoint = endpoint_of(case)
    markets = EXCHANGES[case["exchange"]].markets
    return markets[endpoint.market] if endpoint else markets["perpetual"]


def is_error(case: dict[str, Any]) -> bool:
    return "error_" in case["case"]


def answer_of(case: dict[str, Any]) -> Answer:
    """The answer as it came over the wire."""
    response = case["response"]
    text = response.encode() if isinstance(response, str) else json.dumps(response).encode()
    return Answer(case["status"] or 400, case.get("headers", {}), text)


def rows_of(case: dict[str, Any]) -> list[Any]:
    """The rows inside an answer."""
    response = case["response"]
    return list(response["data"] if isinstance(response, dict) else response)


def candles_of(case: dict[str, Any]) -> list[Candle]:
    """The candles that our market reads."""
    market, answer = market_of(case), answer_of(case)
    assert market.failure(answer) is None
    return list(market.parse_candles(answer.body))


def named(exchange: str, name: str) -> list[Any]:
    """The case of this name."""
    return [case for case in CASES if (case["exchange"], case["case"]) == (exchange, name)]


CANDLES = [case for case in CASES if endpoint_of(case) and not is_error(case)]
ERRORS = [case for case in CASES if is_error(case)]


@pytest.mark.parametrize("case", parameters(CANDLES))
def test_recorded_candles_are_read_with_their_values(case: dict[str, Any]) -> None:
    endpoint = endpoint_of(case)
    assert endpoint is not None
    candles, rows = candles_of(case), rows_of(case)
    assert len(candles) == len(rows) == case.get("expect", {}).get("rows", len(rows))
    for candle, row in zip(candles, rows, strict=True):
        expected = {name: float(row[place]) for place, name in endpoint.fields.items()}
        found = {name: value for name, value in msgspec.structs.asdict(candle).items() if value is not None}
        assert found == expected


@pytest.mark.parametrize("case", parameters([case for case in CANDLES if case["evidence"] == "recorded"]))
def test_recorded_candles_lie_within_their_highs_and_lows(case: dict[str, Any]) -> None:
    for candle in candles_of(case):
        assert candle.low <= min(candle.open, candle.close)
        assert candle.high >= max(candle.open, candle.close)


@pytest.mark.parametrize("case", parameters(ERRORS))
def test_recorded_refusals_say_what_the_caller_should_do(case: dict[str, Any]) -> None:
    response = case["response"]
    said = response if isinstance(response, dict) else {}
    said = said.get("error", said)
    code, message = said.get("code"), said.get("msg", said.get("message", ""))
    kind: type[MarketDataError] | None
    if code == 100204:
        kind = NOTHING_FOUND[message]
    else:
        kind = STATUSES.get(case["status"]) or KINDS[case["exchange"], code]
    error = market_of(case).failure(answer_of(case))
    assert (type(error) if error else None) is kind
    if error:
        assert message in str(error)


@pytest.mark.parametrize("case", parameters(named("binance", "error_418_ip_banned")))
def test_a_recorded_ban_lasts_until_the_moment_that_its_text_names(case: dict[str, Any]) -> None:
    at = {"date": "Wed, 10 Aug 2022 00:13:00 GMT"}
    error = market_of(case).failure(Answer(case["status"], at, answer_of(case).body))
    assert error is not None
    assert error.retry_after == (1660090423228 - 1660090380000) / 1000


@pytest.mark.parametrize("case", parameters(named("bingx", "headers_rate_limit")))
def test_recorded_headers_say_how_much_is_left(case: dict[str, Any]) -> None:
    assert market_of(case).budget.used(case["headers"]) == {"requests": 1}


@pytest.mark.parametrize("case", parameters(named("bitget", "vendor_example_spot_history_candles_bad_rows")))
def test_of_recorded_rows_of_one_minute_the_last_is_kept(case: dict[str, Any]) -> None:
    candles, off_grid, _ = clean(candles_of(case), Window(1654012800000, 1654012800000 + MINUTE))
    assert [candle.close for candle in candles] == [37834.5]
    assert off_grid == 0
