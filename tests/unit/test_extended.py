"""Extended perpetual: what is asked, how answers are read, what refusals mean."""

from __future__ import annotations

import json
import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.clock import LATEST
from backend.core.candles import Candle, is_sound
from backend.core.series import Listing
from backend.core.windows import MINUTE, Window
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
from backend.exchanges.base import Answer, RateLimit, Request
from backend.exchanges.extended.market import EXTENDED, INDEX, MARK, PERPETUAL, parse_time
from tests.fakes import hostile_bodies, minute, minutes

ROW: dict[str, object] = {
    "o": "75650",
    "l": "75640",
    "h": "75660.5",
    "c": "75657.5",
    "v": "1.20331",
    "T": 1777517820000,
}
CANDLE = Candle(
    open_time=1777517820000, open=75650.0, high=75660.5, low=75640.0, close=75657.5, volume=1.20331
)

PATH = "/info/candles/BTC-USD/trades"
CREATED = 1753219200000
BTC_MARKET: dict[str, object] = {
    "name": "BTC-USD",
    "uiName": "BTC-USD",
    "assetName": "BTC",
    "collateralAssetName": "USD",
    "active": True,
    "status": "ACTIVE",
    "marketStats": {"lastPrice": "77259", "nextFundingRate": 1777442400000},
    "createdAt": CREATED,
}


def body(data: object) -> bytes:
    return json.dumps({"status": "OK", "data": data}).encode()


def refused(status: int, code: int | str, message: str = "Said.") -> MarketDataError | None:
    """What an answer with this status and code means."""
    error = {"code": code, "message": message, "debugInfo": "x"}
    return PERPETUAL.failure(Answer(status, {}, json.dumps({"status": "ERROR", "error": error}).encode()))


def time_of(date: str) -> int:
    return parse_time(Answer(200, {"date": date}, b""))


def test_extended_is_known_by_its_name_and_has_no_spot() -> None:
    assert EXCHANGES["extended"] is EXTENDED
    assert list(EXTENDED.markets.values()) == [PERPETUAL, MARK, INDEX]


def test_an_address_may_send_1000_requests_a_minute() -> None:
    assert PERPETUAL.budget.limits == (RateLimit("requests", 1000, 60.0),)
    assert PERPETUAL.budget.used({"x-ratelimit-remaining": "3"}) == {}


def test_every_request_is_one_of_the_budget() -> None:
    assert PERPETUAL.newest_before_request is not None
    for request in (
        PERPETUAL.candles_request("BTC-USD", minutes(0, 10), minute(50)),
        PERPETUAL.newest_before_request("BTC-USD", minute(0)),
        PERPETUAL.symbols_request,
        PERPETUAL.time_request,
    ):
        assert request.cost == {"requests": 1}


@pytest.mark.parametrize("age", [0, minute(0)])
def test_a_page_is_a_day_at_any_age(age: int) -> None:
    assert PERPETUAL.page_size(age) == 1440


@pytest.mark.parametrize("window", [minutes(0, 1440), minutes(10, 13), minutes(5, 6)])
def test_candles_are_asked_for_by_their_end_and_number(window: Window) -> None:
    assert PERPETUAL.candles_request("BTC-USD", window, minute(10_000_000)) == Request(
        PATH,
        {"interval": "PT1M", "limit": str(window.minutes), "endTime": str(window.end - 1)},
        {"requests": 1},
    )


@pytest.mark.parametrize("inclusive", [True, False])
def test_either_reading_of_the_end_brings_exactly_the_window(inclusive: bool) -> None:
    window = minutes(3, 9)
    params = PERPETUAL.candles_request("BTC-USD", window, minute(50)).params
    end, limit = int(params["endTime"]), int(params["limit"])
    traded = [minute(number) for number in range(50)]
    found = [moment for moment in traded if (moment <= end if inclusive else moment < end)][-limit:]
    assert found == [minute(number) for number in range(3, 9)]


