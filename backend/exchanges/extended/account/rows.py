"""What Extended tells of an account, after https://api.docs.extended.exchange (Account). Rows, shortened:

    {"id":17755117,"externalId":"i1","market":"ETH-USD","type":"LIMIT","side":"BUY","status":"FILLED",
     "price":"3300","averagePrice":"3297.00","qty":"0.2","filledQty":"0.1","payedFee":"0.012",
     "reduceOnly":false,"createdTime":1767225600123,"updatedTime":1767225600123}
    {"id":17849638,"market":"BTC-USD","orderId":92233720,"side":"BUY","price":"58853.4","qty":"0.09",
     "value":"5296.806","fee":"1.3242","tradeType":"TRADE","createdTime":1767225600123,"isTaker":true}
    {"id":8341,"market":"BNB-USD","fundingFee":"-0.1","paidTime":1723147241346}
    {"id":"19512551","type":"TRANSFER","status":"COMPLETED","amount":"-3.00","fee":"0","time":1754050449502}

An account has one wallet in US dollars, and one position a market.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

import msgspec

from backend.exchanges.extended.market import VENUE
from backend.exchanges.private.wire import SIDES, Id, Name, When, known
from backend.trading.money import Exact, opposite
from backend.trading.rows import Balance, Bill, Fee, FeeRates, Fill, Order, Position, Product, Status

Data = TypeVar("Data")

COIN = "USD"
PRODUCT = Product.PERPETUAL_USD

STATUSES: Mapping[str, Status] = MappingProxyType(
    {
        "new": Status.OPEN,
        "untriggered": Status.OPEN,
        "triggered": Status.OPEN,
        "partially_filled": Status.PARTIALLY_FILLED,
        "filled": Status.FILLED,
        "cancelled": Status.CANCELLED,
        "expired": Status.EXPIRED,
        "rejected": Status.FAILED,
    }
)
SHORT: Mapping[str, bool] = MappingProxyType({"long": False, "short": True})
LEAVES = ("withdrawal", "fast_withdrawal", "slow_withdrawal")
"""Words for money that leaves the account: documents and examples differ on the sign of their amounts."""
COMES = ("deposit", "claim")


class Cursor(msgspec.Struct):
    cursor: Id = ""


class Paged(msgspec.Struct, Generic[Data]):
    """The envelope of a page. A last one may have no cursor."""

    data: list[Data] = []
    pagination: Cursor | None = None


class BalanceRow(msgspec.Struct, rename="camel"):
    available_for_trade: Exact
    initial_margin: Exact | None = None
    equity: Exact | None = None

    def balance(self) -> Balance:
        return Balance(
            coin=COIN, available=self.available_for_trade, frozen=self.initial_margin, equity=self.equity
        )


class Rates(msgspec.Struct, rename="camel"):
    market: Name
    maker_fee_rate: Exact
    taker_fee_rate: Exact

    def rates(self) -> FeeRates:
        return FeeRates(maker=self.maker_fee_rate, taker=self.taker_fee_rate)


class PositionRow(msgspec.Struct, rename="camel"):
    """REST says `updatedTime`, sockets say `updatedAt`."""

    market: Name
    side: Name
    size: Exact
    open_price: Exact
    mark_price: Exact | None = None
    leverage: Exact | None = None
    unrealised_pnl: Exact | None = None
    liquidation_price: Exact | None = None
    updated_time: When | None = None
    updated_at: When | None = None

    def position(self) -> Position:
        size = self.size.copy_abs()
        return Position(
            product=PRODUCT,
            symbol=self.market,
            held="net",
            size=opposite(size) if known(SHORT, self.side, VENUE) else size,
            entry_price=self.open_price,
            mark_price=self.mark_price,
            leverage=self.leverage,
            margin_mode="crossed",
            margin_coin=COIN,
            unrealised=self.unrealised_pnl,
            liquidation_price=self.liquidation_price or None,
            updated=self.updated_time or self.updated_at,
        )


class OrderRow(msgspec.Struct, rename="camel"):
    id: Id
    market: Name
    type: Name
    side: Name
    status: Name
    created_time: When
    external_id: str = ""
    status_reason: str = ""
    price: Exact | None = None
    average_price: Exact | None = None
    qty: Exact | None = None
    filled_qty: Exact = Exact(0)
    payed_fee: Exact | None = None
    reduce_only: bool = False
    updated_time: When | None = None

    def order(self) -> Order:
        """The price of a market order is the worst one that it takes: no wish of its owner."""
        kind = self.type.lower()
        reason = self.status_reason.lower()
        return Order(
            product=PRODUCT,
            symbol=self.market,
            order_id=str(self.id),
            client_id=self.external_id,
            side=known(SIDES, self.side, VENUE),
            held="net",
            kind=kind,
            status=known(STATUSES, self.status, VENUE),
            price=None if kind == "market" else self.price or None,
            size=self.qty or None,
            filled=self.filled_qty,
            average_price=self.average_price or None,
            fees=(Fee(COIN, self.payed_fee),) if self.payed_fee else (),
            reduce_only=self.reduce_only,
            source="" if reason == "none" else reason,
            created=self.created_time,
            updated=self.updated_time or self.created_time,
        )


class TradeRow(msgspec.Struct, rename="camel"):
    id: Id
    market: Name
    order_id: Id
    side: Name
    price: Exact
    qty: Exact
    created_time: When
    value: Exact | None = None
    fee: Exact | None = None
    is_taker: bool | None = None

    def fill(self) -> Fill:
        return Fill(
            product=PRODUCT,
            symbol=self.market,
            fill_id=str(self.id),
            order_id=str(self.order_id),
            side=known(SIDES, self.side, VENUE),
            price=self.price,
            size=self.qty,
            value=self.value,
            fees=() if self.fee is None else (Fee(COIN, self.fee),),
            role=None if self.is_taker is None else "taker" if self.is_taker else "maker",
            realised=None,
            time=self.created_time,
        )


class FundingRow(msgspec.Struct, rename="camel"):
    id: Id
    market: Name
    funding_fee: Exact
    paid_time: When

    def bill(self) -> Bill:
        return Bill(
            product=PRODUCT,
            bill_id=f"funding-{self.id}",
            symbol=self.market,
            coin=COIN,
            kind="funding",
            amount=self.funding_fee,
            fee=None,
            balance=None,
            time=self.paid_time,
        )


class OperationRow(msgspec.Struct, rename="camel"):
    """Money that came or went. One that is not done yet is told by its state."""

    id: Id
    type: Name
    status: Name
    amount: Exact
    time: When
    fee: Exact | None = None

    def bill(self) -> Bill:
        kind, status = self.type.lower(), self.status.lower()
        amount = self.amount
        if kind in LEAVES:
            amount = Exact(opposite(amount.copy_abs()))
        elif kind in COMES:
            amount = Exact(amount.copy_abs())
        return Bill(
            product=PRODUCT,
            bill_id=str(self.id),
            symbol="",
            coin=COIN,
            kind=kind if status == "completed" else f"{kind}_{status}",
            amount=amount,
            fee=self.fee,
            balance=None,
            time=self.time,
        )


class LeverageRow(msgspec.Struct):
    market: Name
    leverage: Exact
