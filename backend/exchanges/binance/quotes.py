"""Binance's ticker and order book, spot and USD-M perpetual, after the documents that `market.py` names.

    {"lastPrice":"67540.01","bidPrice":"67540.00","bidQty":"1.2","askPrice":"67540.01","askQty":"0.3",
     "openPrice":"67000.00","highPrice":"68000.00","lowPrice":"66000.00","volume":"12.4","quoteVolume":"838412.1",
     "closeTime":1717200059999}
    {"lastUpdateId":1027024,"bids":[["4.00000000","431.00000000"]],"asks":[["4.00000200","12.00000000"]]}

Perpetual tells no best offers in its ticker, and takes only some limits for the book.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

import msgspec

from backend.core.quotes import OrderBook, Ticker
from backend.exchanges.base import Moment, Request, decode
from backend.exchanges.quotes import Pair, Quotes, sound_book, sound_ticker

VENUE = "binance"
WEIGHT = "weight"


class Day(msgspec.Struct, rename="camel"):
    last_price: Decimal
    open_price: Decimal
    high_price: Decimal
    low_price: Decimal
    volume: Decimal
    quote_volume: Decimal
    close_time: Moment
    bid_price: Decimal | None = None
    bid_qty: Decimal | None = None
    ask_price: Decimal | None = None
    ask_qty: Decimal | None = None


class Depth(msgspec.Struct):
    bids: list[Pair]
    asks: list[Pair]
    time: Moment | None = msgspec.field(name="E", default=None)


_day = msgspec.json.Decoder(Day)
_depth = msgspec.json.Decoder(Depth)


def parse_ticker(body: bytes) -> Ticker:
    day = decode(_day, body, VENUE)
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
    depth = decode(_depth, body, VENUE)
    return sound_book(VENUE, depth.bids, depth.asks, depth.time)


def _quotes(prefix: str, ticker_weight: int, weights: Mapping[int, int]) -> Quotes:
    """`weights` of a book by its limit."""
    return Quotes(
        ticker_request=lambda symbol: Request(
            f"{prefix}/ticker/24hr", {"symbol": symbol}, {WEIGHT: ticker_weight}
        ),
        parse_ticker=parse_ticker,
        depths=tuple(weights),
        book_request=lambda symbol, depth: Request(
            f"{prefix}/depth", {"symbol": symbol, "limit": str(depth)}, {WEIGHT: weights[depth]}
        ),
        parse_book=parse_book,
    )


SPOT = _quotes("/api/v3", 2, MappingProxyType({5: 5, 20: 5, 100: 5, 500: 25, 1000: 50}))
PERPETUAL = _quotes("/fapi/v1", 1, MappingProxyType({5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}))