def test_the_newest_candles_before_a_moment_are_a_page() -> None:
    assert PERPETUAL.newest_before_request is not None
    request = PERPETUAL.newest_before_request("BTC-USD", minute(7))
    assert (request.path, request.params) == (
        PATH,
        {"interval": "PT1M", "limit": "1440", "endTime": str(minute(7) - 1)},
    )
    assert PERPETUAL.search_rows == 1440


def test_extended_cannot_be_asked_for_its_oldest_candle() -> None:
    assert PERPETUAL.earliest_request is None


def test_what_is_listed_is_asked_for_whole_and_the_time_with_one_market() -> None:
    assert PERPETUAL.symbols_request == Request("/info/markets", {}, {"requests": 1})
    assert PERPETUAL.time_request == Request("/info/markets", {"market": "BTC-USD"}, {"requests": 1})


def test_a_row_becomes_a_candle() -> None:
    assert PERPETUAL.parse_candles(body([ROW])) == [CANDLE]


def test_rows_come_as_they_were_sent() -> None:
    later = {**ROW, "T": 1777517820000 + MINUTE}
    moments = [candle.open_time for candle in PERPETUAL.parse_candles(body([later, ROW, later]))]
    assert moments == [1777517880000, 1777517820000, 1777517880000]


@pytest.mark.parametrize("volume", ["0", "0.0"])
def test_a_minute_without_trades_is_a_candle(volume: str) -> None:
    assert PERPETUAL.parse_candles(body([{**ROW, "v": volume}])) == [
        msgspec.structs.replace(CANDLE, volume=0.0)
    ]


def test_a_candle_has_no_quote_volume_and_no_number_of_trades_rather_than_zero() -> None:
    (candle,) = PERPETUAL.parse_candles(body([ROW]))
    assert (candle.quote_volume, candle.trades) == (None, None)


def test_no_rows_are_no_candles() -> None:
    assert PERPETUAL.parse_candles(body([])) == []


def test_further_keys_of_a_row_and_of_the_answer_are_not_read() -> None:
    sent = {"status": "OK", "data": [{**ROW, "news": None}], "pagination": {"cursor": 1, "count": 1}}
    assert PERPETUAL.parse_candles(json.dumps(sent).encode()) == [CANDLE]


@pytest.mark.parametrize("value", [None, "", "abc", "nan", "inf", "1e400", "-1", "1e19", True, [], {}])
@pytest.mark.parametrize("name", ["o", "l", "h", "c", "v"])
def test_a_price_or_volume_that_is_no_amount_is_malformed(name: str, value: object) -> None:
    with pytest.raises(MalformedAnswer, match="extended sent an answer that cannot be read"):
        PERPETUAL.parse_candles(body([{**ROW, name: value}]))


@pytest.mark.parametrize("value", [None, "", "soon", -1, LATEST + 1, 1777517820000.5, 10**30, True, [], {}])
def test_a_time_that_is_no_moment_is_malformed(value: object) -> None:
    with pytest.raises(MalformedAnswer):
        PERPETUAL.parse_candles(body([{**ROW, "T": value}]))


@pytest.mark.parametrize("name", list(ROW))
def test_a_row_that_lacks_a_key_is_malformed(name: str) -> None:
    with pytest.raises(MalformedAnswer):
        PERPETUAL.parse_candles(body([{key: value for key, value in ROW.items() if key != name}]))


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"status":"OK"}',
        body(None),
        body({}),
        body([None]),
        body([[]]),
        body([{}]),
        body([ROW])[:-1],
        body([ROW])[:60],
        b'{"data":[{"o":"\xff"}]}',
        b"<!DOCTYPE html><html><body>502 Bad Gateway</body></html>",
        b'{"data":' + b"[" * 100_000,
    ],
)
def test_garbage_is_malformed(sent: bytes) -> None:
    with pytest.raises(MalformedAnswer):
        PERPETUAL.parse_candles(sent)


