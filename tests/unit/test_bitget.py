"""Bitget spot and perpetual: what is asked of which place, how answers are read, what refusals mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import msgspec
import pytest
from hypothesis import given

from backend.clock import LATEST
from backend.core.candles import Candle, is_sound
from backend.core.series import Listing
from backend.core.windows import HOUR, MINUTE, Window
from backend.errors import (
    ExchangeRefused,
    ExchangeUnavailable,
    Maintenance,
    MalformedAnswer,
    MarketDataError,
    RateLimited,
    RegionBlocked,
    UnknownSymbol,
)
from backend.exchanges import EXCHANGES
from backend.exchanges.base import Answer, Market, RateLimit
from backend.exchanges.bitget.market import BITGET, INDEX, MARK, PERPETUAL, SPOT, parse_time
from tests.fakes import hostile_bodies, minute

NOW = minute(100_000) + 30_000
DAYS_29 = 29 * 24 * HOUR

SPOT_ROW = [
    "1656604800000",
    "37834.5",
    "37849.5",
    "37773.5",
    "37780.25",
    "428.3462",
    "16198849.1079",
    "16198850.2",
]
SPOT_CANDLE = Candle(
    open_time=1656604800000,
    open=37834.5,
    high=37849.5,
    low=37773.5,
    close=37780.25,
    volume=428.3462,
    quote_volume=16198850.2,
)

PERPETUAL_ROW = ["1790782740000", "84128.2", "84199.9", "84123.8", "84192.8", "22.4343", "1888400.63673"]
PERPETUAL_CANDLE = Candle(
    open_time=1790782740000,
    open=84128.2,
    high=84199.9,
    low=84123.8,
    close=84192.8,
    volume=22.4343,
    quote_volume=1888400.63673,
)

BOTH = pytest.mark.parametrize("market", [SPOT, PERPETUAL], ids=["spot", "perpetual"])
BOTH_ROWS = pytest.mark.parametrize(
    ("market", "row", "candle"),
    [(SPOT, SPOT_ROW, SPOT_CANDLE), (PERPETUAL, PERPETUAL_ROW, PERPETUAL_CANDLE)],
    ids=["spot", "perpetual"],
)
EITHER_ROW = pytest.mark.parametrize(
    ("market", "row"), [(SPOT, SPOT_ROW), (PERPETUAL, PERPETUAL_ROW)], ids=["spot", "perpetual"]
)

PATHS: Mapping[str, str] = {"spot": "/api/v2/spot/market", "perpetual": "/api/v2/mix/market"}
PARAMS: Mapping[str, Mapping[str, str]] = {
    "spot": {"symbol": "BTCUSDT", "granularity": "1min"},
    "perpetual": {"symbol": "BTCUSDT", "granularity": "1m", "productType": "USDT-FUTURES"},
}
"""What every question for candles says, by market."""


def envelope(data: object, code: str = "00000", msg: str = "success") -> dict[str, object]:
    return {"code": code, "msg": msg, "requestTime": 1695800278693, "data": data}


def body(data: object) -> bytes:
    return json.dumps(envelope(data)).encode()


def with_place(row: Sequence[object], place: int, value: object) -> list[object]:
    return [*row[:place], value, *row[place + 1 :]]


def refusal(status: int, code: str | None = None) -> MarketDataError | None:
    """What an answer with this status and code means."""
    sent = b"" if code is None else json.dumps(envelope(None, code, "Said.")).encode()
    return SPOT.failure(Answer(status, {}, sent))


def aged(age: int, length: int) -> Window:
    """A window of so many minutes, the oldest of which opened `age` ms before NOW."""
    return Window(NOW - age, NOW - age + length * MINUTE)


def test_bitget_is_known_by_its_name() -> None:
    assert EXCHANGES["bitget"] is BITGET
    assert list(BITGET.markets.values()) == [SPOT, PERPETUAL, MARK, INDEX]


def test_both_markets_share_one_budget_in_which_every_place_has_its_own_limit() -> None:
    assert SPOT.budget is PERPETUAL.budget
    assert set(SPOT.budget.limits) == {
        RateLimit("/api/v2/spot/market/candles", 20, 1.0),
        RateLimit("/api/v2/spot/market/history-candles", 20, 1.0),
        RateLimit("/api/v2/spot/public/symbols", 20, 1.0),
        RateLimit("/api/v2/mix/market/candles", 20, 1.0),
        RateLimit("/api/v2/mix/market/history-candles", 20, 1.0),
        RateLimit("/api/v2/mix/market/history-mark-candles", 20, 1.0),
        RateLimit("/api/v2/mix/market/history-index-candles", 20, 1.0),
        RateLimit("/api/v2/mix/market/contracts", 20, 1.0),
        RateLimit("/api/v2/spot/market/tickers", 20, 1.0),
        RateLimit("/api/v2/mix/market/current-fund-rate", 20, 1.0),
        RateLimit("/api/v2/mix/market/history-fund-rate", 20, 1.0),
        RateLimit("/api/v2/spot/market/orderbook", 20, 1.0),
        RateLimit("/api/v2/mix/market/ticker", 20, 1.0),
        RateLimit("/api/v2/mix/market/merge-depth", 20, 1.0),
        RateLimit("/api/v2/public/time", 10, 1.0),
        RateLimit("address", 6000, 60.0),
    }


@BOTH
def test_every_request_spends_one_call_of_its_place_and_one_of_the_address(market: Market) -> None:
    assert market.newest_before_request is not None
    counted = {limit.unit for limit in market.budget.limits}
    for request in (
        market.candles_request("BTCUSDT", aged(HOUR, 10), NOW),
        market.candles_request("BTCUSDT", aged(DAYS_29, 10), NOW),
        market.newest_before_request("BTCUSDT", minute(0)),
        market.symbols_request,
        market.time_request,
    ):
        assert request.cost == {request.path: 1, "address": 1}
        assert set(request.cost) <= counted


@BOTH
@pytest.mark.parametrize(
    ("age", "size"), [(0, 1000), (DAYS_29 - 1, 1000), (DAYS_29, 200), (1000 * DAYS_29, 200)]
)
def test_a_page_is_as_long_as_the_place_that_keeps_its_oldest_minute_allows(
    market: Market, age: int, size: int
) -> None:
    assert market.page_size(age) == size


@BOTH
@pytest.mark.parametrize("age", [HOUR, DAYS_29 - 1])
def test_young_candles_are_asked_of_the_recent_place_from_a_minute_before(market: Market, age: int) -> None:
    window = aged(age, 1000)
    request = market.candles_request("BTCUSDT", window, NOW)
    assert request.path == PATHS[market.name] + "/candles"
    assert request.params == {
        **PARAMS[market.name],
        "startTime": str(window.start - MINUTE),
        "endTime": str(window.end),
        "limit": "1000",
    }


@BOTH
@pytest.mark.parametrize("age", [DAYS_29, 100 * DAYS_29])
def test_old_candles_are_asked_of_history_by_their_end_alone(market: Market, age: int) -> None:
    window = aged(age, 200)
    request = market.candles_request("BTCUSDT", window, NOW)
    assert request.path == PATHS[market.name] + "/history-candles"
    assert request.params == {**PARAMS[market.name], "endTime": str(window.end), "limit": "200"}


@BOTH
def test_the_newest_candles_before_a_moment_are_a_page_of_history(market: Market) -> None:
    assert market.newest_before_request is not None
    request = market.newest_before_request("BTCUSDT", minute(7))
    assert request.path == PATHS[market.name] + "/history-candles"
    assert request.params == {**PARAMS[market.name], "endTime": str(minute(7)), "limit": "200"}
    assert market.search_rows == 200


@BOTH
def test_bitget_cannot_be_asked_for_its_oldest_candle(market: Market) -> None:
    assert market.earliest_request is None


def test_what_is_listed_is_asked_for_by_market() -> None:
    assert SPOT.symbols_request.path == "/api/v2/spot/public/symbols"
    assert PERPETUAL.symbols_request.path == "/api/v2/mix/market/contracts"
    assert (SPOT.symbols_request.params, PERPETUAL.symbols_request.params) == (
        {},
        {"productType": "USDT-FUTURES"},
    )


@BOTH
def test_the_time_has_a_place_of_its_own(market: Market) -> None:
    assert (market.time_request.path, market.time_request.params) == ("/api/v2/public/time", {})


@BOTH_ROWS
def test_a_row_becomes_a_candle(market: Market, row: list[object], candle: Candle) -> None:
    assert market.parse_candles(body([row])) == [candle]


@BOTH_ROWS
def test_rows_come_as_they_were_sent(market: Market, row: list[object], candle: Candle) -> None:
    later = with_place(row, 0, str(candle.open_time + MINUTE))
    moments = [found.open_time for found in market.parse_candles(body([later, row, later]))]
    assert moments == [candle.open_time + MINUTE, candle.open_time, candle.open_time + MINUTE]


@BOTH_ROWS
def test_a_minute_without_trades_is_a_candle(market: Market, row: list[object], candle: Candle) -> None:
    flat = [*row[:5], *("0" for _ in row[5:])]
    expected = msgspec.structs.replace(candle, volume=0.0, quote_volume=0.0)
    assert market.parse_candles(body([flat])) == [expected]


@BOTH
def test_no_rows_are_no_candles(market: Market) -> None:
    assert market.parse_candles(body([])) == []


@BOTH_ROWS
def test_further_places_of_a_row_are_not_read(market: Market, row: list[object], candle: Candle) -> None:
    assert market.parse_candles(body([[*row, "news", None]])) == [candle]


@pytest.mark.parametrize(
    "value", [None, "", "abc", "nan", "inf", "-inf", "1e400", "-1", "1e19", True, [], {}]
)
@EITHER_ROW
def test_a_price_or_volume_that_is_no_amount_is_malformed(
    market: Market, row: list[object], value: object
) -> None:
    for place in range(1, len(row)):
        with pytest.raises(MalformedAnswer, match="bitget sent an answer that cannot be read"):
            market.parse_candles(body([with_place(row, place, value)]))


@pytest.mark.parametrize("value", [None, "", "soon", "-1", str(LATEST + 1), 10**30, True, [], {}])
@EITHER_ROW
def test_a_time_that_is_no_moment_is_malformed(market: Market, row: list[object], value: object) -> None:
    with pytest.raises(MalformedAnswer):
        market.parse_candles(body([with_place(row, 0, value)]))


@BOTH
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        json.dumps(envelope(None, "40034", "Parameter NOPEUSDT does not exist")).encode(),
        body(None),
        body({}),
        body("rows"),
        body([None]),
        body([[]]),
        body([{}]),
        body([PERPETUAL_ROW[:6]]),
        body([SPOT_ROW])[:-1],
        body([SPOT_ROW])[:80],
        body([SPOT_ROW]) + b"}",
        b'{"data":[["1656604800000","\xff"]]}',
        b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
        b'{"data":' + b"[" * 100_000,
    ],
)
def test_garbage_is_malformed(market: Market, sent: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        market.parse_candles(sent)


def test_a_spot_row_without_its_eighth_place_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        SPOT.parse_candles(body([PERPETUAL_ROW]))


def assert_sound(parse: Callable[[bytes], Sequence[Candle]], sent: bytes) -> None:
    """Either malformed, or candles that can be stored and sent on."""
    try:
        candles = parse(sent)
    except MalformedAnswer:
        return
    for candle in filter(is_sound, candles):
        assert 0 <= candle.open_time <= LATEST
        amounts = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.quote_volume)
        assert all(amount is not None and 0 <= amount <= 1e18 for amount in amounts)
        assert msgspec.json.decode(msgspec.json.encode(candle), type=Candle) == candle


@given(hostile_bodies(envelope([SPOT_ROW, SPOT_ROW])))
def test_any_bytes_are_malformed_or_sound_spot_candles(sent: bytes) -> None:
    assert_sound(SPOT.parse_candles, sent)


@given(hostile_bodies(envelope([PERPETUAL_ROW, PERPETUAL_ROW])))
def test_any_bytes_are_malformed_or_sound_perpetual_candles(sent: bytes) -> None:
    assert_sound(PERPETUAL.parse_candles, sent)


def spot_symbol(name: str = "BTCUSDT", status: str = "online") -> dict[str, object]:
    return {
        "symbol": name,
        "baseCoin": name[:-4],
        "quoteCoin": name[-4:],
        "pricePrecision": "2",
        "status": status,
        "offTime": "",
    }


def contract(name: str = "BTCUSDT", kind: str = "perpetual", **more: object) -> dict[str, object]:
    return {
        "symbol": name,
        "baseCoin": name[:-4],
        "quoteCoin": name[-4:],
        "supportMarginCoins": ["USDT"],
        "symbolType": kind,
        "symbolStatus": "normal",
        "launchTime": "",
        **more,
    }


def test_spot_lists_every_symbol_whatever_its_status() -> None:
    sent = body([spot_symbol(), spot_symbol("龙虾USDT", "gray")])
    assert SPOT.parse_symbols(sent) == [
        Listing("BTCUSDT", "BTCUSDT", "BTC", "USDT", "online"),
        Listing("龙虾USDT", "龙虾USDT", "龙虾", "USDT", "gray"),
    ]


def test_perpetual_lists_contracts_without_end() -> None:
    sent = body(
        [contract(), contract("BTCUSDTZ26", "delivery"), contract("ETHUSDT", symbolStatus="maintain")]
    )
    assert PERPETUAL.parse_symbols(sent) == [
        Listing("BTCUSDT", "BTCUSDT", "BTC", "USDT", "normal"),
        Listing("ETHUSDT", "ETHUSDT", "ETH", "USDT", "maintain"),
    ]


@pytest.mark.parametrize(
    ("launch", "listed"), [("", None), ("-1", None), (None, None), ("1704067200000", 1704067200000)]
)
def test_the_launch_time_is_told_where_it_is_set(launch: str | None, listed: int | None) -> None:
    (listing,) = PERPETUAL.parse_symbols(body([contract(launchTime=launch)]))
    assert listing.listed == listed


@BOTH
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{}",
        b"[]",
        body(None),
        body({}),
        body([{}]),
        body([None]),
        body([spot_symbol()])[:-1],
        b"<html>",
    ],
)
def test_a_listing_that_cannot_be_read_is_malformed(market: Market, sent: bytes) -> None:
    with pytest.raises(MalformedAnswer, match="bitget sent an answer that cannot be read"):
        market.parse_symbols(sent)


@given(hostile_bodies(envelope([spot_symbol(), contract()])))
def test_any_bytes_are_malformed_or_listings(sent: bytes) -> None:
    try:
        listings = SPOT.parse_symbols(sent)
    except MalformedAnswer:
        return
    assert all(isinstance(found.symbol, str) and found.native == found.symbol for found in listings)


def test_the_exchanges_time_is_read_though_it_is_text() -> None:
    assert parse_time(Answer(200, {}, body({"serverTime": "1789455435724"}))) == 1789455435724


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"{}",
        b"<html>",
        b"\xff",
        body(None),
        body([]),
        body({"serverTime": None}),
        body({"serverTime": ""}),
        body({"serverTime": "-1"}),
        body({"serverTime": "1789455435724000"}),
        body({"serverTime": "1789455435724"})[:-2],
    ],
)
def test_a_time_that_cannot_be_read_is_malformed(sent: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        parse_time(Answer(200, {}, sent))


@pytest.mark.parametrize("sent", [body([]), body([SPOT_ROW]), body({"serverTime": "1"})])
def test_an_answer_with_code_00000_is_no_failure(sent: bytes) -> None:
    assert SPOT.failure(Answer(200, {}, sent)) is None


@pytest.mark.parametrize("sent", [b"", b"<html>Welcome</html>", b"[]", body([SPOT_ROW])[:50]])
def test_a_success_that_cannot_be_read_is_left_to_the_parser(sent: bytes) -> None:
    assert SPOT.failure(Answer(200, {}, sent)) is None
    with pytest.raises(MalformedAnswer):
        SPOT.parse_candles(sent)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "40034", UnknownSymbol),
        (400, "40309", UnknownSymbol),
        (400, "25100", UnknownSymbol),
        (400, "400172", ExchangeRefused),
        (400, "400171", ExchangeRefused),
        (400, "40053", ExchangeRefused),
        (400, "40019", ExchangeRefused),
        (400, "40017", ExchangeRefused),
        (400, "40020", ExchangeRefused),
        (400, "40704", ExchangeRefused),
        (400, "40705", ExchangeRefused),
        (400, "40707", ExchangeRefused),
        (400, "30032", ExchangeRefused),
        (429, "429", RateLimited),
        (429, "25004", RateLimited),
        (400, "40200", Maintenance),
        (400, "40308", Maintenance),
        (503, "40604", Maintenance),
        (400, "40015", Maintenance),
        (500, "45001", Maintenance),
        (503, "40725", Maintenance),
        (400, "40808", Maintenance),
        (400, "99999", ExchangeRefused),
        (500, "99999", ExchangeUnavailable),
    ],
)
def test_every_documented_code_says_what_the_caller_should_do(
    status: int, code: str, kind: type[MarketDataError]
) -> None:
    error = refusal(status, code)
    assert type(error) is kind
    assert "Said." in str(error)
    assert code in str(error)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("40034", UnknownSymbol),
        ("429", RateLimited),
        ("40725", Maintenance),
        ("40053", ExchangeRefused),
        ("0", ExchangeRefused),
    ],
)
def test_a_code_that_is_no_success_fails_though_the_status_is_200(
    code: str, kind: type[MarketDataError]
) -> None:
    assert type(refusal(200, code)) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ExchangeRefused),
        (400, ExchangeRefused),
        (403, RegionBlocked),
        (404, ExchangeRefused),
        (408, ExchangeUnavailable),
        (429, RateLimited),
        (451, RegionBlocked),
        (500, ExchangeUnavailable),
        (502, ExchangeUnavailable),
        (503, ExchangeUnavailable),
        (504, ExchangeUnavailable),
    ],
)
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"<html>Bad Gateway</html>",
        b"[]",
        b'{"code":null}',
        b'{"msg":"no code"}',
        b"\xff",
        b'{"x":' + b"[" * 100_000,
        body([]),
    ],
)
def test_a_status_alone_says_enough_when_the_body_is_no_refusal(
    status: int, kind: type[MarketDataError], sent: bytes
) -> None:
    error = SPOT.failure(Answer(status, {}, sent))
    assert type(error) is kind
    assert str(status) in str(error)


@pytest.mark.parametrize(("status", "code"), [(429, "429"), (429, None), (200, "429"), (400, "25004")])
def test_too_many_requests_are_followed_by_some_seconds_of_silence(status: int, code: str | None) -> None:
    error = refusal(status, code)
    assert error is not None
    assert error.retry_after is not None
    assert error.retry_after >= 3


@pytest.mark.parametrize(("status", "code"), [(400, "40034"), (503, None), (503, "40725"), (400, "40053")])
def test_only_too_many_requests_have_a_time_to_come_back(status: int, code: str | None) -> None:
    error = refusal(status, code)
    assert error is not None
    assert error.retry_after is None


@pytest.mark.parametrize("status", [403, 451])
def test_a_blocked_address_is_told_which_setting_helps(status: int) -> None:
    assert "BITGET_URL" in str(refusal(status))


def test_what_the_header_says_of_one_place_is_not_taken_for_another() -> None:
    assert SPOT.budget.used({"x-mbx-used-remain-limit": "3"}) == {}
