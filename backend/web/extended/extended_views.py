"""Rows of this service in Extended's words. Pure."""

from __future__ import annotations

from decimal import Decimal

from backend.core.columns import Columns
from backend.core.quotes import FundingPaid, FundingRate, MarketTrade, OrderBook, Ticker
from backend.core.series import Listing
from backend.trading.intents import Intent
from backend.trading.money import plain, total
from backend.trading.rows import Balance, Fee, FeeRates, Fill, Order, Position, Setup, Status
from backend.web.extended import extended_shapes as shapes

STATUSES = {
    Status.OPEN: "NEW",
    Status.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    Status.FILLED: "FILLED",
    Status.CANCELLED: "CANCELLED",
    Status.EXPIRED: "EXPIRED",
    Status.FAILED: "REJECTED",
}


def _text(number: Decimal | None) -> str | None:
    return None if number is None else plain(number)


def _paid(fees: tuple[Fee, ...]) -> str:
    return plain(total(fee.paid for fee in fees))


def market(row: Listing) -> shapes.ExtendedMarket:
    return shapes.ExtendedMarket(
        name=row.symbol, asset_name=row.base, collateral_asset_name=row.quote, status=row.status
    )


def stats(row: Ticker, funding: FundingRate | None) -> shapes.ExtendedStats:
    return shapes.ExtendedStats(
        last_price=plain(row.last),
        bid_price=_text(row.bid),
        ask_price=_text(row.ask),
        daily_high=_text(row.high),
        daily_low=_text(row.low),
        daily_volume=_text(row.quote_volume),
        daily_volume_base=_text(row.volume),
        funding_rate=None if funding is None else plain(funding.rate),
        next_funding_rate=None if funding is None else funding.due,
    )


def book(symbol: str, row: OrderBook) -> shapes.ExtendedBook:
    bid, ask = (
        [shapes.ExtendedOffer(price=plain(one.price), qty=plain(one.size)) for one in side]
        for side in (row.bids, row.asks)
    )
    return shapes.ExtendedBook(market=symbol, bid=bid, ask=ask)


def market_trade(symbol: str, row: MarketTrade) -> shapes.ExtendedMarketTrade:
    return shapes.ExtendedMarketTrade(
        i=int(row.id),
        m=symbol,
        S=row.side.upper(),
        tT=row.kind,
        T=row.time,
        p=plain(row.price),
        q=plain(row.size),
    )


def candles(columns: Columns) -> list[shapes.ExtendedCandle]:
    """The shortest text that is the stored number."""
    prices = (columns.open, columns.high, columns.low, columns.close, columns.volume)
    rows = zip(columns.open_time.tolist(), *(column.tolist() for column in prices), strict=True)
    return [
        shapes.ExtendedCandle(T=time, o=_price(o), h=_price(h), l=_price(low), c=_price(c), v=_price(v))
        for time, o, h, low, c, v in rows
    ]


def _price(number: float) -> str:
    return plain(Decimal(repr(number)))


def funding(symbol: str, row: FundingPaid) -> shapes.ExtendedFunding:
    return shapes.ExtendedFunding(m=symbol, T=row.time, f=plain(row.rate))


def balance(row: Balance) -> shapes.ExtendedBalance:
    return shapes.ExtendedBalance(
        collateral_name=row.coin,
        equity=_text(row.equity),
        available_for_trade=plain(row.available),
        initial_margin=_text(row.frozen),
    )


def position(row: Position) -> shapes.ExtendedPosition:
    return shapes.ExtendedPosition(
        market=row.symbol,
        side="SHORT" if row.size < 0 else "LONG",
        leverage=_text(row.leverage),
        size=plain(abs(row.size)),
        open_price=plain(row.entry_price),
        mark_price=_text(row.mark_price),
        liquidation_price=_text(row.liquidation_price),
        unrealised_pnl=_text(row.unrealised),
        updated_time=row.updated,
    )


def leverage(row: Setup) -> shapes.ExtendedLeverage:
    return shapes.ExtendedLeverage(market=row.symbol, leverage=_text(row.long))


def fees(symbol: str, row: FeeRates) -> shapes.ExtendedFees:
    return shapes.ExtendedFees(
        market=symbol, maker_fee_rate=plain(row.maker), taker_fee_rate=plain(row.taker)
    )


def order(row: Order) -> shapes.ExtendedOrder:
    return shapes.ExtendedOrder(
        id=row.order_id,
        external_id=row.client_id,
        market=row.symbol,
        type=row.kind.upper(),
        side="BUY" if row.side == "buy" else "SELL",
        status=STATUSES[row.status],
        price=_text(row.price),
        average_price=_text(row.average_price),
        qty=_text(row.size),
        filled_qty=plain(row.filled),
        payed_fee=_paid(row.fees),
        reduce_only=bool(row.reduce_only),
        created_time=row.created,
        updated_time=row.updated,
    )


def trade(row: Fill) -> shapes.ExtendedTrade:
    return shapes.ExtendedTrade(
        id=row.fill_id,
        order_id=row.order_id,
        market=row.symbol,
        side=None if row.side is None else "BUY" if row.side == "buy" else "SELL",
        price=plain(row.price),
        qty=plain(row.size),
        value=_text(row.value),
        fee=_paid(row.fees),
        is_taker=None if row.role is None else row.role == "taker",
        created_time=row.time,
    )


def placed(row: Intent) -> shapes.ExtendedPlaced:
    return shapes.ExtendedPlaced(id=row.order_id, external_id=row.id, state=row.state.value)
