"""The shapes of `/extended/v1`, in the words of Extended's own interface. Amounts are text. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from backend.web.api.common_shapes import Shape

Money = Annotated[str, Meta(description="A decimal number, exact")]
Time = Annotated[int, Meta(description="Unix milliseconds")]


class ExtendedPagination(Shape):
    """`cursor` asks for the next page; null on the last one."""

    cursor: str | None
    count: int


class ExtendedAnswer(Struct):
    """The envelope of every success. `pagination` is there where rows come in pages."""

    status: Literal["ok"]
    data: Any
    pagination: ExtendedPagination | None


class ExtendedFault(Shape):
    """`code` is one of this service's error codes."""

    code: str
    message: str


class ExtendedError(Shape):
    """The envelope of every error."""

    status: Literal["error"]
    error: ExtendedFault


class ExtendedMarket(Shape, rename="camel"):
    name: str
    asset_name: str
    collateral_asset_name: str
    status: str


class ExtendedStats(Shape, rename="camel"):
    """`nextFundingRate` is the moment of the next payment, as at the exchange."""

    last_price: Money
    bid_price: Money | None
    ask_price: Money | None
    daily_high: Money | None
    daily_low: Money | None
    daily_volume: Money | None
    daily_volume_base: Money | None
    funding_rate: Money | None
    next_funding_rate: Time | None


class ExtendedOffer(Shape):
    price: Money
    qty: Money


class ExtendedBook(Shape):
    market: str
    bid: list[ExtendedOffer]
    ask: list[ExtendedOffer]


class ExtendedMarketTrade(Shape):
    """A trade of anybody's at `T`; `S` is the side of the one who took the offer."""

    i: int
    m: str
    S: Annotated[str, Meta(description="BUY or SELL")]
    tT: Annotated[str, Meta(description="TRADE, LIQUIDATION or DELEVERAGE")]
    T: Time
    p: Money
    q: Money


class ExtendedCandle(Shape):
    """`T` is the open time."""

    o: Money
    h: Money
    l: Money  # noqa: E741 - the exchange's word
    c: Money
    v: Money
    T: Time


class ExtendedFunding(Shape):
    """What was paid at `T`."""

    m: str
    T: Time
    f: Money


class ExtendedBalance(Shape, rename="camel"):
    collateral_name: str
    equity: Money | None
    available_for_trade: Money
    initial_margin: Money | None


class ExtendedPosition(Shape, rename="camel"):
    market: str
    side: Literal["LONG", "SHORT"]
    leverage: Money | None
    size: Money
    open_price: Money
    mark_price: Money | None
    liquidation_price: Money | None
    unrealised_pnl: Money | None
    updated_time: Time | None


class ExtendedLeverage(Shape):
    market: str
    leverage: Money | None


class ExtendedFees(Shape, rename="camel"):
    market: str
    maker_fee_rate: Money
    taker_fee_rate: Money


class ExtendedOrder(Shape, rename="camel"):
    id: Annotated[str, Meta(description="The exchange's id")]
    external_id: Annotated[str, Meta(description="The client order id")]
    market: str
    type: str
    side: Literal["BUY", "SELL"]
    status: str
    price: Money | None
    average_price: Money | None
    qty: Money | None
    filled_qty: Money
    payed_fee: Money
    reduce_only: bool
    created_time: Time
    updated_time: Time


class ExtendedTrade(Shape, rename="camel"):
    id: str
    order_id: str
    market: str
    side: Literal["BUY", "SELL"] | None
    price: Money
    qty: Money
    value: Money | None
    fee: Money
    is_taker: bool | None
    created_time: Time


class ExtendedPlaced(Shape, rename="camel"):
    """`state` is that of the order at this service: `unknown` if nobody knows yet whether it exists."""

    id: Annotated[str, Meta(description="The exchange's id; empty until it is known")]
    external_id: Annotated[str, Meta(description="The order's id at this service, for GET, PATCH and DELETE")]
    state: str


class ExtendedCancelled(Shape):
    cancelled: int
