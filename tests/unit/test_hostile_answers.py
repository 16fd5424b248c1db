"""Whatever an exchange sends, each of the four readers of each market ends in a value or a known error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backend.clock import LATEST
from backend.core.candles import Candle
from backend.errors import MalformedAnswer, MarketDataError
from backend.exchanges import EXCHANGES
from backend.exchanges.base import Answer, Market
from tests.examples import examples
from tests.fakes import hostile_bodies, json_values

MARKETS = [
    pytest.param(market, id=f"{exchange.name}-{market.name}")
    for exchange in EXCHANGES.values()
    for market in exchange.markets.values()
]

WORDS = ["1717200000000", "67540.1", "67561.2", "67530.0", "67555.1", "12.4", "838412.1", "9.1"]
NUMBERS: list[object] = [1717200000000, 67540.1, 67561.2, 67530.0, 67555.1, 0.2, 1717200059999, 8548.4]
BINANCE = [1717200000000, *WORDS[1:6], 1717200059999, "838412.1", 1034, "6.1", "412003.5", "0"]
SWAP = {"open": "1", "close": "1", "high": "1", "low": "1", "volume": "1", "time": 1717200000000}
SHORT = {"o": "1", "l": "1", "h": "1", "c": "1", "v": "1", "T": 1717200000000}

CANDLES: list[object] = [
    [BINANCE],
    {"code": "00000", "msg": "success", "data": [WORDS]},
    {"code": "00000", "msg": "success", "data": [WORDS[:7]]},
    {"code": 0, "msg": "", "data": [NUMBERS]},
    {"code": 0, "msg": "", "data": [SWAP]},
    {"status": "OK", "data": [SHORT]},
]
"""The right answers of all markets: each market meets those of the others too."""

NAMES = {"baseAsset": "BTC", "quoteAsset": "USDT", "contractType": "PERPETUAL", "onboardDate": 1569398400000}
COINS = {"baseCoin": "BTC", "quoteCoin": "USDT", "symbolStatus": "normal", "launchTime": "1569398400000"}
SWAPS = {"asset": "BTC", "currency": "USDT", "launchTime": 1569398400000, "status": 1}
EXTENDED = {"name": "BTC-USD", "assetName": "BTC", "collateralAssetName": "USD", "status": "ACTIVE"}

LISTINGS: list[object] = [
    {"symbols": [{"symbol": "BTCUSDT", "status": "TRADING"} | NAMES]},
    {"code": "00000", "data": [{"symbol": "BTCUSDT", "status": "online"} | COINS]},
    {"code": 0, "data": {"symbols": [{"symbol": "BTC-USDT", "status": 1, "timeOnline": 1569398400000}]}},
    {"code": 0, "data": [{"symbol": "BTC-USDT"} | SWAPS]},
    {"status": "OK", "data": [EXTENDED | {"type": "PERPETUAL", "createdAt": 1569398400000}]},
]

TIMES: list[object] = [
    {"serverTime": 1717200003123},
    {"code": "00000", "data": {"serverTime": "1717200003123"}},
    {"code": 0, "data": {"serverTime": 1717200003123}},
]

REFUSALS: list[object] = [
    *({"code": code, "msg": "banned until 1660090423228"} for code in (-1003, -1121, 100204, 109425, 0)),
    *({"code": code, "msg": "no symbol"} for code in ("40034", "429", "40808", "00000")),
    {"status": "ERROR", "error": {"code": 1001, "message": "not found"}},
]

HEADERS = (
    *("date", "retry-after", "x-mbx-used-weight-1m"),
    *("x-ratelimit-requests-remain", "x-ratelimit-requests-expire"),
)
GOOD_HEADERS = ("Wed, 10 Aug 2022 00:13:00 GMT", "Wed, 10 Aug 2022 00:13:00 +9999", "17", "0", "-1", "9" * 9)

headers = st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(GOOD_HEADERS) | st.text(max_size=40))


few = settings(max_examples=examples(40))
"""For each of the markets."""


def any_of(answers: list[object]) -> st.SearchStrategy[bytes]:
    return st.sampled_from(answers).flatmap(hostile_bodies)


def huge(right: object) -> Iterator[object]:
    """The answer with each of its whole numbers, or what stands for one, beyond all time."""
    match right:
        case dict():
            yield from ({**right, name: other} for name, value in right.items() for other in huge(value))
        case list():
            for place, value in enumerate(right):
                yield from ([*right[:place], other, *right[place + 1 :]] for other in huge(value))
        case int() if right > 10**12:
            yield from (10**18, -(10**18), 10**30, -1)
        case str() if right.isdigit() and len(right) > 12:
            yield from ("9" * 18, "-1", "9" * 40)


@pytest.mark.parametrize("market", MARKETS)
@few
@given(sent=any_of(CANDLES))
def test_candles_are_sound_or_malformed(market: Market, sent: bytes) -> None:
    try:
        candles = market.parse_candles(sent)
    except MalformedAnswer:
        return
    for candle in candles:
        assert 0 <= candle.open_time <= LATEST
        assert all(0 <= amount <= 1e18 for amount in (candle.open, candle.high, candle.low, candle.close))
        assert msgspec.json.decode(msgspec.json.encode(candle), type=Candle) == candle


def check_listings(market: Market, sent: bytes) -> None:
    try:
        found = market.parse_symbols(sent)
    except MalformedAnswer:
        return
    for listing in found:
        texts = (listing.symbol, listing.native, listing.base, listing.quote, listing.status)
        assert all(isinstance(text, str) for text in texts)
        assert listing.listed is None or 0 <= listing.listed <= LATEST


@pytest.mark.parametrize("market", MARKETS)
@few
@given(sent=any_of(LISTINGS))
def test_listings_are_sound_or_malformed(market: Market, sent: bytes) -> None:
    check_listings(market, sent)


@pytest.mark.parametrize("market", MARKETS)
def test_a_listing_time_beyond_all_time_is_malformed_or_unknown(market: Market) -> None:
    for right in LISTINGS:
        for wrong in huge(right):
            check_listings(market, msgspec.json.encode(wrong))


def check_time(market: Market, answer: Answer) -> None:
    try:
        found = market.parse_time(answer)
    except MalformedAnswer:
        return
    assert isinstance(found, int)
    assert 0 <= found <= LATEST


@pytest.mark.parametrize("market", MARKETS)
@example(sent=b"{}", told={"date": "Wed, 10 Aug 2022 00:13:00 +9999"})
@example(sent=b"{}", told={"date": "Mon, 01 Jan 0001 00:00:00 +0100"})
@few
@given(sent=any_of(TIMES), told=headers)
def test_a_clock_is_a_time_or_malformed(market: Market, sent: bytes, told: Mapping[str, str]) -> None:
    check_time(market, Answer(200, told, sent))


@pytest.mark.parametrize("market", MARKETS)
def test_a_clock_beyond_all_time_is_malformed(market: Market) -> None:
    for right in TIMES:
        for wrong in huge(right):
            check_time(market, Answer(200, {}, msgspec.json.encode(wrong)))


@pytest.mark.parametrize("market", MARKETS)
@few
@given(
    status=st.integers(200, 599), told=headers, sent=any_of(REFUSALS) | json_values.map(msgspec.json.encode)
)
def test_a_refusal_is_a_known_error(
    market: Market, status: int, told: Mapping[str, str], sent: bytes
) -> None:
    found = market.failure(Answer(status, told, sent))
    if found is None:
        assert status < 500
        return
    assert isinstance(found, MarketDataError)
    assert found.retry_after is None or found.retry_after >= 0
    assert all(0 <= spent < 10**9 for spent in market.budget.used(told).values())
