"""What Bitget's classic account (v2) tells of futures, after https://www.bitget.com/api-doc/contract/intro.

In hedge mode the venue's `side` names the position and not the trade: `buy` with `close` closes a long one,
so it sells. A fee is negative where it was paid. Rows of an order and of a fill, shortened:

    {"orderId":"11","symbol":"BTCUSDT","size":"0.002","baseVolume":"0.002","price":"","priceAvg":"43000.1",
     "status":"filled","side":"buy","tradeSide":"open","posSide":"long","posMode":"hedge_mode","fee":"-0.03",
     "marginCoin":"USDT","reduceOnly":"NO","cTime":"1701923982427","uTime":"1701923982497"}
    {"tradeId":"12","orderId":"11","symbol":"ETHUSDT","price":"1801.33","baseVolume":"0.02","side":"sell",
     "feeDetail":[{"feeCoin":"USDT","totalFee":"-0.0216"}],"tradeSide":"sell_single","tradeScope":"taker",
     "posMode":"one_way_mode","cTime":"1698730804882"}
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from backend.exchanges.bitget.account.asking import STATUSES, YES_NO
from backend.exchanges.bitget.market import VENUE
from backend.exchanges.private.wire import ROLES, SIDES, Id, Name, When, known
from backend.trading.money import Exact, opposite
from backend.trading.rows import (
    Balance,
    Bill,
    Fee,
    Fill,
    Held,
    Order,
    Position,
    Product,
    Side,
)

OPPOSITE: Mapping[Side, Side] = MappingProxyType({"buy": "sell", "sell": "buy"})
HELD: Mapping[str, Held] = MappingProxyType({"long": "long", "short": "short"})
HEDGED = "hedge_mode"


class AccountRow(msgspec.Struct, rename="camel"):
    margin_coin: Name
    available: Exact
    locked: Exact | None = None
    account_equity: Exact | None = None

    def balance(self) -> Balance:
        return Balance(
            coin=self.margin_coin.upper(),
            available=self.available,
            frozen=self.locked,
            equity=self.account_equity,
        )


class PositionRow(msgspec.Struct, rename="camel"):
    symbol: Name
    hold_side: Name
    pos_mode: Name
    total: Exact
    open_price_avg: Exact
    margin_coin: str = ""
    margin_mode: str = ""
    leverage: Exact | None = None
    mark_price: Exact | None = None
    unrealized_pl: Exact | None = msgspec.field(name="unrealizedPL", default=None)
    liquidation_price: Exact | None = None
    u_time: When | None = None

    def position(self, product: Product) -> Position:
        side = known(HELD, self.hold_side, VENUE)
        hedged = self.pos_mode == HEDGED
        return Position(
            product=product,
            symbol=self.symbol.upper(),
            held=side if hedged else "net",
            size=self.total if hedged or side == "long" else opposite(self.total),
            entry_price=self.open_price_avg,
            mark_price=self.mark_price,
            leverage=self.leverage,
            margin_mode=self.margin_mode,
            margin_coin=self.margin_coin.upper(),
            unrealised=self.unrealized_pl,
            liquidation_price=self.liquidation_price or None,
            updated=self.u_time,
        )


class Traded(msgspec.Struct, rename="camel", kw_only=True):
    """What rows of orders and of fills have in common."""

    symbol: Name
    order_id: Id
    side: Name
    trade_side: str = ""
    pos_mode: str = ""
    c_time: When

    def direction(self) -> Side:
        """The direction of the trade."""
        side = known(SIDES, self.side, VENUE)
        return OPPOSITE[side] if self.pos_mode == HEDGED and "close" in self.trade_side.lower() else side


class OrderRow(Traded, rename="camel", kw_only=True):
    client_oid: str = ""
    order_type: str = ""
    order_source: str = ""
    status: str = ""
    state: str = ""
    size: Exact
    base_volume: Exact = Exact(0)
    price: Exact | None = None
    price_avg: Exact | None = None
    pos_side: str = ""
    margin_coin: str = ""
    fee: Exact | None = None
    reduce_only: str = ""
    u_time: When | None = None

    def order(self, product: Product) -> Order:
        paid = (Fee(self.margin_coin.upper(), opposite(self.fee)),) if self.fee else ()
        return Order(
            product=product,
            symbol=self.symbol.upper(),
            order_id=str(self.order_id),
            client_id=self.client_oid,
            side=self.direction(),
            held=HELD.get(self.pos_side.lower()) if self.pos_mode == HEDGED else "net",
            kind=self.order_type.lower(),
            status=known(STATUSES, self.status or self.state, VENUE),
            price=self.price,
            size=self.size,
            filled=self.base_volume,
            average_price=self.price_avg,
            fees=paid,
            reduce_only=known(YES_NO, self.reduce_only, VENUE),
            source=self.order_source,
            created=self.c_time,
            updated=self.c_time if self.u_time is None else self.u_time,
        )


class FeeRow(msgspec.Struct, rename="camel"):
    fee_coin: Name
    total_fee: Exact = Exact(0)

    def fee(self) -> Fee:
        return Fee(self.fee_coin.upper(), opposite(self.total_fee))


class FillRow(Traded, rename="camel", kw_only=True):
    trade_id: Id
    price: Exact
    base_volume: Exact
    quote_volume: Exact | None = None
    fee_detail: list[FeeRow] = []
    profit: Exact | None = None
    trade_scope: str = ""

    def fill(self, product: Product) -> Fill:
        return Fill(
            product=product,
            symbol=self.symbol.upper(),
            fill_id=str(self.trade_id),
            order_id=str(self.order_id),
            side=self.direction(),
            price=self.price,
            size=self.base_volume,
            value=self.quote_volume,
            fees=tuple(row.fee() for row in self.fee_detail),
            role=known(ROLES, self.trade_scope, VENUE),
            realised=self.profit,
            time=self.c_time,
        )


class BillRow(msgspec.Struct, rename="camel"):
    bill_id: Id
    coin: Name
    business_type: Name
    amount: Exact
    c_time: When
    symbol: str = ""
    fee: Exact | None = None
    balance: Exact | None = None

    def bill(self, product: Product) -> Bill:
        return Bill(
            product=product,
            bill_id=str(self.bill_id),
            symbol=self.symbol.upper(),
            coin=self.coin.upper(),
            kind=self.business_type,
            amount=self.amount,
            fee=None if self.fee is None else opposite(self.fee),
            balance=self.balance,
            time=self.c_time,
        )


class Orders(msgspec.Struct, rename="camel"):
    entrusted_list: list[OrderRow] = []
    end_id: Id | None = None


class Fills(msgspec.Struct, rename="camel"):
    fill_list: list[FillRow] = []
    end_id: Id | None = None


class Bills(msgspec.Struct, rename="camel"):
    bills: list[BillRow] = []
    end_id: Id | None = None
