"""Binance spot and perpetual: what is asked, how answers are read, and what refusals mean."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given

from backend.clock import LATEST
from backend.core.candles import Candle, is_sound
from backend.core.series import Listing
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
from backend.exchanges.base import Answer, Market, RateLimit, Request
from backend.exchanges.binance.market import (
    BINANCE,
    INDEX,
    MARK,
    PERPETUAL,
    SPOT,
    parse_candles,
    parse_time,
    used,
)
from tests.fakes import hostile_bodies, minute, minutes

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
    return SPOT.failure(Answer(status, headers, text))


def test_binance_is_known_by_its_name() -> None:
    assert EXCHANGES["binance"] is BINANCE
    assert list(BINANCE.markets.values()) == [SPOT, PERPETUAL, MARK, INDEX]


@pytest.mark.parametrize(("market", "capacity"), [(SPOT, 6000), (PERPETUAL, 2400)])
def test_an_address_may_spend_so_much_weight_a_minute(market: Market, capacity: int) -> None:
    assert market.budget.limits == (RateLimit("weight", capacity, 60.0),)


def test_spot_and_perpetual_have_budgets_of_their_own() -> None:
    assert SPOT.budget.name != PERPETUAL.budget.name


@pytest.mark.parametrize(
    ("market", "path", "limit"), [(SPOT, "/api/v3/klines", 1000), (PERPETUAL, "/fapi/v1/klines", 499)]
)
def test_candles_are_asked_for_with_inclusive_bounds_and_the_most_rows_a_weight(
    market: Market, path: str, limit: int
) -> None:
    window = minutes(0, limit)
    assert market.candles_request("BTCUSDT", window, minute(5000)) == Request(
        path,
        {
            "symbol": "BTCUSDT",
            "interval": "1m",
            "startTime": str(window.start),
            "endTime": str(window.end - 1),
            "limit": str(limit),
        },
        {"weight": 2},
    )


@pytest.mark.parametrize(("market", "size"), [(SPOT, 1000), (PERPETUAL, 499)])
@pytest.mark.parametrize("age", [0, minute(0)])
def test_a_page_is_no_longer_than_an_answer_can_be_at_any_age(market: Market, size: int, age: int) -> None:
    assert market.page_size(age) == size


@pytest.mark.parametrize(("market", "path"), [(SPOT, "/api/v3/klines"), (PERPETUAL, "/fapi/v1/klines")])
def test_the_first_candle_is_the_oldest_row_from_the_beginning_of_time(market: Market, path: str) -> None:
    assert market.earliest_request is not None
    request = market.earliest_request("BTCUSDT")
    assert (request.path, request.params) == (
        path,
        {"symbol": "BTCUSDT", "interval": "1m", "startTime": "0", "limit": "1"},
    )
    assert request.cost["weight"] >= 1


def test_the_time_is_asked_for_with_weight_one() -> None:
    assert SPOT.time_request == Request("/api/v3/time", {}, {"weight": 1})
    assert PERPETUAL.time_request == Request("/fapi/v1/time", {}, {"weight": 1})


def test_what_is_listed_is_asked_for_at_its_documented_weight() -> None:
    spot, perpetual = SPOT.symbols_request, PERPETUAL.symbols_request
    assert (spot.path, spot.cost) == ("/api/v3/exchangeInfo", {"weight": 20})
    assert perpetual == Request("/fapi/v1/exchangeInfo", {}, {"weight": 1})


def symbol(name: str = "BTCUSDT", status: str = "TRADING", **more: object) -> dict[str, object]:
    """A symbol as exchangeInfo has it on spot; `more` is what futures have besides."""
    return {
        "symbol": name,
        "status": status,
        "baseAsset": name[:-4],
        "baseAssetPrecision": 8,
        "quoteAsset": name[-4:],
        "filters": [{"filterType": "PRICE_FILTER", "minPrice": "0.01000000"}],
        "permissionSets": [["SPOT", "MARGIN"]],
        **more,
    }


def info(*symbols: object) -> bytes:
    return json.dumps({"timezone": "UTC", "serverTime": 1717200003123, "symbols": symbols}).encode()


def test_spot_lists_every_symbol_whatever_its_status_and_no_date() -> None:
    assert SPOT.parse_symbols(info(symbol(), symbol("LUNAUSDT", "BREAK"), symbol("币安人生USDT"))) == [
        Listing("BTCUSDT", "BTCUSDT", "BTC", "USDT", "TRADING", None),
        Listing("LUNAUSDT", "LUNAUSDT", "LUNA", "USDT", "BREAK", None),
        Listing("币安人生USDT", "币安人生USDT", "币安人生", "USDT", "TRADING", None),
    ]


@pytest.mark.parametrize("contract", ["PERPETUAL", "TRADIFI_PERPETUAL"])
def test_perpetual_lists_contracts_without_end_and_when_they_began(contract: str) -> None:
    sent = info(symbol(contractType=contract, onboardDate=1569398400000, deliveryDate=4133404800000))
    listing = Listing("BTCUSDT", "BTCUSDT", "BTC", "USDT", "TRADING", 1569398400000)
    assert PERPETUAL.parse_symbols(sent) == [listing]


@pytest.mark.parametrize("contract", ["CURRENT_QUARTER", "NEXT_QUARTER", "PERPETUAL_DELIVERING", ""])
def test_perpetual_lists_no_contract_that_ends(contract: str) -> None:
    sent = info(symbol("BTCUSDT_260327", contractType=contract, onboardDate=1569398400000))
    assert PERPETUAL.parse_symbols(sent) == []


@pytest.mark.parametrize("market", [SPOT, PERPETUAL])
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"[]",
        b"{}",
        b"null",
        b'{"symbols":null}',
        b'{"symbols":{}}',
        info({}),
        info(None),
        info(symbol(onboardDate="soon")),
        info(symbol())[:-1],
        b'{"symbols":' + b"[" * 100_000,
    ],
)
def test_a_listing_that_cannot_be_read_is_malformed(market: Market, sent: bytes) -> None:
    with pytest.raises(MalformedAnswer, match="binance sent an answer that cannot be read"):
        market.parse_symbols(sent)


@given(hostile_bodies({"symbols": [symbol(contractType="PERPETUAL", onboardDate=1569398400000)]}))
def test_any_bytes_are_malformed_or_listings(sent: bytes) -> None:
    for market in (SPOT, PERPETUAL):
        try:
            listings = market.parse_symbols(sent)
        except MalformedAnswer:
            continue
        assert all(isinstance(found.symbol, str) and found.native == found.symbol for found in listings)


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
        with pytest.raises(MalformedAnswer, match="binance sent an answer that cannot be read"):
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
        body(row_with(OPEN, 1)).replace(b" 1,", b" 1e400,"),
        b"\xff\xfe[]",
        b'[[1717200000000,"\xff"]]',
        b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
    ],
)
def test_garbage_is_malformed(sent: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        parse_candles(sent)


@pytest.mark.parametrize("value", ["-1", "nan", "1e400", None, "soon"])
def test_an_impossible_row_spoils_itself_and_not_its_page(value: object) -> None:
    later = [ROW[0] + 60_000, *ROW[1:]]  # type: ignore[operator]
    found = parse_candles(body(row_with(OPEN, value), later))
    assert [candle.open_time for candle in found] == [CANDLE.open_time, CANDLE.open_time + 60_000]
    assert [is_sound(candle) for candle in found] == [False, True]
    assert parse_candles(body([], later)) == found[1:], "a row without a time is nobody's"


def test_nesting_without_end_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        parse_candles(body(ROW)[:-2] + b',"0",' + b"[" * 100_000)


@given(hostile_bodies([ROW, ROW]))
def test_any_bytes_are_malformed_or_sound_candles(sent: bytes) -> None:
    try:
        candles = parse_candles(sent)
    except MalformedAnswer:
        return
    for candle in filter(is_sound, candles):
        assert 0 <= candle.open_time <= LATEST
        amounts = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.quote_volume)
        assert all(amount is not None and 0 <= amount <= 1e18 for amount in amounts)
        assert msgspec.json.decode(msgspec.json.encode(candle), type=Candle) == candle


def test_the_exchanges_time_is_read() -> None:
    assert parse_time(Answer(200, {}, b'{"serverTime":1717200003123}')) == 1717200003123


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
    with pytest.raises(MalformedAnswer, match="binance sent an answer that cannot be read"):
        parse_time(Answer(200, {}, sent))


def test_an_answer_with_status_200_is_no_failure() -> None:
    assert SPOT.failure(Answer(200, {}, b"[]")) is None


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
    ("status", "kind", "word"),
    [
        (301, ExchangeRefused, "301"),
        (400, ExchangeRefused, "400"),
        (403, RateLimited, "firewall"),
        (404, ExchangeRefused, "404"),
        (408, ExchangeUnavailable, "408"),
        (418, Banned, "418"),
        (429, RateLimited, "429"),
        (451, RegionBlocked, "451"),
        (500, ExchangeUnavailable, "500"),
        (502, ExchangeUnavailable, "502"),
        (503, ExchangeUnavailable, "503"),
        (504, ExchangeUnavailable, "504"),
    ],
)
@pytest.mark.parametrize(
    "sent", [b"", b"<html>Request blocked.</html>", b"[]", b'{"code":"x"}', b'{"msg":"no code"}', b"\xff"]
)
def test_a_status_alone_says_enough_when_the_body_is_no_refusal(
    status: int, kind: type[MarketDataError], word: str, sent: bytes
) -> None:
    error = SPOT.failure(Answer(status, {}, sent))
    assert type(error) is kind
    assert str(error).startswith("binance")
    assert word in str(error)


def test_a_refusal_nested_without_end_still_has_its_status() -> None:
    assert type(SPOT.failure(Answer(503, {}, b'{"x":' + b"[" * 100_000))) is ExchangeUnavailable


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
    blocked = Answer(451, {}, b'{"code":0,"msg":"restricted location"}')
    assert "BINANCE_SPOT_URL" in str(SPOT.failure(blocked))
    assert "BINANCE_PERPETUAL_URL" in str(PERPETUAL.failure(blocked))


def ban(text: str, **headers: str) -> float | None:
    """For how long a ban lasts that says this."""
    sent = json.dumps({"code": -1003, "msg": text}).encode()
    error = PERPETUAL.failure(Answer(418, headers, sent))
    assert type(error) is Banned
    return error.retry_after


BANNED_AT = {"date": "Wed, 10 Aug 2022 00:13:00 GMT"}
"""1660090380000 in ms."""


@pytest.mark.parametrize(
    "text",
    [
        "Way too much request weight used; IP banned until 1660090423228. Please use the websocket.",
        "Way too many requests; IP(203.0.113.7) banned until 1660090423228. Please use the websocket.",
    ],
)
def test_a_ban_that_only_its_text_dates_is_measured_by_the_answers_clock(text: str) -> None:
    assert ban(text, **BANNED_AT) == 43.228


def test_a_ban_says_when_to_come_back_before_its_text_does() -> None:
    text = "Way too many requests; IP banned until 1660090423228."
    assert ban(text, **BANNED_AT, **{"retry-after": "117"}) == 117.0


def test_a_ban_that_is_over_when_it_arrives_lasts_no_time() -> None:
    assert ban("IP banned until 1660090379999.", **BANNED_AT) == 0.0


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("Way too many requests.", BANNED_AT),
        ("IP banned until 1660090423228.", {}),
        ("IP banned until 1660090423228.", {"date": ""}),
        ("IP banned until 1660090423228.", {"date": "yesterday"}),
        ("IP banned until 1660090423228.", {"date": "Wed, 99 Aug 2022 00:13:00 GMT"}),
        ("IP banned until tomorrow.", BANNED_AT),
        ("IP banned until 16600904232281.", BANNED_AT),
    ],
)
def test_a_ban_without_a_date_lasts_two_minutes(text: str, headers: dict[str, str]) -> None:
    assert ban(text, **headers) == 120.0


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
