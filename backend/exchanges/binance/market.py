"""Binance spot and USD-M perpetual candles.

Documents: https://developers.binance.com/docs/binance-spot-api-docs/rest-api and
https://developers.binance.com/docs/derivatives/usds-margined-futures/market-data/rest-api.

Klines come oldest first, both bounds inclusive on open time. Spot gives at most 1000 rows for weight 2
whatever the number; perpetual gives 499 rows for weight 2, the most rows a weight, and refuses a limit over
1500. One row has twelve places; times are ms, prices and volumes are text:

    [1717200000000, "67540.01", "67561.22", "67530.00", "67555.10", "12.4123",
     1717200059999, "838412.1193", 1034, "6.1002", "412003.519", "0"]

that is open time, open, high, low, close, base volume, close time, quote volume, number of trades, base and
quote volume bought by takers, unused. The last row may be the minute that is still forming. An address may
spend 6000 weight a minute on spot and 2400 on futures; `X-MBX-USED-WEIGHT-1M` says what it has spent.
Refusals are 429, and 418 for those who do not listen, both with Retry-After in seconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType

import msgspec

from backend.core.candles import Candle
from backend.core.series import INDEX_PRICES, MARK_PRICES, Listing
from backend.core.windows import Window
from backend.errors import (
    Banned,
    ExchangeRefused,
    ExchangeUnavailable,
    MarketDataError,
    RateLimited,
    UnknownSymbol,
)
from backend.exchanges.base import (
    Amount,
    Answer,
    Budget,
    Count,
    Exchange,
    Market,
    Moment,
    OpenedFirst,
    RateLimit,
    Request,
    RowReader,
    date_header,
    decode,
    excerpt,
    price_candle,
    refusal,
    region_blocked,
    whole_number,
)
from backend.exchanges.binance import socket as binance_socket

VENUE = "binance"


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


class Symbol(msgspec.Struct):
    """A symbol of exchangeInfo; the last two places are on futures only."""

    symbol: str
    status: str
    base: str = msgspec.field(name="baseAsset")
    quote: str = msgspec.field(name="quoteAsset")
    contract_type: str = msgspec.field(name="contractType", default="")
    onboard_date: Moment | None = msgspec.field(name="onboardDate", default=None)


class ExchangeInfo(msgspec.Struct):
    symbols: list[Symbol]


class ErrorBody(msgspec.Struct):
    """The body of an error: {"code": -1121, "msg": "Invalid symbol."}."""

    code: int = 0
    msg: str = ""


_time = msgspec.json.Decoder(ServerTime)
_info = msgspec.json.Decoder(ExchangeInfo)
_refusal = msgspec.json.Decoder(ErrorBody)

WEIGHT = "weight"
CODES: Mapping[int, type[MarketDataError]] = MappingProxyType(
    {
        -1100: UnknownSymbol,
        -1121: UnknownSymbol,
        -1000: ExchangeUnavailable,
        -1001: ExchangeUnavailable,
        -1003: RateLimited,
        -1007: ExchangeUnavailable,
        -1008: ExchangeUnavailable,
        -1016: ExchangeUnavailable,
    }
)
"""The meaning of error codes. Any other code means: the request is refused."""

FIREWALL_SECONDS = 300.0
SHORTEST_BAN_SECONDS = 120.0


def candles_request(
    path: str, page: int, symbol: str, window: Window, _now: int, *, named: str = "symbol"
) -> Request:
    """Ask for the minutes of `window`; Binance's bounds are both inclusive. `named` is the word for a symbol:
    index prices are of a pair."""
    bounds = {"startTime": str(window.start), "endTime": str(window.end - 1), "limit": str(page)}
    return Request(path, {named: symbol, "interval": "1m", **bounds}, {WEIGHT: 2})


def earliest_request(path: str, symbol: str, *, named: str = "symbol") -> Request:
    """The oldest candle: from the beginning of time, one row."""
    bounds = {"startTime": "0", "limit": "1"}
    return Request(path, {named: symbol, "interval": "1m", **bounds}, {WEIGHT: 2})


def _candle(row: KlineRow) -> Candle:
    return Candle(
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


def _reader(candle: Callable[[KlineRow], Candle]) -> RowReader[KlineRow]:
    return RowReader(
        VENUE,
        row=KlineRow,
        opened=OpenedFirst,
        page=list[KlineRow],
        raw_page=list[msgspec.Raw],
        rows=lambda page: page,
        candle=candle,
    )


parse_candles = _reader(_candle).read
"""The rows of an answer as they came."""
parse_prices = _reader(price_candle).read
"""Those of mark and index prices: in place of trades they count samples."""


def parse_symbols(contract_type: str, body: bytes) -> list[Listing]:
    """What exchangeInfo lists whose type of contract ends so ("" on spot, which has none)."""
    return [
        Listing(symbol.symbol, symbol.symbol, symbol.base, symbol.quote, symbol.status, symbol.onboard_date)
        for symbol in decode(_info, body, VENUE).symbols
        if symbol.contract_type.endswith(contract_type)
    ]


def parse_time(answer: Answer) -> int:
    """The exchange's clock, Unix ms."""
    return decode(_time, answer.body, VENUE).server_time


