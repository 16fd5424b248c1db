"""BingX spot and perpetual swap candles, after https://bingx-api.github.io/docs-v3.

Candles come newest first, at most 1440 a call, and a window that holds more keeps the newest. Errors arrive
as HTTP 200 with a code that is not 0. A spot row is eight bare numbers, a swap row an object of text:

    [1702720620000,42216.29,42216.94,42216.29,42216.72,0.2,1702720679999,8548.46]
    {"open":"64175.4","close":"64160.1","high":"64200.0","low":"64100.5","volume":"1.7765","time":1702717260000}

that is on spot open time, open, high, low, close, base volume, close time, quote volume. `startTime` leaves
out the candle that opens exactly there on spot, includes it on swap; whether spot's `endTime` is included is
not known: so requests begin a ms early and ask for one row more than their window holds. Market data may be
asked for 500 times in 10 s; sources differ on whether the endpoints share that, so all of it counts as one.
Refusals are 429 or code 100410, then a block of minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec

from backend.core.candles import Candle
from backend.core.series import MARK_PRICES, Listing, canonical_symbol
from backend.core.symbol_pair import splits
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
    Answer,
    Budget,
    Exchange,
    Market,
    OpenedFirst,
    RateLimit,
    Request,
    RowReader,
    decode,
    excerpt,
    price_candle,
    refusal,
    region_blocked,
    whole_number,
)
from backend.exchanges.bingx import socket as bingx_socket
from backend.exchanges.bingx.market_rows import (
    Candles,
    Contracts,
    ErrorBody,
    MarkRow,
    OpenedMarkRow,
    OpenedSwapRow,
    ServerTime,
    SpotRow,
    SpotSymbol,
    SpotSymbols,
    SwapRow,
)

VENUE = "bingx"
URL_SETTING = "BINGX_URL"
LIMIT = 1440
REQUESTS = "requests"
CAPACITY = 500
BLOCK_SECONDS = 300.0
BUSY_SECONDS = 10.0
NOTHING_FOUND = 100204


_spot_symbols = msgspec.json.Decoder(SpotSymbols)
_contracts = msgspec.json.Decoder(Contracts)
_time = msgspec.json.Decoder(ServerTime)
_refusal = msgspec.json.Decoder(ErrorBody)

CODES: Mapping[int, type[MarketDataError]] = MappingProxyType(
    {
        100490: UnknownSymbol,
        109415: UnknownSymbol,
        109417: UnknownSymbol,
        109418: UnknownSymbol,
        109425: UnknownSymbol,
        100410: RateLimited,
        109429: RateLimited,
        100500: ExchangeUnavailable,
        100503: ExchangeUnavailable,
        109500: ExchangeUnavailable,
        110500: ExchangeUnavailable,
        101500: ExchangeUnavailable,
    }
)
"""The meaning of error codes. Any other code means: the request is refused."""

STATUSES = MappingProxyType({0: "offline", 1: "online", 5: "announced", 25: "no new positions"})


def candles_request(path: str, extra: Mapping[str, str], symbol: str, window: Window, _now: int) -> Request:
    """Ask for the minutes of `window`, whichever way its bounds are read."""
    bounds = {"startTime": str(window.start - 1), "endTime": str(window.end), "limit": str(LIMIT)}
    return Request(path, {"symbol": symbol, "interval": "1m", **extra, **bounds}, {REQUESTS: 1})


def newest_before_request(path: str, extra: Mapping[str, str], symbol: str, end: int) -> Request:
    """The newest rows before `end`; on spot perhaps the one that opens exactly there as well."""
    bounds = {"endTime": str(end), "limit": str(LIMIT)}
    return Request(path, {"symbol": symbol, "interval": "1m", **extra, **bounds}, {REQUESTS: 1})


def _candle(row: SpotRow | SwapRow) -> Candle:
    return Candle(
        open_time=row.open_time,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        quote_volume=row.quote_volume if isinstance(row, SpotRow) else None,
    )


def _reader(
    row: type[Any], opened: type[Any], page: Any, candle: Callable[[Any], Candle] = _candle
) -> RowReader[Any]:
    return RowReader(
        VENUE,
        row=row,
        opened=opened,
        page=page,
        raw_page=Candles[msgspec.Raw],
        rows=lambda page: page.data or (),
        candle=candle,
    )


parse_spot = _reader(SpotRow, OpenedFirst, Candles[SpotRow]).read
parse_swap = _reader(SwapRow, OpenedSwapRow, Candles[SwapRow]).read
parse_mark = _reader(MarkRow, OpenedMarkRow, Candles[MarkRow], price_candle).read


def parse_spot_symbols(body: bytes) -> list[Listing]:
    listed = (_spot_listing(symbol) for symbol in decode(_spot_symbols, body, VENUE).data.symbols)
    return [listing for listing in listed if listing]


def parse_contracts(body: bytes) -> list[Listing]:
    listed = (
        _listing(contract.symbol, contract.asset, contract.currency, contract.status, contract.launch_time)
        for contract in decode(_contracts, body, VENUE).data
    )
    return [listing for listing in listed if listing]


def _spot_listing(symbol: SpotSymbol) -> Listing | None:
    base, _, quote = symbol.symbol.rpartition("-")
    return _listing(symbol.symbol, base, quote, symbol.status, symbol.time_online)


def _listing(native: str, base: str, quote: str, status: int, launched: int) -> Listing | None:
    """None for a name that has no spelling of ours, and so cannot be asked for. Launched at 0: not told."""
    try:
        symbol = canonical_symbol(native)
    except ValueError:
        return None
    return Listing(symbol, native, base, quote, STATUSES.get(status, str(status)), launched or None)


def spellings(symbol: str) -> list[str]:
    """How BingX may write a symbol that it does not list (any more): "BTCUSDT" -> "BTC-USDT"."""
    return [f"{pair.base}-{pair.quote}" for pair in splits(symbol)]


def parse_time(answer: Answer) -> int:
    """The exchange's clock, Unix ms."""
    return decode(_time, answer.body, VENUE).data.server_time


