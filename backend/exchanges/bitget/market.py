"""Bitget spot and USDT-M perpetual candles (v2), after https://www.bitget.com/api-doc/spot/market/Get-Candle-Data.

Young candles are in `candles` (1000 rows, about 30 days of one-minute ones), all of them in `history-candles`
(200 rows, never the forming one). Both answer oldest first and keep the newest rows before `endTime`, which
is exclusive; `startTime` is not to be trusted, so windows are anchored at their end. A row is text: open
time, open, high, low, close, base volume, then on spot the turnover in USDT before the quote volume:

    ["1656604800000","37834.5","37849.5","37773.5","37773.5","428.3462","16198849.1079","16198849.1079"]

Success is code "00000", refusals are HTTP 400 with a code of text. Each endpoint takes 20 calls a second (the
clock perhaps 10) and an address 6000 a minute; a 429 names no time to wait, and what follows a breach is
minutes of refusals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec

from backend.core.candles import Candle
from backend.core.series import INDEX_PRICES, MARK_PRICES, Listing
from backend.core.windows import HOUR, MINUTE, Window
from backend.errors import (
    ExchangeRefused,
    ExchangeUnavailable,
    Maintenance,
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
    Rows,
    decode,
    excerpt,
    price_candle,
    refusal,
    region_blocked,
)
from backend.exchanges.bitget import quotes
from backend.exchanges.bitget import socket as bitget_socket
from backend.exchanges.bitget.market_rows import ErrorBody, PerpetualRow, ServerTime, SpotRow, Symbols

VENUE = "bitget"
URL_SETTING = "BITGET_URL"
SUCCESS = "00000"

RECENT_PAGE, HISTORY_PAGE = 1000, 200
RECENT_AGE = 29 * 24 * HOUR
"""Younger candles are asked of `candles`; it keeps about 30 days."""

RATE_LIMIT_SECONDS = 5.0
"""How long to keep quiet after a 429, which names no time."""

ADDRESS = "address"
NOTHING: Mapping[str, str] = MappingProxyType({})
PRODUCT: Mapping[str, str] = MappingProxyType({"productType": "USDT-FUTURES"})
SPOT_ROOT, PERPETUAL_ROOT = "/api/v2/spot/market", "/api/v2/mix/market"
SPOT_SYMBOLS, PERPETUAL_SYMBOLS = "/api/v2/spot/public/symbols", "/api/v2/mix/market/contracts"
TIME = "/api/v2/public/time"


_symbols = msgspec.json.Decoder(Symbols)
_time = msgspec.json.Decoder(ServerTime, strict=False)
_refusal = msgspec.json.Decoder(ErrorBody)

_MAINTENANCE = ("40200", "40308", "40604", "40015", "45001", "40725", "40808")
CODES: Mapping[str, type[MarketDataError]] = MappingProxyType(
    {
        "40034": UnknownSymbol,
        "40309": UnknownSymbol,
        "25100": UnknownSymbol,
        "429": RateLimited,
        "25004": RateLimited,
        **dict.fromkeys(_MAINTENANCE, Maintenance),
    }
)
"""The meaning of error codes. Any other code means: the request is refused."""


def page_size(age: int) -> int:
    return RECENT_PAGE if age < RECENT_AGE else HISTORY_PAGE


def candles_request(
    root: str,
    interval: str,
    extra: Mapping[str, str],
    symbol: str,
    window: Window,
    now: int,
    *,
    prices: str = "",
) -> Request:
    """Ask the place that keeps candles of that age for the minutes before the window's end: of trades, or of
    `mark` or `index` prices."""
    limit = page_size(now - window.start)
    bounds = {"endTime": str(window.end), "limit": str(limit)}
    if limit == RECENT_PAGE:
        bounds["startTime"] = str(window.start - MINUTE)
        # In small letters: of others the venue thinks that they mean trades.
        bounds |= {"kLineType": prices} if prices else {}
    path = f"{root}/candles" if limit == RECENT_PAGE else _history(root, prices)
    return _request(path, {"symbol": symbol, "granularity": interval, **extra, **bounds})


def newest_before_request(
    root: str, interval: str, extra: Mapping[str, str], symbol: str, end: int, *, prices: str = ""
) -> Request:
    """The page of history before `end`."""
    bounds = {"endTime": str(end), "limit": str(HISTORY_PAGE)}
    params = {"symbol": symbol, "granularity": interval, **extra, **bounds}
    return _request(_history(root, prices), params)


def _history(root: str, prices: str) -> str:
    return f"{root}/history-{prices}-candles" if prices else f"{root}/history-candles"


def _request(path: str, params: Mapping[str, str] = NOTHING) -> Request:
    """Each endpoint has a limit of its own, and the address one over all."""
    return Request(path, params, {path: 1, ADDRESS: 1})


def _candle(row: SpotRow | PerpetualRow) -> Candle:
    return Candle(
        open_time=row.open_time,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
        quote_volume=row.quote_volume,
    )


def _reader(row: type[Any], page: Any, candle: Callable[[Any], Candle] = _candle) -> RowReader[Any]:
    return RowReader(
        VENUE,
        row=row,
        opened=OpenedFirst,
        page=page,
        raw_page=Rows[msgspec.Raw],
        rows=lambda page: page.data,
        candle=candle,
    )


parse_spot = _reader(SpotRow, Rows[SpotRow]).read
parse_perpetual = _reader(PerpetualRow, Rows[PerpetualRow]).read
parse_prices = _reader(PerpetualRow, Rows[PerpetualRow], price_candle).read


def parse_symbols(body: bytes) -> list[Listing]:
    """Spot symbols, or contracts without end date."""
    return [
        Listing(
            symbol.symbol,
            symbol.symbol,
            symbol.base,
            symbol.quote,
            symbol.status or symbol.symbol_status,
            _moment(symbol.launch_time),
        )
        for symbol in decode(_symbols, body, VENUE).data
        if symbol.symbol_type in ("", "perpetual")
    ]


def _moment(text: str | None) -> int | None:
    """A time in ms as text; None where it is unset, which is written "" or "-1"."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) <= 14 else None


