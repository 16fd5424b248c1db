"""Bitget's classic account (v2): spot, after https://www.bitget.com/api-doc/spot/intro.

Answers are lists without a cursor: the last id of a page asks for the next one. Rows, shortened:

    {"orderId":"11","clientOid":"a","symbol":"BTCUSDT","price":"25000","size":"0.0002","orderType":"limit",
     "side":"buy","status":"live","priceAvg":"0","baseVolume":"0","orderSource":"normal","cTime":"1700728077966"}
    {"tradeId":"12","orderId":"11","symbol":"BTCUSDT","side":"sell","priceAvg":"28467.68","size":"0.0002",
     "amount":"5.693536","feeDetail":{"feeCoin":"USDT","totalFee":"-0.0056"},"tradeScope":"taker",
     "cTime":"1697603539699"}
    {"billId":"13","coin":"USDT","businessType":"transfer_out","size":"-11.6","balance":"0","fees":"0",
     "cTime":"1700729673028"}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from backend.core.windows import DAY
from backend.exchanges.bitget.account.asking import (
    BILL_ID,
    FILL_ID,
    ORDER_ID,
    PAGE,
    RETENTION,
    STATUSES,
    asked,
    window,
)
from backend.exchanges.bitget.account.classic_rows import FeeRow
from backend.exchanges.bitget.market import VENUE
from backend.exchanges.private.venue import Call, Stream
from backend.exchanges.private.wire import ROLES, SIDES, Id, Listed, Name, When, given, known, page
from backend.trading.money import Exact, opposite, total
from backend.trading.rows import Balance, Bill, Fill, Order, Page, Product, Wanted

ROOT = "/api/v2/spot"
ASSETS = f"{ROOT}/account/assets"
BILLS = f"{ROOT}/account/bills"
PENDING = f"{ROOT}/trade/unfilled-orders"
HISTORY = f"{ROOT}/trade/history-orders"
FILLS = f"{ROOT}/trade/fills"
DETAIL = f"{ROOT}/trade/orderInfo"

LIMITS: Mapping[str, int] = {ASSETS: 10, BILLS: 10, PENDING: 20, HISTORY: 20, FILLS: 10, DETAIL: 20}
"""Questions a second of an account."""

Row = TypeVar("Row", bound=msgspec.Struct)
Made = TypeVar("Made")


class AssetRow(msgspec.Struct, rename="camel"):
    coin: Name
    available: Exact
    frozen: Exact = Exact(0)
    locked: Exact = Exact(0)


class OrderRow(msgspec.Struct, rename="camel"):
    symbol: Name
    order_id: Id
    side: Name
    status: Name
    size: Exact
    c_time: When
    client_oid: str = ""
    order_type: str = ""
    order_source: str = ""
    base_volume: Exact = Exact(0)
    price: Exact | None = None
    price_avg: Exact | None = None
    u_time: When | None = None


class FillRow(msgspec.Struct, rename="camel"):
    symbol: Name
    trade_id: Id
    order_id: Id
    side: Name
    price_avg: Exact
    size: Exact
    c_time: When
    amount: Exact | None = None
    fee_detail: FeeRow | None = None
    trade_scope: str = ""


class BillRow(msgspec.Struct, rename="camel"):
    bill_id: Id
    coin: Name
    business_type: Name
    size: Exact
    c_time: When
    fees: Exact | None = None
    balance: Exact | None = None


def balances() -> Call[tuple[Balance, ...]]:
    """The coins of the spot wallet."""

    def made(said: Listed[AssetRow]) -> tuple[Balance, ...]:
        return tuple(
            Balance(coin=row.coin.upper(), available=row.available, frozen=total((row.frozen, row.locked)))
            for row in said.data
        )

    return asked(ASSETS, {}, Listed[AssetRow], made)


def open_orders(cursor: str) -> Call[Page[Order]]:
    """Orders that are not finished, newest first."""
    params = given({"limit": str(PAGE), "idLessThan": cursor})
    return _paged(PENDING, params, OrderRow, _order, own=ORDER_ID, cursor=cursor)


def order(client_id: str) -> Call[Order | None]:
    """One order by our own id."""

    def made(said: Listed[OrderRow]) -> Order | None:
        return _order(said.data[0]) if said.data else None

    return asked(DETAIL, {"clientOid": client_id}, Listed[OrderRow], made)


def orders(wanted: Wanted) -> Call[Page[Order]]:
    """Orders by the time of their creation, newest first. Their fees are told by their fills."""
    return _paged(HISTORY, window(wanted, "idLessThan"), OrderRow, _order, own=ORDER_ID, cursor=wanted.cursor)


def fills(wanted: Wanted) -> Call[Page[Fill]]:
    """Fills of one symbol, newest first: whether more may be asked for at once is not certain."""
    return _paged(FILLS, window(wanted, "idLessThan"), FillRow, _fill, own=FILL_ID, cursor=wanted.cursor)


def bills(wanted: Wanted) -> Call[Page[Bill]]:
    """Changes of the wallet, newest first."""
    return _paged(BILLS, window(wanted, "idLessThan"), BillRow, _bill, own=BILL_ID, cursor=wanted.cursor)


def _paged(
    path: str,
    params: Mapping[str, str],
    kind: type[Row],
    make: Callable[[Row], Made],
    *,
    own: Callable[[Made], str],
    cursor: str,
) -> Call[Page[Made]]:
    def made(said: Listed[Row]) -> Page[Made]:
        return page(map(make, said.data), own, asked=cursor, venue=VENUE)

    return asked(path, params, Listed[kind], made)  # type: ignore[valid-type]


def _order(row: OrderRow) -> Order:
    """A market order that buys has its size in quote coins, so what it was to buy is not known."""
    in_quote = row.order_type.lower() == "market" and row.side.lower() == "buy"
    return Order(
        product=Product.SPOT,
        symbol=row.symbol.upper(),
        order_id=str(row.order_id),
        client_id=row.client_oid,
        side=known(SIDES, row.side, VENUE),
        held=None,
        kind=row.order_type.lower(),
        status=known(STATUSES, row.status, VENUE),
        price=row.price or None,
        size=None if in_quote else row.size,
        filled=row.base_volume,
        average_price=row.price_avg or None,
        fees=(),
        reduce_only=None,
        source=row.order_source,
        created=row.c_time,
        updated=row.c_time if row.u_time is None else row.u_time,
    )


def _fill(row: FillRow) -> Fill:
    return Fill(
        product=Product.SPOT,
        symbol=row.symbol.upper(),
        fill_id=str(row.trade_id),
        order_id=str(row.order_id),
        side=known(SIDES, row.side, VENUE),
        price=row.price_avg,
        size=row.size,
        value=row.amount,
        fees=(row.fee_detail.fee(),) if row.fee_detail else (),
        role=known(ROLES, row.trade_scope, VENUE),
        realised=None,
        time=row.c_time,
    )


def _bill(row: BillRow) -> Bill:
    return Bill(
        product=Product.SPOT,
        bill_id=str(row.bill_id),
        symbol="",
        coin=row.coin.upper(),
        kind=row.business_type,
        amount=row.size,
        fee=None if row.fees is None else opposite(row.fees),
        balance=row.balance,
        time=row.c_time,
    )


ORDER_HISTORY = Stream(ask=orders, span=90 * DAY, retention=RETENTION, page_size=PAGE)
FILL_HISTORY = Stream(ask=fills, span=90 * DAY, retention=RETENTION, page_size=PAGE, needs="symbol")
BILL_HISTORY = Stream(ask=bills, span=90 * DAY, retention=RETENTION, page_size=PAGE)
