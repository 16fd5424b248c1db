"""Extended's ticker and order book, after https://api.docs.extended.exchange (Info).

    {"dailyVolume":"231016077.5","dailyVolumeBase":"3025.0","dailyLow":"75635","dailyHigh":"77399",
     "lastPrice":"77259","askPrice":"77260","bidPrice":"77259"}
    {"market":"BTC-USD","bid":[{"qty":"0.04","price":"61827"}],"ask":[{"qty":"0.04","price":"61840"}]}

Neither says of which moment it is. The book comes whole. Funding is paid each hour; the statistics tell the
rate and the moment of the next payment, and a history of its own what was paid, the newest first:

    {"m":"BTC-USD","T":1701563440000,"f":"0.001"}

The newest trades of a market: `S` is the side of the one who took, `tT` is TRADE, LIQUIDATION or DELEVERAGE:

    {"i":1844000421446684673,"m":"BTC-USD","S":"BUY","tT":"TRADE","T":1701563440000,"p":"58853.4","q":"0.09"}
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from backend.core.quotes import FundingPaid, FundingRate, MarketTrade, OrderBook, Ticker
from backend.exchanges.base import Moment, Request, decode
from backend.exchanges.quotes import (
    FundingHistory,
    FundingQuestion,
    Pair,
    Quotes,
    TradesQuestion,
    sound_book,
    sound_funding,
    sound_payments,
    sound_ticker,
    sound_trades,
)

VENUE = "extended"
COST = {"requests": 1}
WHOLE = 1000
"""Stands for the whole book."""


class Day(msgspec.Struct, rename="camel"):
    last_price: Decimal
    bid_price: Decimal | None = None
    ask_price: Decimal | None = None
    daily_high: Decimal | None = None
    daily_low: Decimal | None = None
    daily_volume: Decimal | None = None
    daily_volume_base: Decimal | None = None


class Days(msgspec.Struct):
    data: Day


class Next(msgspec.Struct, rename="camel"):
    funding_rate: Decimal
    next_funding_rate: Moment
    """The moment, whatever its name says."""


class Nexts(msgspec.Struct):
    data: Next


class Payment(msgspec.Struct):
    time: Moment = msgspec.field(name="T")
    rate: Decimal = msgspec.field(name="f")


class Payments(msgspec.Struct):
    data: list[Payment]


class Trade(msgspec.Struct):
    id: int = msgspec.field(name="i")
    side: Literal["BUY", "SELL"] = msgspec.field(name="S")
    kind: str = msgspec.field(name="tT")
    time: Moment = msgspec.field(name="T")
    price: Decimal = msgspec.field(name="p")
    size: Decimal = msgspec.field(name="q")


class Trades(msgspec.Struct):
    data: list[Trade]


class Offer(msgspec.Struct):
    qty: Decimal
    price: Decimal


class Depth(msgspec.Struct):
    bid: list[Offer]
    ask: list[Offer]


class Depths(msgspec.Struct):
    data: Depth


_days = msgspec.json.Decoder(Days)
_depths = msgspec.json.Decoder(Depths)
_nexts = msgspec.json.Decoder(Nexts)
_payments = msgspec.json.Decoder(Payments)
_trades = msgspec.json.Decoder(Trades)


def parse_ticker(body: bytes) -> Ticker:
    day = decode(_days, body, VENUE).data
    ticker = Ticker(
        last=day.last_price,
        bid=day.bid_price,
        ask=day.ask_price,
        high=day.daily_high,
        low=day.daily_low,
        volume=day.daily_volume_base,
        quote_volume=day.daily_volume,
    )
    return sound_ticker(VENUE, ticker)


def parse_book(body: bytes) -> OrderBook:
    depth = decode(_depths, body, VENUE).data
    return sound_book(VENUE, _pairs(depth.bid), _pairs(depth.ask), None)


def parse_funding(body: bytes) -> FundingRate:
    told = decode(_nexts, body, VENUE).data
    return sound_funding(VENUE, told.funding_rate, told.next_funding_rate, 1)


def parse_payments(body: bytes) -> Sequence[FundingPaid]:
    rows = decode(_payments, body, VENUE).data
    return sound_payments(VENUE, [(row.time, row.rate) for row in rows])


def parse_trades(body: bytes) -> Sequence[MarketTrade]:
    return sound_trades(
        VENUE,
        [
            MarketTrade(
                id=str(row.id),
                time=row.time,
                side="buy" if row.side == "BUY" else "sell",
                price=row.price,
                size=row.size,
                kind=row.kind,
            )
            for row in decode(_trades, body, VENUE).data
        ],
    )


def paid_request(symbol: str, start: int, end: int, _page: int) -> Request:
    """What was paid in a time, the newest 1,000 of it."""
    span = {"startTime": str(start), "endTime": str(end), "limit": "1000"}
    return Request(f"/info/{symbol}/funding", span, COST)


def _pairs(offers: Sequence[Offer]) -> list[Pair]:
    return [(offer.price, offer.qty) for offer in offers]


PERPETUAL = Quotes(
    ticker_request=lambda symbol: Request(f"/info/markets/{symbol}/stats", cost=COST),
    parse_ticker=parse_ticker,
    depths=(WHOLE,),
    book_request=lambda symbol, _depth: Request(f"/info/markets/{symbol}/orderbook", cost=COST),
    parse_book=parse_book,
    funding=FundingQuestion(
        lambda symbol: Request(f"/info/markets/{symbol}/stats", cost=COST), parse_funding
    ),
    funding_history=FundingHistory(paid_request, parse_payments),
    trades=TradesQuestion(lambda symbol: Request(f"/info/markets/{symbol}/trades", cost=COST), parse_trades),
)