@given(hostile_bodies({"status": "OK", "data": [ROW, ROW]}))
def test_any_bytes_are_malformed_or_sound_candles(sent: bytes) -> None:
    try:
        candles = PERPETUAL.parse_candles(sent)
    except MalformedAnswer:
        return
    for candle in filter(is_sound, candles):
        assert 0 <= candle.open_time <= LATEST
        amounts = (candle.open, candle.high, candle.low, candle.close, candle.volume)
        assert all(0 <= amount <= 1e18 for amount in amounts)
        assert msgspec.json.decode(msgspec.json.encode(candle), type=Candle) == candle


def test_perpetual_markets_are_listed_whatever_their_status_with_their_hyphen() -> None:
    sent = body([BTC_MARKET, {**BTC_MARKET, "name": "EUR-USD", "assetName": "EUR", "status": "DELISTED"}])
    assert PERPETUAL.parse_symbols(sent) == [
        Listing("BTC-USD", "BTC-USD", "BTC", "USD", "ACTIVE", CREATED),
        Listing("EUR-USD", "EUR-USD", "EUR", "USD", "DELISTED", CREATED),
    ]


@pytest.mark.parametrize(("kind", "listed"), [("PERPETUAL", True), ("SPOT", False)])
def test_a_spot_market_is_not_listed(kind: str, listed: bool) -> None:
    assert bool(PERPETUAL.parse_symbols(body([{**BTC_MARKET, "type": kind}]))) is listed


@pytest.mark.parametrize("text", ["BTC-USD", "btc-usd", "BTC/USD", " btc/usd ", "BTC/USD:USDC"])
def test_a_symbol_keeps_its_hyphen(text: str) -> None:
    assert PERPETUAL.canonical(text) == "BTC-USD"


@pytest.mark.parametrize(
    "sent", [b"", b"{}", b"[]", b"<html>", body(None), body({}), body([{}]), body([BTC_MARKET])[:-1], b"\xff"]
)
def test_a_listing_that_cannot_be_read_is_malformed(sent: bytes) -> None:
    with pytest.raises(MalformedAnswer, match="extended sent an answer that cannot be read"):
        PERPETUAL.parse_symbols(sent)


@given(hostile_bodies({"status": "OK", "data": [BTC_MARKET, {**BTC_MARKET, "type": "PERPETUAL"}]}))
def test_any_bytes_are_malformed_or_listings(sent: bytes) -> None:
    try:
        listings = PERPETUAL.parse_symbols(sent)
    except MalformedAnswer:
        return
    assert all(isinstance(found.symbol, str) and found.native == found.symbol for found in listings)


def test_a_date_without_a_zone_is_utc_whatever_the_machines_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        found = parse_time(Answer(200, {"date": "Wed, 10 Aug 2022 00:13:00"}, b""))
    time.tzset()
    assert found == 1660090380000


def test_the_time_is_that_of_the_date_header() -> None:
    assert time_of("Wed, 10 Aug 2022 00:13:00 GMT") == 1660090380000


def test_the_body_of_the_answer_with_the_time_is_not_read() -> None:
    answer = Answer(200, {"date": "Wed, 10 Aug 2022 00:13:00 GMT"}, b"<html>")
    assert parse_time(answer) == 1660090380000


@pytest.mark.parametrize(
    "date", ["", "yesterday", "1660090380", "Wed, 99 Aug 2022 00:13:00 GMT", "Wed, 10 Aug 2022 25:13:00 GMT"]
)
def test_a_date_that_cannot_be_read_is_malformed(date: str) -> None:
    with pytest.raises(MalformedAnswer, match="extended sent no Date header"):
        time_of(date)


def test_an_answer_without_a_date_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        parse_time(Answer(200, {}, body([])))