def used(headers: Mapping[str, str]) -> dict[str, int]:
    """The weight this address has spent in the running minute, by Binance's count."""
    spent = whole_number(headers.get("x-mbx-used-weight-1m"))
    return {} if spent is None else {WEIGHT: spent}


def failure(url_setting: str, answer: Answer) -> MarketDataError | None:
    """What an answer's status and error code mean for the caller; None for a success."""
    if answer.status == 200:
        return None
    said = refusal(_refusal, answer.body, ErrorBody())
    message = f"{VENUE} answered {answer.status}" + (f": {excerpt(said.msg)}" if said.msg else "")
    retry_after = whole_number(answer.headers.get("retry-after"))
    match answer.status:
        case 418:
            return Banned(message, retry_after=retry_after or _ban_seconds(answer, said))
        case 429:
            return RateLimited(message, retry_after=retry_after)
        case 451:
            return region_blocked(VENUE, url_setting, message)
        case 403:
            return RateLimited(f"{VENUE}'s firewall refuses this address", retry_after=FIREWALL_SECONDS)
    unavailable = answer.status >= 500 or answer.status == 408
    kind = CODES.get(said.code, ExchangeUnavailable if unavailable else ExchangeRefused)
    return kind(message, retry_after=retry_after)


def _ban_seconds(answer: Answer, said: ErrorBody) -> float:
    """How long a ban lasts that only its text dates, "banned until 1660090423228", by the answer's clock."""
    until = re.search(r"until (\d{13})\b", excerpt(said.msg), re.ASCII)
    said_at = date_header(answer)
    if until is None or said_at is None:
        return SHORTEST_BAN_SECONDS
    return max(int(until[1]) - said_at, 0) / 1000


SPOT = Market(
    name="spot",
    base_url="https://api.binance.com",
    url_setting="BINANCE_SPOT_URL",
    budget=Budget("binance-spot", (RateLimit(WEIGHT, 6000, 60.0),), used),
    page_size=lambda _age: 1000,
    candles_request=partial(candles_request, "/api/v3/klines", 1000),
    parse_candles=parse_candles,
    earliest_request=partial(earliest_request, "/api/v3/klines"),
    symbols_request=Request("/api/v3/exchangeInfo", {"showPermissionSets": "false"}, {WEIGHT: 20}),
    parse_symbols=partial(parse_symbols, ""),
    time_request=Request("/api/v3/time", cost={WEIGHT: 1}),
    parse_time=parse_time,
    failure=partial(failure, "BINANCE_SPOT_URL"),
    socket=binance_socket.SPOT,
    ended=("BREAK",),
)

PERPETUAL = Market(
    name="perpetual",
    base_url="https://fapi.binance.com",
    url_setting="BINANCE_PERPETUAL_URL",
    budget=Budget("binance-perpetual", (RateLimit(WEIGHT, 2400, 60.0),), used),
    page_size=lambda _age: 499,
    candles_request=partial(candles_request, "/fapi/v1/klines", 499),
    parse_candles=parse_candles,
    earliest_request=partial(earliest_request, "/fapi/v1/klines"),
    symbols_request=Request("/fapi/v1/exchangeInfo", cost={WEIGHT: 1}),
    parse_symbols=partial(parse_symbols, "PERPETUAL"),
    time_request=Request("/fapi/v1/time", cost={WEIGHT: 1}),
    parse_time=parse_time,
    failure=partial(failure, "BINANCE_PERPETUAL_URL"),
    socket=binance_socket.PERPETUAL,
    ended=("CLOSE", "SETTLING", "PRE_SETTLE", "PRE_DELIVERING", "DELIVERING", "DELIVERED"),
)


def _prices(name: str, path: str, named: str) -> Market:
    """The candles of a price of perpetuals that nobody trades at."""
    return replace(
        PERPETUAL,
        name=name,
        candles_request=partial(candles_request, path, 499, named=named),
        parse_candles=parse_prices,
        earliest_request=partial(earliest_request, path, named=named),
        socket=None,
    )


MARK = _prices(MARK_PRICES, "/fapi/v1/markPriceKlines", "symbol")
INDEX = _prices(INDEX_PRICES, "/fapi/v1/indexPriceKlines", "pair")

BINANCE = Exchange(
    VENUE, MappingProxyType({market.name: market for market in (SPOT, PERPETUAL, MARK, INDEX)})
)
