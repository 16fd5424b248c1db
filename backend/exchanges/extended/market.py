"""Extended perpetual candles, after https://api.docs.extended.exchange (Info, candles history).

`GET /info/candles/{market}/trades` knows no start: it answers the newest rows up to `endTime`, newest first,
with `limit` required. Whether a candle that opens exactly at `endTime` is included is not known, so requests
end one ms before the next candle. A row is an object of text, `T` its open time:

    {"o":"75650","l":"75640","h":"75660.5","c":"75657.5","v":"1.20331","T":1777517820000}

Long pages come short (about 2800 minutes of 10,000 asked for). There is no clock but the Date header. An
address may send 1000 requests a minute. Symbols keep their hyphen: BTC-USD.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Any

import msgspec

from backend.core.candles import Candle
from backend.core.series import INDEX_PRICES, MARK_PRICES, Listing, canonical_symbol
from backend.core.windows import Window
from backend.errors import (
    ExchangeRefused,
    ExchangeUnavailable,
    Maintenance,
    MalformedAnswer,
    MarketDataError,
    RateLimited,
    UnknownSymbol,
)
from backend.exchanges.base import (
    Amount,
    Answer,
    Budget,
    Exchange,
    Market,
    Moment,
    RateLimit,
    Request,
    RowReader,
    Rows,
    date_header,
    decode,
    excerpt,
    price_candle,
    refusal,
    region_blocked,
)

VENUE = "extended"
URL_SETTING = "EXTENDED_URL"
PAGE_SIZE = 1440
COST = {"requests": 1}
RATE_LIMIT_SECONDS = 60.0


class Row(msgspec.Struct, gc=False):
    open_time: Moment = msgspec.field(name="T")
    open: Amount = msgspec.field(name="o")
    high: Amount = msgspec.field(name="h")
    low: Amount = msgspec.field(name="l")
    close: Amount = msgspec.field(name="c")
    volume: Amount = msgspec.field(name="v")


class PriceRow(msgspec.Struct, gc=False):
    """A mark or index price has no volume."""

    open_time: Moment = msgspec.field(name="T")
    open: Amount = msgspec.field(name="o")
    high: Amount = msgspec.field(name="h")
    low: Amount = msgspec.field(name="l")
    close: Amount = msgspec.field(name="c")


class OpenedRow(msgspec.Struct, gc=False):
    open_time: Moment = msgspec.field(name="T")


class Listed(msgspec.Struct):
    name: str
    status: str
    base: str = msgspec.field(name="assetName")
    quote: str = msgspec.field(name="collateralAssetName")
    type: str = "PERPETUAL"
    created_at: Moment | None = msgspec.field(name="createdAt", default=None)


class Listings(msgspec.Struct):
    data: list[Listed]


class Fault(msgspec.Struct):
    code: int | str = 0
    message: str = ""


class ErrorBody(msgspec.Struct):
    """The body of an error: {"status": "ERROR", "error": {"code": 1001, "message": "Market not found."}}."""

    status: str = ""
    error: Fault = msgspec.field(default_factory=Fault)


_listings = msgspec.json.Decoder(Listings)
_refusal = msgspec.json.Decoder(ErrorBody)

CODES: Mapping[int | str, type[MarketDataError]] = MappingProxyType(
    {
        1000: UnknownSymbol,
        1001: UnknownSymbol,
        1002: UnknownSymbol,
        "NOT_FOUND": UnknownSymbol,
        1006: ExchangeUnavailable,
        1010: Maintenance,
    }
)
"""What an error's code means; a code that is not here refuses the request."""


def candles_request(prices: str, symbol: str, window: Window, _now: int) -> Request:
    """Ask for the minutes of `window`, anchored at its end: of `trades`, `mark-prices` or `index-prices`."""
    return _newest(prices, symbol, window.end - 1, window.minutes)


def newest_before_request(prices: str, symbol: str, end: int) -> Request:
    return _newest(prices, symbol, end - 1, PAGE_SIZE)


def _newest(prices: str, symbol: str, end_time: int, limit: int) -> Request:
    params = {"interval": "PT1M", "limit": str(limit), "endTime": str(end_time)}
    return Request(f"/info/candles/{symbol}/{prices}", params, COST)


def _candle(row: Row) -> Candle:
    return Candle(
        open_time=row.open_time,
        open=row.open,
        high=row.high,
        low=row.low,
        close=row.close,
        volume=row.volume,
    )


def _reader(row: type[Any], page: Any, candle: Callable[[Any], Candle]) -> RowReader[Any]:
    return RowReader(
        VENUE,
        row=row,
        opened=OpenedRow,
        page=page,
        raw_page=Rows[msgspec.Raw],
        rows=lambda page: page.data,
        candle=candle,
    )


parse_candles = _reader(Row, Rows[Row], _candle).read
parse_prices = _reader(PriceRow, Rows[PriceRow], price_candle).read


def parse_symbols(body: bytes) -> list[Listing]:
    return [
        Listing(market.name, market.name, market.base, market.quote, market.status, market.created_at)
        for market in decode(_listings, body, VENUE).data
        if market.type == "PERPETUAL"
    ]


def parse_time(answer: Answer) -> int:
    """The exchange's clock, by the Date header: up to a second behind."""
    moment = date_header(answer)
    if moment is None:
        raise MalformedAnswer(f"{VENUE} sent no Date header")
    return moment


def failure(answer: Answer) -> MarketDataError | None:
    """What an answer's code and status mean for the caller; None for a success."""
    said = refusal(_refusal, answer.body, ErrorBody())
    if answer.status == 200 and said.status != "ERROR":
        return None
    error = said.error
    message = f"{VENUE} answered {answer.status}" + (
        f": {excerpt(error.message)} ({excerpt(str(error.code))})" if error.code else ""
    )
    if answer.status == 429:
        return RateLimited(message, retry_after=RATE_LIMIT_SECONDS)
    if answer.status in (403, 451):
        return region_blocked(VENUE, URL_SETTING, message)
    unavailable = answer.status >= 500 or answer.status == 408
    return CODES.get(error.code, ExchangeUnavailable if unavailable else ExchangeRefused)(message)


PERPETUAL = Market(
    name="perpetual",
    base_url="https://api.starknet.extended.exchange/api/v1",
    url_setting=URL_SETTING,
    budget=Budget(VENUE, (RateLimit("requests", 1000, 60.0),)),
    page_size=lambda _age: PAGE_SIZE,
    candles_request=partial(candles_request, "trades"),
    parse_candles=parse_candles,
    newest_before_request=partial(newest_before_request, "trades"),
    search_rows=PAGE_SIZE,
    symbols_request=Request("/info/markets", cost=COST),
    parse_symbols=parse_symbols,
    time_request=Request("/info/markets", {"market": "BTC-USD"}, COST),
    parse_time=parse_time,
    failure=failure,
    canonical=partial(canonical_symbol, separator="-"),
    ended=("DELISTED", "DISABLED"),
)


def _prices(name: str, prices: str) -> Market:
    """The candles of a price of perpetuals that nobody trades at."""
    return replace(
        PERPETUAL,
        name=name,
        candles_request=partial(candles_request, prices),
        parse_candles=parse_prices,
        newest_before_request=partial(newest_before_request, prices),
    )


MARK, INDEX = _prices(MARK_PRICES, "mark-prices"), _prices(INDEX_PRICES, "index-prices")

EXTENDED = Exchange(VENUE, MappingProxyType({market.name: market for market in (PERPETUAL, MARK, INDEX)}))