@given(st.text(max_size=40) | st.text("0123456789 :,+-AugWedGMT", max_size=40))
def test_any_date_is_malformed_or_a_moment(date: str) -> None:
    try:
        moment = time_of(date)
    except MalformedAnswer:
        return
    assert isinstance(moment, int)


@pytest.mark.parametrize("sent", [body([]), body([ROW]), body([BTC_MARKET])])
def test_an_answer_that_is_ok_is_no_failure(sent: bytes) -> None:
    assert PERPETUAL.failure(Answer(200, {}, sent)) is None


@pytest.mark.parametrize(
    "sent", [b"", b"<html>Welcome</html>", b"[]", body([ROW])[:40], b'{"status":"ERROR","error":null}']
)
def test_a_success_that_cannot_be_read_is_left_to_the_parser(sent: bytes) -> None:
    assert PERPETUAL.failure(Answer(200, {}, sent)) is None
    with pytest.raises(MalformedAnswer):
        PERPETUAL.parse_candles(sent)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, 1000, UnknownSymbol),
        (404, 1001, UnknownSymbol),
        (400, 1002, UnknownSymbol),
        (404, "NOT_FOUND", UnknownSymbol),
        (400, 1003, ExchangeRefused),
        (404, 1004, ExchangeRefused),
        (400, 1005, ExchangeRefused),
        (500, 1006, ExchangeUnavailable),
        (400, 1006, ExchangeUnavailable),
        (503, 1010, Maintenance),
        (400, 1010, Maintenance),
        (400, 1011, ExchangeRefused),
        (400, 1012, ExchangeRefused),
        (400, 1014, ExchangeRefused),
        (400, 1123, ExchangeRefused),
        (422, "VALIDATION", ExchangeRefused),
        (401, 1, ExchangeRefused),
        (500, 1, ExchangeUnavailable),
    ],
)
def test_every_documented_code_says_what_the_caller_should_do(
    status: int, code: int | str, kind: type[MarketDataError]
) -> None:
    error = refused(status, code)
    assert type(error) is kind
    assert "Said." in str(error)
    assert str(code) in str(error)


@pytest.mark.parametrize(
    ("code", "kind"), [(1001, UnknownSymbol), (1010, Maintenance), (1005, ExchangeRefused)]
)
def test_an_error_fails_though_the_status_is_200(code: int, kind: type[MarketDataError]) -> None:
    assert type(refused(200, code)) is kind


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, ExchangeRefused),
        (400, ExchangeRefused),
        (401, ExchangeRefused),
        (403, RegionBlocked),
        (404, ExchangeRefused),
        (408, ExchangeUnavailable),
        (422, ExchangeRefused),
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
        b'{"status":"ERROR","error":null}',
        b'{"status":"ERROR"}',
        b"\xff",
        b'{"x":' + b"[" * 100_000,
        body([]),
    ],
)
def test_a_status_alone_says_enough_when_the_body_is_no_refusal(
    status: int, kind: type[MarketDataError], sent: bytes
) -> None:
    error = PERPETUAL.failure(Answer(status, {}, sent))
    assert type(error) is kind
    assert str(error).startswith("extended")
    assert str(status) in str(error)


@pytest.mark.parametrize("code", [429, 1, "RATE_LIMIT"])
def test_too_many_requests_are_followed_by_a_minute_of_silence(code: int | str) -> None:
    error = refused(429, code)
    assert type(error) is RateLimited
    assert error.retry_after == 60.0


@pytest.mark.parametrize(("status", "code"), [(404, 1001), (503, 1010), (500, 1006), (400, 1005)])
def test_only_too_many_requests_have_a_time_to_come_back(status: int, code: int) -> None:
    error = refused(status, code)
    assert error is not None
    assert error.retry_after is None


@pytest.mark.parametrize("status", [403, 451])
def test_a_blocked_address_is_told_which_setting_helps(status: int) -> None:
    assert "EXTENDED_URL" in str(PERPETUAL.failure(Answer(status, {}, b"")))
