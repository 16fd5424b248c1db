"""BingX spot and perpetual: what is asked, how answers are read, what refusals mean."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import msgspec
import pytest
from hypothesis import example, given

from backend.clock import LATEST
from backend.core.candles import Candle, is_sound
from backend.core.series import Listing
from backend.core.windows import MINUTE
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
from backend.exchanges.base import Answer, Market, RateLimit
from backend.exchanges.bingx.market import BINGX, MARK, PERPETUAL, SPOT, parse_time, used
from tests.fakes import hostile_bodies, minute, minutes

SPOT_ROW: list[object] = [
    1702720620000,
    42216.29,
    42216.94,
    42215.5,
    42216.72,
    0.2,
    1702720679999,
    8548.46,
]
SPOT_CANDLE = Candle(
    open_time=1702720620000,
    open=42216.29,
    high=42216.94,
    low=42215.5,
    close=42216.72,
    volume=0.2,
    quote_volume=8548.46,
)

SWAP_ROW: dict[str, object] = {
    "open": "64175.4",
    "close": "64160.1",
    "high": "64200.0",
    "low": "64100.5",
    "volume": "1.7765",
    "time": 1702717260000,
}
SWAP_CANDLE = Candle(
    open_time=1702717260000, open=64175.4, high=64200.0, low=64100.5, close=64160.1, volume=1.7765
)

BOTH = pytest.mark.parametrize("market", [SPOT, PERPETUAL], ids=["spot", "perpetual"])
BOTH_ROWS = pytest.mark.parametrize(
    ("market", "row", "candle"),
    [(SPOT, SPOT_ROW, SPOT_CANDLE), (PERPETUAL, SWAP_ROW, SWAP_CANDLE)],
    ids=["spot", "perpetual"],
)

PATHS: Mapping[str, str] = {
    "spot": "/openApi/spot/v1/market/kline",
    "perpetual": "/openApi/swap/v3/quote/klines",
}
PARAMS: Mapping[str, Mapping[str, str]] = {
    "spot": {"symbol": "BTC-USDT", "interval": "1m", "timeZone": "0"},
    "perpetual": {"symbol": "BTC-USDT", "interval": "1m"},
}
"""What every question for candles says, by market."""


def body(data: object, code: int = 0, msg: str = "") -> bytes:
    return json.dumps({"code": code, "msg": msg, "timestamp": 1702720626772, "data": data}).encode()


def refusal(
    code: int, msg: str = "Said.", status: int = 200, headers: Mapping[str, str] | None = None
) -> MarketDataError | None:
    """What an answer with this code means; BingX says most of them with status 200."""
    return SPOT.failure(Answer(status, headers or {}, body({}, code, msg)))


def test_bingx_is_known_by_its_name() -> None:
    assert EXCHANGES["bingx"] is BINGX
    assert BINGX.markets == {"spot": SPOT, "perpetual": PERPETUAL, "perpetual-mark": MARK}


def test_all_market_data_counts_as_one_budget_that_is_begun_with_care() -> None:
    assert SPOT.budget is PERPETUAL.budget
    assert SPOT.budget.limits == (RateLimit("requests", 500, 10.0),)
    assert SPOT.budget.careful == 0.5


@BOTH
def test_every_request_is_one_of_the_budget(market: Market) -> None:
    assert market.newest_before_request is not None
    for request in (
        market.candles_request("BTC-USDT", minutes(0, 10), minute(50)),
        market.newest_before_request("BTC-USDT", minute(0)),
        market.symbols_request,
        market.time_request,
    ):
        assert request.cost == {"requests": 1}


@BOTH
@pytest.mark.parametrize("age", [0, minute(0)])
def test_a_page_leaves_room_for_a_row_too_many_at_any_age(market: Market, age: int) -> None:
    assert market.page_size(age) == 1439


@BOTH
@pytest.mark.parametrize("now", [minute(1440), minute(10_000_000)])
def test_candles_are_asked_for_so_that_either_reading_of_the_bounds_brings_them_all(
    market: Market, now: int
) -> None:
    window = minutes(0, market.page_size(0))
    request = market.candles_request("BTC-USDT", window, now)
    assert request.path == PATHS[market.name]
    assert request.params == {
        **PARAMS[market.name],
        "startTime": str(window.start - 1),
        "endTime": str(window.end),
        "limit": "1440",
    }
    inclusive = range(window.start, window.end + 1, MINUTE)
    assert len(inclusive) <= 1440


@BOTH
def test_the_newest_candles_before_a_moment_are_a_page_without_a_start(market: Market) -> None:
    assert market.newest_before_request is not None
    request = market.newest_before_request("BTC-USDT", minute(7))
    assert request.path == PATHS[market.name]
    assert request.params == {**PARAMS[market.name], "endTime": str(minute(7)), "limit": "1440"}
    assert market.search_rows == 1439


@BOTH
def test_bingx_cannot_be_asked_for_its_oldest_candle(market: Market) -> None:
    assert market.earliest_request is None


def test_what_is_listed_and_the_time_are_asked_for_by_market() -> None:
    assert SPOT.symbols_request.path == "/openApi/spot/v1/common/symbols"
    assert PERPETUAL.symbols_request.path == "/openApi/swap/v2/quote/contracts"
    assert SPOT.time_request.path == "/openApi/spot/v1/server/time"
    assert PERPETUAL.time_request.path == "/openApi/swap/v2/server/time"


@BOTH_ROWS
def test_a_row_becomes_a_candle(market: Market, row: object, candle: Candle) -> None:
    assert market.parse_candles(body([row])) == [candle]


@BOTH_ROWS
def test_rows_come_as_they_were_sent(market: Market, row: Sequence[object], candle: Candle) -> None:
    assert market.parse_candles(body([row, row])) == [candle, candle]


def test_swap_prices_may_be_numbers_or_text() -> None:
    numbers = {name: float(str(value)) for name, value in SWAP_ROW.items() if name != "time"}
    assert PERPETUAL.parse_candles(body([{**SWAP_ROW, **numbers}])) == [SWAP_CANDLE]


def test_a_swap_candle_has_no_quote_volume_rather_than_none_traded() -> None:
    (candle,) = PERPETUAL.parse_candles(body([SWAP_ROW]))
    assert candle.quote_volume is None


@BOTH
@pytest.mark.parametrize("data", [[], None])
def test_nothing_found_is_no_candles(market: Market, data: object) -> None:
    assert market.parse_candles(body(data)) == []


def test_further_places_of_a_row_are_not_read() -> None:
    assert SPOT.parse_candles(body([[*SPOT_ROW, "news", None]])) == [SPOT_CANDLE]
    assert PERPETUAL.parse_candles(body([{**SWAP_ROW, "news": None}])) == [SWAP_CANDLE]


@pytest.mark.parametrize("value", [None, "", "abc", "nan", "-1", -1, 1e19, True, [], {}])
def test_a_price_or_volume_that_is_no_amount_is_malformed(value: object) -> None:
    for place in (1, 2, 3, 4, 5, 7):
        row = [*SPOT_ROW[:place], value, *SPOT_ROW[place + 1 :]]
        with pytest.raises(MalformedAnswer, match="bingx sent an answer that cannot be read"):
            SPOT.parse_candles(body([row]))
    for name in ("open", "high", "low", "close", "volume"):
        with pytest.raises(MalformedAnswer, match="bingx sent an answer that cannot be read"):
            PERPETUAL.parse_candles(body([{**SWAP_ROW, name: value}]))


@pytest.mark.parametrize("value", [None, "", "soon", -1, LATEST + 1, 1702720620000.5, 10**30, True, [], {}])
def test_a_time_that_is_no_moment_is_malformed(value: object) -> None:
    with pytest.raises(MalformedAnswer):
        SPOT.parse_candles(body([[value, *SPOT_ROW[1:]]]))
    with pytest.raises(MalformedAnswer):
        PERPETUAL.parse_candles(body([{**SWAP_ROW, "time": value}]))


@pytest.mark.parametrize("name", list(SWAP_ROW))
def test_a_swap_row_that_lacks_a_key_is_malformed(name: str) -> None:
    row = {key: value for key, value in SWAP_ROW.items() if key != name}
    with pytest.raises(MalformedAnswer):
        PERPETUAL.parse_candles(body([row]))


@BOTH
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"null",
        b"[]",
        body({}),
        body("rows"),
        body([None]),
        body([[]]),
        body([{}]),
        body([SPOT_ROW[:7]]),
        body([SPOT_ROW])[:-1],
        b'{"code":0,"data":[[NaN]]}',
        b'{"code":0,"data":[["\xff"]]}',
        b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
        b'{"data":' + b"[" * 100_000,
    ],
)
def test_garbage_is_malformed(market: Market, sent: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        market.parse_candles(sent)


def assert_sound(parse: Callable[[bytes], Sequence[Candle]], sent: bytes) -> None:
    """Either malformed, or candles that can be stored and sent on."""
    try:
        candles = parse(sent)
    except MalformedAnswer:
        return
    for candle in filter(is_sound, candles):
        assert 0 <= candle.open_time <= LATEST
        amounts = (candle.open, candle.high, candle.low, candle.close, candle.volume)
        assert all(0 <= amount <= 1e18 for amount in amounts)
        assert msgspec.json.decode(msgspec.json.encode(candle), type=Candle) == candle


@given(hostile_bodies({"code": 0, "timestamp": 1702720626772, "data": [SPOT_ROW, SPOT_ROW]}))
def test_any_bytes_are_malformed_or_sound_spot_candles(sent: bytes) -> None:
    assert_sound(SPOT.parse_candles, sent)


@given(hostile_bodies({"code": 0, "msg": "", "data": [SWAP_ROW, SWAP_ROW]}))
def test_any_bytes_are_malformed_or_sound_perpetual_candles(sent: bytes) -> None:
    assert_sound(PERPETUAL.parse_candles, sent)


def spot_symbol(name: str = "BTC-USDT", status: int = 1) -> dict[str, object]:
    return {"symbol": name, "minQty": 0.00001, "status": status, "apiStateSell": True, "timeOnline": 0}


def spot_symbols(*found: object) -> dict[str, object]:
    return {"code": 0, "msg": "", "debugMsg": "", "data": {"symbols": list(found)}}


def contract(name: str = "BTC-USDT", status: int = 1) -> dict[str, object]:
    base, _, quote = name.rpartition("-")
    return {
        "contractId": "100",
        "symbol": name,
        "asset": base,
        "currency": quote,
        "status": status,
        "launchTime": 1586275200000,
        "displayName": name,
    }


def test_spot_lists_symbols_in_our_spelling_and_keeps_theirs() -> None:
    sent = json.dumps(spot_symbols(spot_symbol(), spot_symbol("1000PEPE-USDC", 0))).encode()
    assert SPOT.parse_symbols(sent) == [
        Listing("BTCUSDT", "BTC-USDT", "BTC", "USDT", "online"),
        Listing("1000PEPEUSDC", "1000PEPE-USDC", "1000PEPE", "USDC", "offline"),
    ]


LAUNCHED = 1586275200000


def test_perpetual_lists_contracts_in_our_spelling_and_keeps_theirs() -> None:
    assert PERPETUAL.parse_symbols(body([contract(), contract("NCCOCOFFEE2USD-USDT", 25)])) == [
        Listing("BTCUSDT", "BTC-USDT", "BTC", "USDT", "online", LAUNCHED),
        Listing(
            "NCCOCOFFEE2USDUSDT",
            "NCCOCOFFEE2USD-USDT",
            "NCCOCOFFEE2USD",
            "USDT",
            "no new positions",
            LAUNCHED,
        ),
    ]


def test_a_launch_at_0_is_none_that_is_known() -> None:
    (listing,) = PERPETUAL.parse_symbols(body([{**contract(), "launchTime": 0}]))
    assert listing.listed is None


@pytest.mark.parametrize(
    ("status", "word"), [(0, "offline"), (1, "online"), (5, "announced"), (25, "no new positions"), (7, "7")]
)
def test_a_status_is_told_in_words_where_they_are_known(status: int, word: str) -> None:
    (spot,) = SPOT.parse_symbols(json.dumps(spot_symbols(spot_symbol(status=status))).encode())
    (perpetual,) = PERPETUAL.parse_symbols(body([contract(status=status)]))
    assert (spot.status, perpetual.status) == (word, word)


@pytest.mark.parametrize("market", [SPOT, PERPETUAL])
@pytest.mark.parametrize(
    "sent", [b"", b"{}", b"[]", b"<html>", body(None), body({}), body([{}]), body({"symbols": None}), b"\xff"]
)
def test_a_listing_that_cannot_be_read_is_malformed(market: Market, sent: bytes) -> None:
    with pytest.raises(MalformedAnswer, match="bingx sent an answer that cannot be read"):
        market.parse_symbols(sent)


def assert_listings(parse: Callable[[bytes], Sequence[Listing]], sent: bytes) -> None:
    """Either malformed, or listings with spellings."""
    try:
        listings = parse(sent)
    except MalformedAnswer:
        return
    assert all(found.symbol and found.native for found in listings)


@example(json.dumps(spot_symbols(spot_symbol("$"))).encode())
@given(hostile_bodies(spot_symbols(spot_symbol(), spot_symbol("ETH-USDT"))))
def test_any_bytes_are_malformed_or_spot_listings(sent: bytes) -> None:
    assert_listings(SPOT.parse_symbols, sent)


@example(body([contract("$")]))
@given(hostile_bodies({"code": 0, "msg": "", "data": [contract(), contract("ETH-USDT")]}))
def test_any_bytes_are_malformed_or_perpetual_listings(sent: bytes) -> None:
    assert_listings(PERPETUAL.parse_symbols, sent)


@pytest.mark.parametrize("name", ["", "$ALT-USDT", "A B-USDT"])
def test_one_symbol_that_nobody_can_spell_does_not_hide_the_others(name: str) -> None:
    sent = json.dumps(spot_symbols(spot_symbol(name), spot_symbol())).encode()
    listed = [*SPOT.parse_symbols(sent), *PERPETUAL.parse_symbols(body([contract(name), contract()]))]
    assert [found.symbol for found in listed].count("BTCUSDT") == 2


def test_the_exchanges_time_is_read() -> None:
    assert parse_time(Answer(200, {}, body({"serverTime": 1790127596258}))) == 1790127596258


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
        body({"serverTime": -1}),
        body({"serverTime": 1790127596258000}),
        body({"serverTime": 1790127596258})[:-2],
    ],
)
def test_a_time_that_cannot_be_read_is_malformed(sent: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        parse_time(Answer(200, {}, sent))


@pytest.mark.parametrize("sent", [body([]), body(None), body([SWAP_ROW])])
def test_an_answer_with_code_zero_is_no_failure(sent: bytes) -> None:
    assert SPOT.failure(Answer(200, {}, sent)) is None


@pytest.mark.parametrize("sent", [b"", b"<html>Welcome</html>", b"[]", body([SPOT_ROW])[:50]])
def test_a_success_that_cannot_be_read_is_left_to_the_parser(sent: bytes) -> None:
    assert SPOT.failure(Answer(200, {}, sent)) is None
    with pytest.raises(MalformedAnswer):
        SPOT.parse_candles(sent)


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (100400, ExchangeRefused),
        (100404, ExchangeRefused),
        (109400, ExchangeRefused),
        (104414, ExchangeRefused),
        (100421, ExchangeRefused),
        (100001, ExchangeRefused),
        (100004, ExchangeRefused),
        (100412, ExchangeRefused),
        (100413, ExchangeRefused),
        (100419, ExchangeRefused),
        (80012, ExchangeRefused),
        (80014, ExchangeRefused),
        (109425, UnknownSymbol),
        (109415, UnknownSymbol),
        (109417, UnknownSymbol),
        (109418, UnknownSymbol),
        (100490, UnknownSymbol),
        (109429, RateLimited),
        (100410, RateLimited),
        (100500, ExchangeUnavailable),
        (109500, ExchangeUnavailable),
        (110500, ExchangeUnavailable),
        (100503, ExchangeUnavailable),
        (101500, ExchangeUnavailable),
        (-1, ExchangeRefused),
    ],
)
def test_every_documented_code_says_what_the_caller_should_do(
    status: int, code: int, kind: type[MarketDataError]
) -> None:
    error = refusal(code, status=status)
    assert type(error) is kind
    assert "Said." in str(error)
    assert str(code) in str(error)


def test_a_code_that_is_not_known_is_a_bad_day_where_the_status_says_so() -> None:
    assert type(refusal(123456, status=503)) is ExchangeUnavailable
    assert type(refusal(123456, status=200)) is ExchangeRefused


@pytest.mark.parametrize(
    "msg", ["", "The maximum query range for X_USDT K-lines is 380 days and 0 hours.", "no data"]
)
def test_code_100204_may_mean_that_there_are_no_candles(msg: str) -> None:
    sent = json.dumps({"code": 100204, "msg": msg, "timestamp": 1692542166362}).encode()
    assert SPOT.failure(Answer(200, {}, sent)) is None
    assert SPOT.parse_candles(sent) == []


def test_code_100204_may_mean_that_the_symbol_is_unknown() -> None:
    assert type(refusal(100204, "symbol is not found.")) is UnknownSymbol


def test_code_100204_may_mean_that_the_window_is_too_wide() -> None:
    assert type(refusal(100204, "date of query is too wide.")) is ExchangeRefused


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
    "sent",
    [b"", b"<html>Bad Gateway</html>", b"[]", b'{"code":null}', b"\xff", b'{"x":' + b"[" * 100_000, body([])],
)
def test_a_status_alone_says_enough_when_the_body_is_no_refusal(
    status: int, kind: type[MarketDataError], word: str, sent: bytes
) -> None:
    error = SPOT.failure(Answer(status, {}, sent))
    assert type(error) is kind
    assert str(error).startswith("bingx")
    assert word in str(error)


@pytest.mark.parametrize(("status", "code"), [(429, 100410), (200, 100410), (200, 109429)])
@pytest.mark.parametrize(("left", "seconds"), [("4122", 4.122), ("10000", 10.0), ("0", 1.0), ("12", 1.0)])
def test_too_many_requests_are_followed_by_silence_to_the_end_of_the_window(
    status: int, code: int, left: str, seconds: float
) -> None:
    error = refusal(code, status=status, headers={"x-ratelimit-requests-expire": left})
    assert error is not None
    assert error.retry_after == seconds


@pytest.mark.parametrize("left", [None, "", "soon", "-1", "1790127596258", "٣"])
def test_too_many_requests_are_followed_by_a_window_of_silence_where_its_end_is_not_told(
    left: str | None,
) -> None:
    headers = {} if left is None else {"x-ratelimit-requests-expire": left}
    error = refusal(100410, status=429, headers=headers)
    assert error is not None
    assert error.retry_after == 10.0


@pytest.mark.parametrize("status", [418, 403])
def test_a_ban_and_the_firewall_are_left_alone_for_five_minutes(status: int) -> None:
    error = refusal(100410, status=status)
    assert error is not None
    assert error.retry_after == 300.0


@pytest.mark.parametrize("code", [109425, 100500, 109400])
def test_other_refusals_name_no_time(code: int) -> None:
    error = refusal(code, headers={"x-ratelimit-requests-expire": "4122"})
    assert error is not None
    assert error.retry_after is None


def test_a_blocked_region_is_told_which_setting_helps() -> None:
    assert "BINGX_URL" in str(SPOT.failure(Answer(451, {}, b"")))


@pytest.mark.parametrize(
    ("headers", "spent"),
    [
        ({"x-ratelimit-requests-remain": "499", "x-ratelimit-requests-expire": "10000"}, {"requests": 1}),
        ({"x-ratelimit-requests-remain": "0"}, {"requests": 500}),
        ({"x-ratelimit-requests-remain": "1000"}, {"requests": 0}),
        ({}, {}),
        ({"x-ratelimit-requests-remain": ""}, {}),
        ({"x-ratelimit-requests-remain": "-1"}, {}),
        ({"x-ratelimit-requests-remain": "many"}, {}),
        ({"x-ratelimit-requests-remain": "9" * 5000}, {}),
    ],
)
def test_the_calls_made_are_read_from_what_is_left(headers: dict[str, str], spent: dict[str, int]) -> None:
    assert used(headers) == spent
    assert SPOT.budget.used(headers) == spent


@BOTH
def test_a_symbol_that_is_not_listed_is_spelt_as_the_exchange_would(market: Market) -> None:
    assert market.spellings is not None
    assert market.spellings("1000PEPEUSDT") == ["1000PEPE-USDT"]
    assert market.spellings("NOPE") == []
