"""What BingX tells of perpetuals, in USDT and USDC (`swap`) and against coins (`cswap`). Rows, shortened:

    {"symbol":"PYTH-USDT","orderId":17360,"side":"SELL","positionSide":"SHORT","type":"LIMIT","origQty":"33",
     "price":"0.3916","executedQty":"33","avgPrice":"0.3916","commission":"-0.002585","status":"FILLED",
     "time":1702731418000,"updateTime":1702731470000,"clientOrderId":"","reduceOnly":false}
    {"orderId":"17360","tradeId":"97","symbol":"WLD-USDT","qty":"4.10","price":"3.1088","quoteQty":"12.7492",
     "commission":"-0.0025","commissionAsset":"USDT","role":"taker","side":"BUY","positionSide":"LONG",
     "filledTm":"2023-12-16T20:58:36Z","filledTime":"2023-12-16T20:58:36.000+0800"}
    {"orderId":"1817","symbol":"SOL-USD","side":"BUY","tradeId":"97244554","volume":"2","tradePrice":"182.652",
     "amount":"20.0","realizedPnl":"0.0","commission":"-0.00005475","currency":"SOL","maker":false,
     "tradeTime":1722146730000}

Of the two times of a fill the one with "+0800" is right: a recorded answer came 14 s after that moment, and
hours before the other one.
"""

from __future__ import annotations

import msgspec

from backend.clock import parse_time
from backend.errors import MalformedAnswer
from backend.exchanges.bingx.account.asking import HELD, STATUSES, paid_in, product_of
from backend.exchanges.bingx.market import VENUE
from backend.exchanges.private.wire import ROLES, SIDES, Id, Name, When, known
from backend.trading.money import Exact, opposite, total
from backend.trading.rows import Balance, Bill, Fee, FeeRates, Fill, Order, Position, Product


class BalanceRow(msgspec.Struct, rename="camel"):
    asset: Name
    available_margin: Exact
    used_margin: Exact = Exact(0)
    freezed_margin: Exact = Exact(0)
    equity: Exact | None = None

    def balance(self) -> Balance:
        return Balance(
            coin=self.asset.upper(),
            available=self.available_margin,
            frozen=total((self.used_margin, self.freezed_margin)),
            equity=self.equity,
        )


class Rates(msgspec.Struct, rename="camel"):
    maker_commission_rate: Exact
    taker_commission_rate: Exact

    def rates(self) -> FeeRates:
        return FeeRates(maker=self.maker_commission_rate, taker=self.taker_commission_rate)


class SwapRates(msgspec.Struct):
    commission: Rates


class PositionRow(msgspec.Struct, rename="camel"):
    """In one-way mode (`onlyOnePosition`) a short position may be told by its side or by a sign."""

    symbol: Name
    position_amt: Exact
    avg_price: Exact
    position_side: str = ""
    only_one_position: bool = False
    isolated: bool | None = None
    currency: str = ""
    leverage: Exact | None = None
    mark_price: Exact | None = None
    unrealized_profit: Exact | None = None
    liquidation_price: Exact | None = None
    update_time: When | None = None

    def position(self) -> Position:
        side = known(HELD, self.position_side, VENUE)
        size = self.position_amt if side == "net" else self.position_amt.copy_abs()
        is_net = self.only_one_position or side == "net"
        return Position(
            product=product_of(self.symbol),
            symbol=self.symbol.upper(),
            held="net" if is_net else side,
            size=opposite(size) if is_net and side == "short" else size,
            entry_price=self.avg_price,
            mark_price=self.mark_price,
            leverage=self.leverage,
            margin_mode={True: "isolated", False: "crossed", None: ""}[self.isolated],
            margin_coin=self.currency.upper(),
            unrealised=self.unrealized_profit,
            liquidation_price=self.liquidation_price or None,
            updated=self.update_time,
        )


