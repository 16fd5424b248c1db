"""Binance spot candles, after https://developers.binance.com/docs/binance-spot-api-docs/rest-api.

`GET /api/v3/klines` answers at most 1000 rows, oldest first, with both bounds inclusive on open time, for
weight 2 whatever the number of rows. One row has twelve places; times are ms, prices and volumes are text:

    [1717200000000, "67540.01", "67561.22", "67530.00", "67555.10", "12.4123",
     1717200059999, "838412.1193", 1034, "6.1002", "412003.519", "0"]

that is open time, open, high, low, close, base volume, close time, quote volume, number of trades, base and
quote volume bought by takers, unused. The last row may be the minute that is still forming. An address may
spend 6000 weight a minute; `X-MBX-USED-WEIGHT-1M` says what it has spent. Refusals are 429, and 418 for
those who do not listen, both with Retry-After in seconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Annotated

import msgspec

from backend.clock import LATEST
from backend.core.candles import Candle
from backend.core.coverage import Window
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
from backend.exchanges.base import Answer, Budget, Exchange, Market, RateLimit, Request

Amount = Annotated[float, msgspec.Meta(ge=0, le=1e18)]
Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Moment = Annotated[int, msgspec.Meta(ge=0, le=LATEST)]


class KlineRow(msgspec.Struct, array_like=True, gc=False):
    """The wire row, in its order; places after these are not read."""

    open_time: Moment
    open: Amount
    high: Amount
    low: Amount
    close: Amount
    volume: Amount
    close_time: Moment
    quote_volume: Amount
    trades: Count
    taker_buy_volume: Amount
    taker_buy_quote_volume: Amount


class ServerTime(msgspec.Struct):
    server_time: Moment = msgspec.field(name="serverTime")


class Refusal(msgspec.Struct):
    """The body of an error: {"code": -1121, "msg": "Invalid symbol."}."""

    code: int
    msg: str


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

_klines = msgspec.json.Decoder(list[KlineRow], strict=False)
_time = msgspec.json.Decoder(ServerTime)
_refusal = msgspec.json.Decoder(Refusal)

WEIGHT = "weight"
KLINES_PATH = "/api/v3/klines"
PAGE_SIZE = 1000
URL_SETTING = "BINANCE_SPOT_URL"

UNKNOWN_SYMBOL_CODES = frozenset({-1100, -1121})
OVERLOAD_CODES = frozenset({-1000, -1001, -1003, -1007, -1008, -1016})
FIREWALL_SECONDS = 300.0
SHORTEST_BAN_SECONDS = 120.0


def candles_request(symbol: str, window: Window) -> Request:
    """Ask for the minutes of `window`, at most 1000 of them; Binance's bounds are both inclusive."""
    return _klines_request(
        symbol, startTime=str(window.start), endTime=str(window.end - 1), limit=str(PAGE_SIZE)
    )


def first_candle_request(symbol: str) -> Request:
    return _klines_request(symbol, startTime="0", limit="1")


def _klines_request(symbol: str, **bounds: str) -> Request:
    return Request(KLINES_PATH, {"symbol": symbol, "interval": "1m", **bounds}, {WEIGHT: 2})


def parse_candles(body: bytes) -> list[Candle]:
    """Decode the rows of an answer as they came; MalformedAnswer if any is not a kline."""
    try:
        rows = _klines.decode(body)
    except UNREADABLE as error:
        raise MalformedAnswer(f"binance sent klines that cannot be read: {error}") from error
    return [
        Candle(
            open_time=row.open_time,
            open=row.open,
            high=row.high,
            low=row.low,
            close=row.close,
            volume=row.volume,
            quote_volume=row.quote_volume,
            trades=row.trades,
            taker_buy_volume=row.taker_buy_volume,
            taker_buy_quote_volume=row.taker_buy_quote_volume,
        )
        for row in rows
    ]


def parse_time(body: bytes) -> int:
    """The exchange's clock, Unix ms."""
    try:
        return _time.decode(body).server_time
    except UNREADABLE as error:
        raise MalformedAnswer(f"binance sent a time that cannot be read: {error}") from error


def used(headers: Mapping[str, str]) -> dict[str, int]:
    """The weight this address has spent in the running minute, by Binance's count."""
    spent = _number(headers.get("x-mbx-used-weight-1m"))
    return {} if spent is None else {WEIGHT: spent}


def failure(answer: Answer) -> MarketDataError | None:
    """What an answer's status and error code mean for the caller; None for a success."""
    if answer.status == 200:
        return None
    refusal = _read_refusal(answer.body)
    said = f"binance answered {answer.status}" + (f": {refusal.msg}" if refusal.msg else "")
    retry_after = _number(answer.headers.get("retry-after"))
    if answer.status == 418:
        return Banned(said, retry_after=retry_after or _ban_seconds(answer, refusal))
    if answer.status == 429:
        return RateLimited(said, retry_after=retry_after)
    if answer.status == 451:
        return RegionBlocked(
            f"binance does not serve this region: set {URL_SETTING} to a base URL that does ({said})"
        )
    if answer.status == 403:
        return RateLimited(f"binance's firewall refuses this address: {said}", retry_after=FIREWALL_SECONDS)
    if refusal.code in UNKNOWN_SYMBOL_CODES:
        return UnknownSymbol(f"binance does not list this symbol: {refusal.msg}")
    if answer.status >= 500 or answer.status == 408 or refusal.code in OVERLOAD_CODES:
        return ExchangeUnavailable(said, retry_after=retry_after)
    return ExchangeRefused(said)


def _read_refusal(body: bytes) -> Refusal:
    try:
        return _refusal.decode(body)
    except UNREADABLE:
        return Refusal(code=0, msg="")


def _number(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


def _ban_seconds(answer: Answer, refusal: Refusal) -> float:
    """How long a ban lasts that only its text dates, "banned until 1660090423228", by the answer's clock."""
    until = re.search(r"until (\d{13})\b", refusal.msg, re.ASCII)
    try:
        said_at = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except ValueError:
        return SHORTEST_BAN_SECONDS
    return max(int(until[1]) / 1000 - said_at, 0) if until else SHORTEST_BAN_SECONDS


SPOT = Market(
    name="spot",
    base_url="https://api.binance.com",
    url_setting=URL_SETTING,
    budget=Budget("binance-spot", (RateLimit(WEIGHT, 6000, 60.0),), used),
    page_size=PAGE_SIZE,
    candles_request=candles_request,
    parse_candles=parse_candles,
    first_candle_request=first_candle_request,
    time_request=Request("/api/v3/time", cost={WEIGHT: 1}),
    parse_time=parse_time,
    failure=failure,
)

BINANCE = Exchange("binance", MappingProxyType({SPOT.name: SPOT}))
