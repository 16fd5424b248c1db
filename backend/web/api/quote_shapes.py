"""The shapes of answers about prices now. Prices and sizes are text, so that no program rounds them. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from backend.web.api.common_shapes import Answer, Moment, Shape

Number = Annotated[str, Meta(description="A decimal number, exact")]
MaybeNumber = Annotated[
    str | None, Meta(description="A decimal number, exact; null: the exchange does not say")
]
ItsTime = Annotated[Moment | None, Meta(description="The exchange's own time of this; null: it does not say")]


class Quoted(Answer, kw_only=True):
    """Which market, and when its exchange was asked."""

    symbol: str
    exchange: str
    market: str
    read_at: Annotated[Moment, Meta(description="When the exchange was asked")]
    age_ms: Annotated[int, Meta(ge=0, description="How long ago that was")]


class Ticker(Shape):
    """The last price, the best offers, and the last 24 hours."""

    last: Number
    bid: MaybeNumber
    bid_size: MaybeNumber
    ask: MaybeNumber
    ask_size: MaybeNumber
    open: Annotated[str | None, Meta(description="The price 24 hours ago; null: the exchange does not say")]
    high: MaybeNumber
    low: MaybeNumber
    volume: Annotated[str | None, Meta(description="In the base currency; null: the exchange does not say")]
    quote_volume: Annotated[
        str | None, Meta(description="In the quote currency; null: the exchange does not say")
    ]
    time: ItsTime


class TickerAnswer(Quoted, kw_only=True):
    ticker: Ticker


class Offer(Shape):
    price: Annotated[str, Meta(description="In the quote currency, exact")]
    size: Annotated[str, Meta(description="In the base currency, exact")]


class OrderBookAnswer(Quoted, kw_only=True):
    bids: Annotated[list[Offer], Meta(description="The highest price first")]
    asks: Annotated[list[Offer], Meta(description="The lowest price first")]
    time: ItsTime