class OrderRow(msgspec.Struct, rename="camel"):
    symbol: Name
    order_id: Id
    side: Name
    status: Name
    time: When
    position_side: str = ""
    type: str = ""
    client_order_id: str = ""
    client_order_ID: str = msgspec.field(name="clientOrderID", default="")
    orig_qty: Exact | None = None
    executed_qty: Exact = Exact(0)
    price: Exact | None = None
    avg_price: Exact | None = None
    commission: Exact | None = None
    reduce_only: bool | None = None
    order_type: str = ""
    update_time: When | None = None

    def order(self) -> Order:
        paid = (Fee(paid_in(self.symbol), opposite(self.commission)),) if self.commission else ()
        return Order(
            product=product_of(self.symbol),
            symbol=self.symbol.upper(),
            order_id=str(self.order_id),
            client_id=self.client_order_id or self.client_order_ID,
            side=known(SIDES, self.side, VENUE),
            held=known(HELD, self.position_side, VENUE),
            kind=self.type.lower(),
            status=known(STATUSES, self.status, VENUE),
            price=self.price or None,
            size=self.orig_qty or None,
            filled=self.executed_qty,
            average_price=self.avg_price or None,
            fees=paid,
            reduce_only=self.reduce_only,
            source=self.order_type,
            created=self.time,
            updated=self.update_time or self.time,
        )


class Orders(msgspec.Struct):
    orders: list[OrderRow] = []


class OneOrder(msgspec.Struct):
    order: OrderRow


class SwapFill(msgspec.Struct, rename="camel"):
    symbol: Name
    trade_id: Id
    order_id: Id
    price: Exact
    filled_time: Name
    qty: Exact | None = None
    volume: Exact | None = None
    quote_qty: Exact | None = None
    commission: Exact | None = None
    commission_asset: str = ""
    side: str = ""
    role: str = ""
    realised_pnl: Exact | None = msgspec.field(name="realisedPNL", default=None)

    def fill(self) -> Fill:
        size = self.volume if self.qty is None else self.qty
        if size is None:
            raise MalformedAnswer(f"{VENUE} sent a fill without a size")
        coin = self.commission_asset.upper() or paid_in(self.symbol)
        return Fill(
            product=product_of(self.symbol),
            symbol=self.symbol.upper(),
            fill_id=str(self.trade_id),
            order_id=str(self.order_id),
            side=known(SIDES, self.side, VENUE) if self.side else None,
            price=self.price,
            size=size,
            value=self.quote_qty,
            fees=() if self.commission is None else (Fee(coin, opposite(self.commission)),),
            role=known(ROLES, self.role, VENUE),
            realised=self.realised_pnl,
            time=_moment(self.filled_time),
        )


class SwapFills(msgspec.Struct):
    fill_history_orders: list[SwapFill] = []


class CoinFill(msgspec.Struct, rename="camel"):
    """`volume` counts contracts, `amount` is their worth in USD."""

    symbol: Name
    trade_id: Id
    order_id: Id
    side: Name
    trade_price: Exact
    volume: Exact
    trade_time: When
    amount: Exact | None = None
    commission: Exact | None = None
    currency: str = ""
    maker: bool | None = None
    realized_pnl: Exact | None = None

    def fill(self) -> Fill:
        coin = self.currency.upper() or paid_in(self.symbol)
        return Fill(
            product=Product.PERPETUAL_COIN,
            symbol=self.symbol.upper(),
            fill_id=str(self.trade_id),
            order_id=str(self.order_id),
            side=known(SIDES, self.side, VENUE),
            price=self.trade_price,
            size=self.volume,
            value=self.amount,
            fees=() if self.commission is None else (Fee(coin, opposite(self.commission)),),
            role=None if self.maker is None else "maker" if self.maker else "taker",
            realised=self.realized_pnl,
            time=self.trade_time,
        )


class IncomeRow(msgspec.Struct, rename="camel"):
    income_type: Name
    income: Exact
    asset: Name
    time: When
    symbol: str = ""
    tran_id: Id = ""

    def bill(self) -> Bill:
        return Bill(
            product=product_of(self.symbol),
            bill_id=str(self.tran_id),
            symbol=self.symbol.upper(),
            coin=self.asset.upper(),
            kind=self.income_type,
            amount=self.income,
            fee=None,
            balance=None,
            time=self.time,
        )


def _moment(text: str) -> int:
    try:
        return parse_time(text)
    except ValueError:
        raise MalformedAnswer(f"{VENUE} sent a fill whose time cannot be read") from None
