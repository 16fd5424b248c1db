"""BingX's spot account. Rows, shortened:

{"symbol":"NEMS-USDT","orderId":17359,"price":"0.1557","origQty":"115","executedQty":"0",
 "cummulativeQuoteQty":"0","status":"PENDING","type":"LIMIT","side":"SELL","clientOrderID":"",
 "time":1702720966528,"updateTime":1702720966528}
{"symbol":"LTC-USDT","id":36237072,"orderId":16740,"price":"85.891","qty":"0.0582","quoteQty":"4.9988562",
 "commission":-0.0000582,"commissionAsset":"LTC","time":1687964205000,"isBuyer":true,"isMaker":false}
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from backend.core.windows import DAY
from backend.exchanges.bingx.account.asking import LARGEST_PAGE, STATUSES, asked, halved, numbered
from backend.exchanges.bingx.account.perpetual_rows import Rates
from backend.exchanges.bingx.market import VENUE
from backend.exchanges.private.venue import Call, Stream
from backend.exchanges.private.wire import SIDES, Id, Name, Told, When, given, known
from backend.trading.money import Exact, opposite
from backend.trading.rows import Balance, Fee, FeeRates, Fill, Order, Page, Product, Wanted

ROOT = "/openApi/spot/v1"
BALANCES = f"{ROOT}/account/balance"
RATES = f"{ROOT}/user/commissionRate"
OPEN = f"{ROOT}/trade/openOrders"
HISTORY = f"{ROOT}/trade/historyOrders"
FILLS = f"{ROOT}/trade/myTrades"
DETAIL = f"{ROOT}/trade/query"

LIMITS: Mapping[str, tuple[int, int]] = {
    BALANCES: (5, 3),
    RATES: (2, 2),
    OPEN: (10, 2),
    HISTORY: (10, 2),
    FILLS: (5, 2),
    DETAIL: (10, 2),
}
"""Questions a second of an account, and of an address."""

PAGE, LAST_PAGE = 100, 100
"""Orders a page, and the last page that may be asked for: 10,000 orders in all."""

USUAL_FILLS = 500


class BalanceRow(msgspec.Struct):
    asset: Name
    free: Exact
    locked: Exact | None = None


class Balances(msgspec.Struct):
    balances: list[BalanceRow] = []


class OrderRow(msgspec.Struct, rename="camel"):
    symbol: Name
    order_id: Id
    side: Name
    status: Name
    time: When
    type: str = ""
    client_order_id: str = msgspec.field(name="clientOrderID", default="")
    orig_qty: Exact | None = None
    executed_qty: Exact = Exact(0)
    price: Exact | None = None
    update_time: When | None = None

    def order(self) -> Order:
        """Its fees are told by its fills."""
        return Order(
            product=Product.SPOT,
            symbol=self.symbol.upper(),
            order_id=str(self.order_id),
            client_id=self.client_order_id,
            side=known(SIDES, self.side, VENUE),
            held=None,
            kind=self.type.lower(),
            status=known(STATUSES, self.status, VENUE),
            price=self.price or None,
            size=self.orig_qty or None,
            filled=self.executed_qty,
            average_price=None,
            fees=(),
            reduce_only=None,
            source="",
            created=self.time,
            updated=self.update_time or self.time,
        )


class Orders(msgspec.Struct):
    orders: list[OrderRow] = []


class FillRow(msgspec.Struct, rename="camel"):
    symbol: Name
    id: Id
    order_id: Id
    price: Exact
    qty: Exact
    time: When
    is_buyer: bool
    is_maker: bool
    quote_qty: Exact | None = None
    commission: Exact | None = None
    commission_asset: str = ""

    def fill(self) -> Fill:
        paid = (
            None if self.commission is None else Fee(self.commission_asset.upper(), opposite(self.commission))
        )
        return Fill(
            product=Product.SPOT,
            symbol=self.symbol.upper(),
            fill_id=str(self.id),
            order_id=str(self.order_id),
            side="buy" if self.is_buyer else "sell",
            price=self.price,
            size=self.qty,
            value=self.quote_qty,
            fees=(paid,) if paid else (),
            role="maker" if self.is_maker else "taker",
            realised=None,
            time=self.time,
        )


class Fills(msgspec.Struct):
    fills: list[FillRow] = []


def balances() -> Call[tuple[Balance, ...]]:
    """The coins of the spot wallet."""

    def made(said: Told[Balances]) -> tuple[Balance, ...]:
        return tuple(
            Balance(coin=row.asset.upper(), available=row.free, frozen=row.locked)
            for row in said.data.balances
        )

    return asked(BALANCES, {}, Told[Balances], made)


def fees(symbol: str) -> Call[FeeRates]:
    """What trading a symbol costs."""
    return asked(RATES, {"symbol": symbol}, Told[Rates], lambda said: said.data.rates())


def open_orders() -> Call[Page[Order]]:
    """Orders that are not finished, all at once."""

    def made(said: Told[Orders]) -> Page[Order]:
        return Page(tuple(row.order() for row in said.data.orders))

    return asked(OPEN, {}, Told[Orders], made)


def order(symbol: str, client_id: str) -> Call[Order | None]:
    """One order by our own id."""
    params = {"symbol": symbol, "clientOrderID": client_id}
    return asked(DETAIL, params, Told[OrderRow], lambda said: said.data.order())


def orders(wanted: Wanted) -> Call[Page[Order]]:
    """Orders of all symbols. Behind the last page that may be asked for, half the time tells more."""
    number = int(wanted.cursor or "1")

    def made(said: Told[Orders]) -> Page[Order]:
        rows = tuple(row.order() for row in said.data.orders)
        return Page(rows, full=bool(rows)) if number >= LAST_PAGE else numbered(rows, wanted.cursor)

    page = {"pageIndex": str(number), "pageSize": str(PAGE)}
    return asked(HISTORY, given({**_window(wanted), **page}), Told[Orders], made)


def fills(wanted: Wanted) -> Call[Page[Fill]]:
    """Fills of one symbol."""

    def made(said: Told[Fills]) -> Page[Fill]:
        return halved([row.fill() for row in said.data.fills], usual=USUAL_FILLS)

    return asked(FILLS, given({**_window(wanted), "limit": str(LARGEST_PAGE)}), Told[Fills], made)


def _window(wanted: Wanted) -> dict[str, str]:
    start = max(wanted.start - 1, 0)
    return {"startTime": str(start), "endTime": str(wanted.end), "symbol": wanted.symbol}


ORDER_HISTORY = Stream(ask=orders, span=7 * DAY - 1, retention=None, page_size=PAGE)
FILL_HISTORY = Stream(ask=fills, span=7 * DAY - 1, retention=None, page_size=LARGEST_PAGE, needs="symbol")
