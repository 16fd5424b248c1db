"""What Bitget's unified account (v3) tells. Rows of an order, a fill and a bill, shortened:

{"orderId":"11","clientOid":"a","category":"USDT-FUTURES","symbol":"BTCUSDT","orderType":"market","side":"sell",
 "price":"0","qty":"0.0001","cumExecQty":"0.0001","avgPrice":"107005.4","orderStatus":"filled",
 "posSide":"long","holdMode":"hedge_mode","reduceOnly":"NO","feeDetail":[{"feeCoin":"USDT","fee":"0.0064"}],
 "createdTime":"1751020520442","updatedTime":"1751020520457","execType":"normal"}
{"execId":"12","orderId":"11","symbol":"BTCUSDT","side":"sell","execPrice":"107005.4","execQty":"0.0001",
 "execValue":"10.7005","tradeScope":"taker","feeDetail":[{"feeCoin":"USDT","fee":"0.0064"}],
 "execPnl":"0.01","createdTime":"1751020520457"}
{"id":"13","symbol":"BTCUSDT","coin":"BTC","type":"ORDER_DEALT_IN","fee":"-0.00000531","amount":"0.0053",
 "balance":"55.1","ts":"1745853486185"}
"""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

from backend.exchanges.bitget.account.asking import STATUSES, YES_NO
from backend.exchanges.bitget.account.classic_rows import HEDGED, HELD
from backend.exchanges.bitget.market import VENUE
from backend.exchanges.private.wire import ROLES, SIDES, Id, Name, When, known
from backend.trading.money import Exact, opposite
from backend.trading.rows import Balance, Bill, Fee, FeeRates, Fill, Held, Order, Position, Product

Row = TypeVar("Row")


class Listing(msgspec.Struct, Generic[Row]):
    """Rows, and what asks for the next page."""

    rows: list[Row] = msgspec.field(name="list", default_factory=list)
    cursor: Id | None = None


class AssetRow(msgspec.Struct, rename="camel"):
    coin: Name
    available: Exact
    locked: Exact | None = None
    equity: Exact | None = None

    def balance(self) -> Balance:
        return Balance(
            coin=self.coin.upper(), available=self.available, frozen=self.locked, equity=self.equity
        )


class Assets(msgspec.Struct):
    assets: list[AssetRow] = []


class Rates(msgspec.Struct, rename="camel"):
    maker_fee_rate: Exact
    taker_fee_rate: Exact

    def rates(self) -> FeeRates:
        return FeeRates(maker=self.maker_fee_rate, taker=self.taker_fee_rate)


class PositionRow(msgspec.Struct, rename="camel"):
    symbol: Name
    pos_side: Name
    hold_mode: Name
    total: Exact
    avg_price: Exact
    margin_coin: str = ""
    margin_mode: str = ""
    leverage: Exact | None = None
    mark_price: Exact | None = None
    unrealised_pnl: Exact | None = None
    liquidation_price: Exact | None = None
    updated_time: When | None = None

    def position(self, product: Product) -> Position:
        side = known(HELD, self.pos_side, VENUE)
        hedged = self.hold_mode == HEDGED
        return Position(
            product=product,
            symbol=self.symbol.upper(),
            held=side if hedged else "net",
            size=self.total if hedged or side == "long" else opposite(self.total),
            entry_price=self.avg_price,
            mark_price=self.mark_price,
            leverage=self.leverage,
            margin_mode=self.margin_mode,
            margin_coin=self.margin_coin.upper(),
            unrealised=self.unrealised_pnl,
            liquidation_price=self.liquidation_price or None,
            updated=self.updated_time,
        )


class FeeRow(msgspec.Struct, rename="camel"):
    fee_coin: Name
    fee: Exact = Exact(0)


class OrderRow(msgspec.Struct, rename="camel"):
    symbol: Name
    order_id: Id
    side: Name
    order_status: Name
    created_time: When
    qty: Exact | None = None
    client_oid: str = ""
    order_type: str = ""
    exec_type: str = ""
    price: Exact | None = None
    cum_exec_qty: Exact = Exact(0)
    avg_price: Exact | None = None
    pos_side: str = ""
    hold_mode: str = ""
    reduce_only: str = ""
    fee_detail: list[FeeRow] = []
    updated_time: When | None = None

    def order(self, product: Product) -> Order:
        return Order(
            product=product,
            symbol=self.symbol.upper(),
            order_id=str(self.order_id),
            client_id=self.client_oid,
            side=known(SIDES, self.side, VENUE),
            held=self._held(product),
            kind=self.order_type.lower(),
            status=known(STATUSES, self.order_status, VENUE),
            price=self.price or None,
            size=self.qty or None,
            filled=self.cum_exec_qty,
            average_price=self.avg_price or None,
            fees=_fees(self.fee_detail),
            reduce_only=known(YES_NO, self.reduce_only, VENUE),
            source=self.exec_type,
            created=self.created_time,
            updated=self.created_time if self.updated_time is None else self.updated_time,
        )

    def _held(self, product: Product) -> Held | None:
        if product is Product.SPOT:
            return None
        return HELD.get(self.pos_side.lower()) if self.hold_mode == HEDGED else "net"


class FillRow(msgspec.Struct, rename="camel"):
    symbol: Name
    exec_id: Id
    order_id: Id
    side: Name
    exec_price: Exact
    exec_qty: Exact
    created_time: When
    exec_value: Exact | None = None
    trade_scope: str = ""
    fee_detail: list[FeeRow] = []
    exec_pnl: Exact | None = None

    def fill(self, product: Product) -> Fill:
        return Fill(
            product=product,
            symbol=self.symbol.upper(),
            fill_id=str(self.exec_id),
            order_id=str(self.order_id),
            side=known(SIDES, self.side, VENUE),
            price=self.exec_price,
            size=self.exec_qty,
            value=self.exec_value,
            fees=_fees(self.fee_detail),
            role=known(ROLES, self.trade_scope, VENUE),
            realised=self.exec_pnl,
            time=self.created_time,
        )


class BillRow(msgspec.Struct, rename="camel"):
    """Here a fee is negative where it was paid, unlike in orders and fills."""

    id: Id
    coin: Name
    type: Name
    amount: Exact
    ts: When
    symbol: str = ""
    fee: Exact | None = None
    balance: Exact | None = None

    def bill(self, product: Product) -> Bill:
        return Bill(
            product=product,
            bill_id=str(self.id),
            symbol=self.symbol.upper(),
            coin=self.coin.upper(),
            kind=self.type,
            amount=self.amount,
            fee=None if self.fee is None else opposite(self.fee),
            balance=self.balance,
            time=self.ts,
        )


def _fees(rows: list[FeeRow]) -> tuple[Fee, ...]:
    return tuple(Fee(row.fee_coin.upper(), row.fee) for row in rows)
