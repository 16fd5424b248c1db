"""Binance spot: what is asked, how answers are read, and what refusals mean."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import LATEST
from backend.core.candles import Candle
from backend.errors import (
    Banned,
    ExchangeRefused,
    ExchangeUnavailable,
    MalformedAnswer,
    MarketDataError,
    RateLimited,
    RegionBlocked,
    UnknownSymbol,
)
from backend.exchanges import EXCHANGES
from backend.exchanges.base import Answer, RateLimit, Request
from backend.exchanges.binance import (
    BINANCE,
    SPOT,
    candles_request,
    failure,
    first_candle_request,
    parse_candles,
    parse_time,
    used,
)
from tests.fakes import minutes

ROW: list[object] = [
    1717200000000,
    "67540.01000000",
    "67561.22000000",
    "67530.00000000",
    "67555.10000000",
    "12.41230000",
    1717200059999,
    "838412.11930000",
    1034,
    "6.10020000",
    "412003.51900000",
    "0",
]

CANDLE = Candle(
    open_time=1717200000000,
    open=67540.01,
    high=67561.22,
    low=67530.0,
    close=67555.1,
    volume=12.4123,
    quote_volume=838412.1193,
    trades=1034,
    taker_buy_volume=6.1002,
    taker_buy_quote_volume=412003.519,
)

OPEN_TIME, OPEN, VOLUME, CLOSE_TIME, TRADES = 0, 1, 5, 6, 8


def body(*rows: list[object]) -> bytes:
    return json.dumps(rows).encode()


def row_with(place: int, value: object) -> list[object]:
    return [*ROW[:place], value, *ROW[place + 1 :]]


def refusal(
    status: int, code: int | None = None, message: str = "Said.", retry_after: str | None = None
) -> MarketDataError | None:
    """What an answer with this status, code and Retry-After means."""
    headers = {} if retry_after is None else {"retry-after": retry_after}
    text = b"" if code is None else json.dumps({"code": code, "msg": message}).encode()
    return failure(Answer(status, headers, text))


def test_binance_is_known_by_its_name() -> None:
    assert EXCHANGES["binance"] is BINANCE
    assert BINANCE.markets["spot"] is SPOT


def test_an_address_may_spend_6000_weight_a_minute() -> None:
    assert SPOT.budget.limits == (RateLimit("weight", 6000, 60.0),)


def test_candles_are_asked_for_with_inclusive_bounds_and_the_largest_limit() -> None:
    window = minutes(0, 1000)
    assert candles_request("BTCUSDT", window) == Request(
        "/api/v3/klines",
        {
            "symbol": "BTCUSDT",
            "interval": "1m",
            "startTime": str(window.start),
            "endTime": str(window.end - 1),
            "limit": "1000",
        },
        {"weight": 2},
    )


def test_a_page_is_no_longer_than_an_answer_can_be() -> None:
    assert SPOT.page_size == 1000


def test_the_first_candle_is_the_oldest_row_from_the_beginning_of_time() -> None:
    assert first_candle_request("BTCUSDT") == Request(
        "/api/v3/klines",
        {"symbol": "BTCUSDT", "interval": "1m", "startTime": "0", "limit": "1"},
        {"weight": 2},
    )


def test_the_time_is_asked_for_with_weight_one() -> None:
    assert SPOT.time_request == Request("/api/v3/time", {}, {"weight": 1})


def test_a_row_becomes_a_candle() -> None:
    assert parse_candles(body(ROW)) == [CANDLE]


def test_rows_come_as_they_were_sent() -> None:
    later = row_with(OPEN_TIME, 1717200060000)
    moments = [row.open_time for row in parse_candles(body(later, ROW, later))]
    assert moments == [1717200060000, 1717200000000, 1717200060000]


def test_no_rows_are_no_candles() -> None:
    assert parse_candles(b"[]") == []


def test_a_minute_without_trades_is_a_candle() -> None:
    flat = parse_candles(body(row_with(TRADES, 0)))[0]
    assert flat.trades == 0


def test_further_places_of_a_row_are_not_read() -> None:
    assert parse_candles(body([*ROW, "news", None, {}])) == [CANDLE]
    assert parse_candles(body(ROW[:11])) == [CANDLE]


@pytest.mark.parametrize(
    "value", [None, "", "abc", "nan", "inf", "-inf", "1e400", "-1", "1e19", True, [], {}]
)
def test_a_price_or_volume_that_is_no_amount_is_malformed(value: object) -> None:
    for place in (OPEN, VOLUME):
        with pytest.raises(MalformedAnswer, match="binance sent klines that cannot be read"):
            parse_candles(body(row_with(place, value)))


@pytest.mark.parametrize("value", [None, "", "soon", -1, LATEST + 1, 1717200000000.5, 10**30, True, [], {}])
def test_a_time_that_is_no_moment_is_malformed(value: object) -> None:
    for place in (OPEN_TIME, CLOSE_TIME):
        with pytest.raises(MalformedAnswer):
            parse_candles(body(row_with(place, value)))


@pytest.mark.parametrize("value", [None, -1, 0.5, 2**53 + 1, "many", []])
def test_a_number_of_trades_that_is_no_count_is_malformed(value: object) -> None:
    with pytest.raises(MalformedAnswer):
        parse_candles(body(row_with(TRADES, value)))


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"null",
        b"0",
        b"{}",
        b'{"code":-1121,"msg":"Invalid symbol."}',
        b"[[]]",
        b"[null]",
        b"[{}]",
        b"[NaN]",
        b"[[1e400]]",
        body(ROW)[:-1],
        body(ROW)[:40],
        body(ROW) + b"]",
        body(ROW[:10]),
        body(ROW, []),
        body(row_with(OPEN, 1)).replace(b" 1,", b" 1e400,"),
        b"\xff\xfe[]",
        b'[[1717200000000,"\xff"]]',
        b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
    ],
)
def test_garbage_is_malformed(sent: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        parse_candles(sent)


def test_nesting_without_end_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        parse_candles(body(ROW)[:-2] + b',"0",' + b"[" * 100_000)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
damaged_rows = st.tuples(st.integers(0, 11), json_values).map(lambda damage: row_with(*damage))
answers = (
    st.binary()
    | json_values.map(lambda value: json.dumps(value).encode())
    | st.lists(damaged_rows, min_size=1, max_size=2).map(lambda rows: body(*rows))
    | st.integers(0, len(body(ROW))).map(lambda end: body(ROW)[:end])
)


@given(answers)
def test_any_bytes_are_malformed_or_sound_candles(sent: bytes) -> None:
    try:
        candles = parse_candles(sent)
    except MalformedAnswer:
        return
    for candle in candles:
        assert 0 <= candle.open_time <= LATEST
        amounts = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.quote_volume)
        assert all(amount is not None and 0 <= amount <= 1e18 for amount in amounts)
        assert msgspec.json.decode(msgspec.json.encode(candle), type=Candle) == candle


def test_the_exchanges_time_is_read() -> None:
    assert parse_time(b'{"serverTime":1717200003123}') == 1717200003123


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{}",
        b"[]",
        b"<html>",
        b"\xff",
        b'{"serverTime":null}',
        b'{"serverTime":"1717200003123"}',
        b'{"serverTime":-1}',
        b'{"serverTime":1717200003123000}',
        b'{"serverTime":1717200003123',
    ],
)
def test_a_time_that_cannot_be_read_is_malformed(sent: bytes) -> None:
    with pytest.raises(MalformedAnswer, match="binance sent a time that cannot be read"):
        parse_time(sent)


def test_an_answer_with_status_200_is_no_failure() -> None:
    assert failure(Answer(200, {}, b"[]")) is None


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, -1000, ExchangeUnavailable),
        (500, -1000, ExchangeUnavailable),
        (500, -1001, ExchangeUnavailable),
        (429, -1003, RateLimited),
        (418, -1003, Banned),
        (408, -1007, ExchangeUnavailable),
        (504, -1007, ExchangeUnavailable),
        (503, -1008, ExchangeUnavailable),
        (503, -1016, ExchangeUnavailable),
        (400, -1023, ExchangeRefused),
        (400, -1100, UnknownSymbol),
        (400, -1101, ExchangeRefused),
        (400, -1102, ExchangeRefused),
        (400, -1104, ExchangeRefused),
        (400, -1105, ExchangeRefused),
        (400, -1120, ExchangeRefused),
        (400, -1121, UnknownSymbol),
        (400, -1122, ExchangeRefused),
        (400, -1127, ExchangeRefused),
        (400, -1128, ExchangeRefused),
        (400, -1130, ExchangeRefused),
        (400, -1139, ExchangeRefused),
        (400, -1194, ExchangeRefused),
        (400, -1220, ExchangeRefused),
        (451, 0, RegionBlocked),
    ],
)
def test_every_documented_code_says_what_the_caller_should_do(
    status: int, code: int, kind: type[MarketDataError]
) -> None:
    error = refusal(status, code)
    assert type(error) is kind
    assert "Said." in str(error)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ExchangeRefused),
        (400, ExchangeRefused),
        (403, RateLimited),
        (404, ExchangeRefused),
        (408, ExchangeUnavailable),
        (418, Banned),
        (429, RateLimited),
        (451, RegionBlocked),
        (500, ExchangeUnavailable),
        (502, ExchangeUnavailable),
        (503, ExchangeUnavailable),
        (504, ExchangeUnavailable),
    ],
)
@pytest.mark.parametrize(
    "sent", [b"", b"<html>Request blocked.</html>", b"[]", b'{"code":"x"}', b'{"msg":"no code"}', b"\xff"]
)
def test_a_status_alone_says_enough_when_the_body_is_no_refusal(
    status: int, kind: type[MarketDataError], sent: bytes
) -> None:
    error = failure(Answer(status, {}, sent))
    assert type(error) is kind
    assert str(status) in str(error)


def test_a_refusal_nested_without_end_still_has_its_status() -> None:
    assert type(failure(Answer(503, {}, b'{"x":' + b"[" * 100_000))) is ExchangeUnavailable


@pytest.mark.parametrize("status", [418, 429, 503])
def test_the_exchange_says_when_to_come_back(status: int) -> None:
    error = refusal(status, -1003, retry_after="117")
    assert error is not None
    assert error.retry_after == 117.0


@pytest.mark.parametrize(
    "text", [None, "", "soon", "-5", "1.5", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 10, "٣"]
)
def test_when_to_come_back_is_unknown_when_it_is_not_a_number_of_seconds(text: str | None) -> None:
    error = refusal(429, -1003, retry_after=text)
    assert error is not None
    assert error.retry_after is None


def test_the_firewall_is_left_alone_for_five_minutes() -> None:
    error = refusal(403)
    assert error is not None
    assert error.retry_after == 300.0


def test_a_blocked_region_is_told_which_setting_helps() -> None:
    assert "BINANCE_SPOT_URL" in str(refusal(451, 0, "restricted location"))


@pytest.mark.parametrize(
    ("headers", "weight"),
    [
        ({"x-mbx-used-weight-1m": "5700", "x-mbx-used-weight": "1"}, {"weight": 5700}),
        ({"x-mbx-used-weight-1m": "0"}, {"weight": 0}),
        ({}, {}),
        ({"x-mbx-used-weight-1m": ""}, {}),
        ({"x-mbx-used-weight-1m": "many"}, {}),
        ({"x-mbx-used-weight-1m": "-1"}, {}),
        ({"x-mbx-used-weight-1m": "٣"}, {}),
    ],
)
def test_the_weight_used_is_read_from_the_header_where_there_is_one(
    headers: dict[str, str], weight: dict[str, int]
) -> None:
    assert used(headers) == weight


def test_a_weight_of_thousands_of_digits_is_no_weight() -> None:
    assert used({"x-mbx-used-weight-1m": "9" * 5000}) == {}