def used(headers: Mapping[str, str]) -> dict[str, int]:
    """The calls this address has made in the running window, by BingX's count."""
    left = whole_number(headers.get("x-ratelimit-requests-remain"))
    return {} if left is None else {REQUESTS: max(CAPACITY - left, 0)}


def failure(answer: Answer) -> MarketDataError | None:
    """What an answer's code and status mean for the caller; None for a success."""
    said = refusal(_refusal, answer.body, ErrorBody())
    if answer.status == 200 and said.code == 0:
        return None
    told = f": {excerpt(said.msg)} ({said.code})" if said.code else ""
    message = f"{VENUE} answered {answer.status}{told}"
    match answer.status:
        case 418:
            return Banned(message, retry_after=BLOCK_SECONDS)
        case 429:
            return RateLimited(message, retry_after=_seconds_to_wait(answer))
        case 403:
            return RateLimited(f"{VENUE}'s firewall refuses this address", retry_after=BLOCK_SECONDS)
        case 451:
            return region_blocked(VENUE, URL_SETTING, message)
    if said.code == NOTHING_FOUND:
        return _nothing_found(said.msg, message)
    unavailable = answer.status >= 500 or answer.status == 408
    kind = CODES.get(said.code, ExchangeUnavailable if unavailable else ExchangeRefused)
    return kind(message, retry_after=_seconds_to_wait(answer) if kind is RateLimited else None)


def _nothing_found(msg: str, message: str) -> MarketDataError | None:
    """One code, four meanings: only its text tells a wrong symbol or window from a lack of candles."""
    if "symbol" in msg:
        return UnknownSymbol(message)
    if "too wide" in msg:
        return ExchangeRefused(message)
    return None


def _seconds_to_wait(answer: Answer) -> float:
    """To the end of the window, which the header gives in ms; one window where it does not."""
    left = whole_number(answer.headers.get("x-ratelimit-requests-expire"))
    return BUSY_SECONDS if left is None else max(left / 1000, 1.0)


BUDGET = Budget(VENUE, (RateLimit(REQUESTS, CAPACITY, 10.0),), used, careful=0.5)

_SPOT: tuple[str, Mapping[str, str]] = ("/openApi/spot/v1/market/kline", MappingProxyType({"timeZone": "0"}))
_SWAP: tuple[str, Mapping[str, str]] = ("/openApi/swap/v3/quote/klines", MappingProxyType({}))
_MARK: tuple[str, Mapping[str, str]] = ("/openApi/swap/v1/market/markPriceKlines", MappingProxyType({}))

SPOT = Market(
    name="spot",
    base_url="https://open-api.bingx.com",
    url_setting=URL_SETTING,
    budget=BUDGET,
    page_size=lambda _age: LIMIT - 1,
    candles_request=partial(candles_request, *_SPOT),
    parse_candles=parse_spot,
    newest_before_request=partial(newest_before_request, *_SPOT),
    search_rows=LIMIT - 1,
    symbols_request=Request("/openApi/spot/v1/common/symbols", cost={REQUESTS: 1}),
    parse_symbols=parse_spot_symbols,
    time_request=Request("/openApi/spot/v1/server/time", cost={REQUESTS: 1}),
    parse_time=parse_time,
    failure=failure,
    spellings=spellings,
    socket=bingx_socket.SPOT,
    ended=("offline",),
)

PERPETUAL = Market(
    name="perpetual",
    base_url="https://open-api.bingx.com",
    url_setting=URL_SETTING,
    budget=BUDGET,
    page_size=lambda _age: LIMIT - 1,
    candles_request=partial(candles_request, *_SWAP),
    parse_candles=parse_swap,
    newest_before_request=partial(newest_before_request, *_SWAP),
    search_rows=LIMIT - 1,
    symbols_request=Request("/openApi/swap/v2/quote/contracts", cost={REQUESTS: 1}),
    parse_symbols=parse_contracts,
    time_request=Request("/openApi/swap/v2/server/time", cost={REQUESTS: 1}),
    parse_time=parse_time,
    failure=failure,
    spellings=spellings,
    socket=bingx_socket.PERPETUAL,
    ended=("offline",),
)

MARK = replace(
    PERPETUAL,
    name=MARK_PRICES,
    candles_request=partial(candles_request, *_MARK),
    parse_candles=parse_mark,
    newest_before_request=partial(newest_before_request, *_MARK),
    socket=None,
)
"""Candles of index prices are not offered."""

BINGX = Exchange(VENUE, MappingProxyType({market.name: market for market in (SPOT, PERPETUAL, MARK)}))