def parse_time(answer: Answer) -> int:
    """The exchange's clock, Unix ms."""
    return decode(_time, answer.body, VENUE).data.server_time


def failure(answer: Answer) -> MarketDataError | None:
    """What an answer's code and status mean for the caller; None for a success."""
    said = refusal(_refusal, answer.body, ErrorBody())
    if answer.status == 200 and said.code in (SUCCESS, ""):
        return None
    told = f": {excerpt(said.msg)} ({excerpt(said.code)})" if said.msg else ""
    message = f"{VENUE} answered {answer.status}{told}"
    if answer.status in (403, 451):
        return region_blocked(VENUE, URL_SETTING, message)
    if answer.status == 429:
        return RateLimited(message, retry_after=RATE_LIMIT_SECONDS)
    unavailable = answer.status >= 500 or answer.status == 408
    kind = CODES.get(said.code, ExchangeUnavailable if unavailable else ExchangeRefused)
    return kind(message, retry_after=RATE_LIMIT_SECONDS if kind is RateLimited else None)


_CANDLES = [
    *(f"{root}/{kind}" for root in (SPOT_ROOT, PERPETUAL_ROOT) for kind in ("candles", "history-candles")),
    *(_history(PERPETUAL_ROOT, prices) for prices in ("mark", "index")),
]

BUDGET = Budget(
    VENUE,
    (
        *(RateLimit(path, 20, 1.0) for path in (*_CANDLES, SPOT_SYMBOLS, PERPETUAL_SYMBOLS, *quotes.PATHS)),
        RateLimit(TIME, 10, 1.0),
        RateLimit(ADDRESS, 6000, 60.0),
    ),
)

_SPOT = (SPOT_ROOT, "1min", NOTHING)
_PERPETUAL = (PERPETUAL_ROOT, "1m", PRODUCT)

SPOT = Market(
    name="spot",
    base_url="https://api.bitget.com",
    url_setting=URL_SETTING,
    budget=BUDGET,
    page_size=page_size,
    candles_request=partial(candles_request, *_SPOT),
    parse_candles=parse_spot,
    newest_before_request=partial(newest_before_request, *_SPOT),
    search_rows=HISTORY_PAGE,
    symbols_request=_request(SPOT_SYMBOLS),
    parse_symbols=parse_symbols,
    time_request=_request(TIME),
    parse_time=parse_time,
    failure=failure,
    socket=bitget_socket.SPOT,
    ended=("offline",),
)

PERPETUAL = Market(
    name="perpetual",
    base_url="https://api.bitget.com",
    url_setting=URL_SETTING,
    budget=BUDGET,
    page_size=page_size,
    candles_request=partial(candles_request, *_PERPETUAL),
    parse_candles=parse_perpetual,
    newest_before_request=partial(newest_before_request, *_PERPETUAL),
    search_rows=HISTORY_PAGE,
    symbols_request=_request(PERPETUAL_SYMBOLS, PRODUCT),
    parse_symbols=parse_symbols,
    time_request=_request(TIME),
    parse_time=parse_time,
    failure=failure,
    socket=bitget_socket.PERPETUAL,
    ended=("off",),
)


def _prices(name: str, prices: str) -> Market:
    """The candles of a price of perpetuals that nobody trades at."""
    return replace(
        PERPETUAL,
        name=name,
        candles_request=partial(candles_request, *_PERPETUAL, prices=prices),
        parse_candles=parse_prices,
        newest_before_request=partial(newest_before_request, *_PERPETUAL, prices=prices),
        socket=None,
    )


MARK, INDEX = _prices(MARK_PRICES, "mark"), _prices(INDEX_PRICES, "index")

BITGET = Exchange(VENUE, MappingProxyType({market.name: market for market in (SPOT, PERPETUAL, MARK, INDEX)}))
