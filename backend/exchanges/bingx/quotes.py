"""BingX's ticker and order book, spot and USDT-M perpetual, after https://bingx-api.github.io/docs-v3.

A ticker of a swap is an object, one of spot a list; numbers come as text or as numbers:

    {"lastPrice":"64880.4","openPrice":"...","highPrice":"...","lowPrice":"...","volume":"...","quoteVolume":"...",
     "closeTime":1672026648425,"askPrice":"...","askQty":"...","bidPrice":"...","bidQty":"..."}
    {"T":1790127586998,"bids":[["86378.9","2.5365"]],"asks":[["86379.1","8.7123"]]}

    {"symbol":"BTC-USDT","lastFundingRate":"0.000013","nextFundingTime":1790150400000,"fundingIntervalHours":8}

`lastFundingRate` is the rate that is paid next. Where a swap's book tells sizes a second time, in `bidsCoin`
and `asksCoin`, those are taken: they are in coins, whatever the others are.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

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

VENUE = "bingx"
REQUESTS = "requests"


class Day(msgspec.Struct, rename="camel"):
    last_price: Decimal
    open_price: Decimal | None = None
    high_price: Decimal | None = None
    low_price: Decimal | None = None
    volume: Decimal | None = None
    quote_volume: Decimal | None = None
    close_time: Moment | None = None
    bid_price: Decimal | None = None
    bid_qty: Decimal | None = None
    ask_price: Decimal | None = None
    ask_qty: Decimal | None = None


class Days(msgspec.Struct):
    data: Day | list[Day]


class Depth(msgspec.Struct):
    bids: list[Pair]
    asks: list[Pair]
    bids_in_coins: list[Pair] | None = msgspec.field(name="bidsCoin", default=None)
    asks_in_coins: list[Pair] | None = msgspec.field(name="asksCoin", default=None)
    time: Moment | None = msgspec.field(name="T", default=None)
    written: Moment | None = msgspec.field(name="ts", default=None)


class Depths(msgspec.Struct):
    data: Depth


class Funding(msgspec.Struct, rename="camel"):
    last_funding_rate: Decimal
    next_funding_time: Moment
    funding_interval_hours: int = 8


class Fundings(msgspec.Struct):
    data: Funding | list[Funding]


_days = msgspec.json.Decoder(Days)
_depths = msgspec.json.Decoder(Depths)
_fundings = msgspec.json.Decoder(Fundings)


def parse_ticker(body: bytes) -> Ticker:
    told = decode(_days, body, VENUE).data
    rows = told if isinstance(told, list) else [told]
    if len(rows) != 1:
        raise MalformedAnswer(f"{VENUE} sent {len(rows)} tickers for one symbol")
    [day] = rows
    ticker = Ticker(
        last=day.last_price,
        bid=day.bid_price,
        bid_size=day.bid_qty,
        ask=day.ask_price,
        ask_size=day.ask_qty,
        open=day.open_price,
        high=day.high_price,
        low=day.low_price,
        volume=day.volume,
        quote_volume=day.quote_volume,
        time=day.close_time,
    )
    return sound_ticker(VENUE, ticker)


def parse_book(body: bytes) -> OrderBook:
    depth = decode(_depths, body, VENUE).data
    bids = depth.bids if depth.bids_in_coins is None else depth.bids_in_coins
    asks = depth.asks if depth.asks_in_coins is None else depth.asks_in_coins
    return sound_book(VENUE, bids, asks, depth.written if depth.time is None else depth.time)


def parse_funding(body: bytes) -> FundingRate:
    told = decode(_fundings, body, VENUE).data
    rows = told if isinstance(told, list) else [told]
    if len(rows) != 1:
        raise MalformedAnswer(f"{VENUE} sent the funding of {len(rows)} symbols for one")
    [row] = rows
    return sound_funding(VENUE, row.last_funding_rate, row.next_funding_time, row.funding_interval_hours)


FUNDING = "/openApi/swap/v2/quote/premiumIndex"
PAID = "/openApi/swap/v2/quote/fundingRate"


class Payment(msgspec.Struct, rename="camel"):
    funding_rate: Decimal
    funding_time: Moment


class Payments(msgspec.Struct):
    data: list[Payment] | None


_payments = msgspec.json.Decoder(Payments)


def parse_payments(body: bytes) -> Sequence[FundingPaid]:
    rows = decode(_payments, body, VENUE).data or ()
    return sound_payments(VENUE, [(row.funding_time, row.funding_rate) for row in rows])


def paid_request(symbol: str, start: int, end: int, _page: int) -> Request:
    """What was paid in a time, the newest 1,000 of it."""
    span = {"startTime": str(start), "endTime": str(end), "limit": "1000"}
    return Request(PAID, {"symbol": symbol, **span}, {REQUESTS: 1})


def _quotes(
    ticker: str,
    book: str,
    funding: FundingQuestion | None = None,
    funding_history: FundingHistory | None = None,
) -> Quotes:
    return Quotes(
        ticker_request=lambda symbol: Request(ticker, {"symbol": symbol}, {REQUESTS: 1}),
        parse_ticker=parse_ticker,
        depths=(5, 10, 20, 50, 100, 500, 1000),
        book_request=lambda symbol, depth: Request(
            book, {"symbol": symbol, "limit": str(depth)}, {REQUESTS: 1}
        ),
        parse_book=parse_book,
        funding=funding,
        funding_history=funding_history,
    )


SPOT = _quotes("/openApi/spot/v1/ticker/24hr", "/openApi/spot/v1/market/depth")
PERPETUAL = _quotes(
    "/openApi/swap/v2/quote/ticker",
    "/openApi/swap/v2/quote/depth",
    FundingQuestion(lambda symbol: Request(FUNDING, {"symbol": symbol}, {REQUESTS: 1}), parse_funding),
    FundingHistory(paid_request, parse_payments),
)
