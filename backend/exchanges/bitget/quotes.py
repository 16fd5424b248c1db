"""Bitget's ticker and order book, spot and USDT-M perpetual, after the documents that `market.py` names.

A ticker is a list with one row, whose empty fields are "". Books of contracts have numbers, others text:

    [{"lastPr":"37583.69","bidPr":"37583.68","bidSz":"0.0007","askPr":"37583.69","askSz":"0.0829",
      "high24h":"...","low24h":"...","open":"37202.46","baseVolume":"13907.0386",
      "quoteVolume":"519127705.303","ts":"1700532903261"}]
    {"asks":[["34567.15","0.0131"]],"bids":[["34567","0.2917"]],"ts":"1698303884584"}
    [{"symbol":"BTCUSDT","fundingRate":"0.0001","fundingRateInterval":"8","nextUpdate":"1789459200000"}]
    {"asks":[[26347.5,0.25]],"bids":[[26346.5,0.16]],"ts":"1695870968804"}

Contracts name the price of a day ago `open24h`. Their book is `merge-depth` at `scale0`, its finest steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

import msgspec

from backend.core.quotes import FundingPaid, FundingRate, OrderBook, Ticker
from backend.errors import MalformedAnswer
from backend.exchanges.base import Moment, Request, decode
from backend.exchanges.quotes import (
    FundingHistory,
    FundingQuestion,
    Pair,
    Quotes,
    sound_book,
    sound_funding,
    sound_payments,
    sound_ticker,
)

VENUE = "bitget"
ADDRESS = "address"
SPOT_TICKER, SPOT_BOOK = "/api/v2/spot/market/tickers", "/api/v2/spot/market/orderbook"
PERPETUAL_TICKER, PERPETUAL_BOOK = "/api/v2/mix/market/ticker", "/api/v2/mix/market/merge-depth"
FUNDING = "/api/v2/mix/market/current-fund-rate"
PAID = "/api/v2/mix/market/history-fund-rate"
PATHS = (SPOT_TICKER, SPOT_BOOK, PERPETUAL_TICKER, PERPETUAL_BOOK, FUNDING, PAID)


class Day(msgspec.Struct):
    last: Decimal = msgspec.field(name="lastPr")
    time: Moment = msgspec.field(name="ts")
    bid: Decimal | None = msgspec.field(name="bidPr", default=None)
    bid_size: Decimal | None = msgspec.field(name="bidSz", default=None)
    ask: Decimal | None = msgspec.field(name="askPr", default=None)
    ask_size: Decimal | None = msgspec.field(name="askSz", default=None)
    open: Decimal | None = None
    open_24h: Decimal | None = msgspec.field(name="open24h", default=None)
    high: Decimal | None = msgspec.field(name="high24h", default=None)
    low: Decimal | None = msgspec.field(name="low24h", default=None)
    volume: Decimal | None = msgspec.field(name="baseVolume", default=None)
    quote_volume: Decimal | None = msgspec.field(name="quoteVolume", default=None)


class Days(msgspec.Struct):
    data: list[Day]


class Depth(msgspec.Struct):
    bids: list[Pair]
    asks: list[Pair]
    time: Moment = msgspec.field(name="ts")


class Depths(msgspec.Struct):
    data: Depth


class Funding(msgspec.Struct):
    rate: Decimal = msgspec.field(name="fundingRate")
    hours: int = msgspec.field(name="fundingRateInterval")
    due: Moment = msgspec.field(name="nextUpdate")


class Fundings(msgspec.Struct):
    data: list[Funding]


_days = msgspec.json.Decoder(Days, strict=False)
_depths = msgspec.json.Decoder(Depths, strict=False)
_fundings = msgspec.json.Decoder(Fundings, strict=False)


def parse_ticker(body: bytes) -> Ticker:
    # A quote inside of a JSON text is written \\", so this meets empty texts alone.
    rows = decode(_days, body.replace(b':""', b":null"), VENUE).data
    if len(rows) != 1:
        raise MalformedAnswer(f"{VENUE} sent {len(rows)} tickers for one symbol")
    [day] = rows
    ticker = Ticker(
        last=day.last,
        bid=day.bid,
        bid_size=day.bid_size,
        ask=day.ask,
        ask_size=day.ask_size,
        open=day.open if day.open_24h is None else day.open_24h,
        high=day.high,
        low=day.low,
        volume=day.volume,
        quote_volume=day.quote_volume,
        time=day.time,
    )
    return sound_ticker(VENUE, ticker)


def parse_book(body: bytes) -> OrderBook:
    depth = decode(_depths, body, VENUE).data
    return sound_book(VENUE, depth.bids, depth.asks, depth.time)


def parse_funding(body: bytes) -> FundingRate:
    rows = decode(_fundings, body, VENUE).data
    if len(rows) != 1:
        raise MalformedAnswer(f"{VENUE} sent the funding of {len(rows)} symbols for one")
    return sound_funding(VENUE, rows[0].rate, rows[0].due, rows[0].hours)


class Payment(msgspec.Struct):
    rate: Decimal = msgspec.field(name="fundingRate")
    time: int = msgspec.field(name="fundingTime")


class Payments(msgspec.Struct):
    data: list[Payment]


_payments = msgspec.json.Decoder(Payments, strict=False)


def parse_payments(body: bytes) -> Sequence[FundingPaid]:
    rows = decode(_payments, body, VENUE).data
    return sound_payments(VENUE, [(row.time, row.rate) for row in rows])


def paid_request(symbol: str, _start: int, _end: int, page: int) -> Request:
    """A page of what was paid. The venue takes no times."""
    pages = {"pageSize": "100", "pageNo": str(page)}
    return _request(PAID, {**_CONTRACT, "symbol": symbol, **pages})


def _request(path: str, params: Mapping[str, str]) -> Request:
    return Request(path, params, {path: 1, ADDRESS: 1})


UNSAID = 100
"""Offers that come without a limit. As a limit it is not taken."""

_CONTRACT = MappingProxyType({"productType": "USDT-FUTURES"})

SPOT = Quotes(
    ticker_request=lambda symbol: _request(SPOT_TICKER, {"symbol": symbol}),
    parse_ticker=parse_ticker,
    depths=(150,),
    book_request=lambda symbol, depth: _request(
        SPOT_BOOK, {"symbol": symbol, "type": "step0", "limit": str(depth)}
    ),
    parse_book=parse_book,
)

PERPETUAL = Quotes(
    ticker_request=lambda symbol: _request(PERPETUAL_TICKER, {**_CONTRACT, "symbol": symbol}),
    parse_ticker=parse_ticker,
    depths=(5, 15, 50, UNSAID),
    book_request=lambda symbol, depth: _request(
        PERPETUAL_BOOK,
        {**_CONTRACT, "symbol": symbol, "precision": "scale0"}
        | ({} if depth == UNSAID else {"limit": str(depth)}),
    ),
    parse_book=parse_book,
    funding=FundingQuestion(lambda symbol: _request(FUNDING, {**_CONTRACT, "symbol": symbol}), parse_funding),
    funding_history=FundingHistory(paid_request, parse_payments),
)
