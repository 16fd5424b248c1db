"""Bitget's unified account (v3): spot and futures in one wallet, after https://www.bitget.com/api-doc/uta/intro.

Here `side` is the trade's direction, a fee is positive where it was paid, and pages go on by `cursor`. A
question reaches over 30 days at most. Rows are described in `unified_rows.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeVar

import msgspec

from backend.core.windows import DAY
from backend.exchanges.bitget.account.asking import (
    BILL_ID,
    FILL_ID,
    FUTURES,
    ORDER_ID,
    PAGE,
    RETENTION,
    asked,
    window,
)
from backend.exchanges.bitget.account.unified_rows import (
    Assets,
    BillRow,
    FillRow,
    Listing,
    OrderRow,
    PositionRow,
    Rates,
)
from backend.exchanges.bitget.market import VENUE
from backend.exchanges.private.venue import Call, Stream
from backend.exchanges.private.wire import Told, given, page
from backend.trading.rows import (
    Balance,
    Bill,
    FeeRates,
    Fill,
    Order,
    Page,
    Position,
    Product,
    Wanted,
)

ROOT = "/api/v3"
ASSETS = f"{ROOT}/account/assets"
RATES = f"{ROOT}/account/fee-rate"
BILLS = f"{ROOT}/account/financial-records"
POSITIONS = f"{ROOT}/position/current-position"
PENDING = f"{ROOT}/trade/unfilled-orders"
HISTORY = f"{ROOT}/trade/history-orders"
FILLS = f"{ROOT}/trade/fills"
DETAIL = f"{ROOT}/trade/order-info"

LIMITS: Mapping[str, int] = {
    ASSETS: 20,
    RATES: 3,
    BILLS: 20,
    POSITIONS: 20,
    PENDING: 20,
    HISTORY: 20,
    FILLS: 20,
    DETAIL: 20,
}
"""Questions a second of an account."""

CATEGORIES: Mapping[Product, str] = MappingProxyType({Product.SPOT: "SPOT", **FUTURES})

Row = TypeVar("Row", bound=msgspec.Struct)
Made = TypeVar("Made")


def balances() -> Call[tuple[Balance, ...]]:
    """The one wallet, coin by coin."""

    def made(said: Told[Assets]) -> tuple[Balance, ...]:
        return tuple(row.balance() for row in said.data.assets)

    return asked(ASSETS, {}, Told[Assets], made)


def fees(product: Product, symbol: str) -> Call[FeeRates]:
    """What trading a symbol costs."""
    params = {"category": CATEGORIES[product], "symbol": symbol}
    return asked(RATES, params, Told[Rates], lambda said: said.data.rates())


def positions(product: Product) -> Call[tuple[Position, ...]]:
    """The open positions of a product."""

    def made(said: Told[Listing[PositionRow]]) -> tuple[Position, ...]:
        return tuple(row.position(product) for row in said.data.rows)

    return asked(POSITIONS, {"category": CATEGORIES[product]}, Told[Listing[PositionRow]], made)


def open_orders(product: Product, cursor: str) -> Call[Page[Order]]:
    """Orders that are not finished, newest first."""
    params = given({"category": CATEGORIES[product], "limit": str(PAGE), "cursor": cursor})
    return _paged(PENDING, params, OrderRow, lambda row: row.order(product), own=ORDER_ID, cursor=cursor)


def order(product: Product, _symbol: str, client_id: str) -> Call[Order | None]:
    """One order by our own id."""
    params = {"clientOid": client_id}
    return asked(DETAIL, params, Told[OrderRow], lambda said: said.data.order(product))


def orders(wanted: Wanted) -> Call[Page[Order]]:
    """Finished orders, newest first."""

    def made(row: OrderRow) -> Order:
        return row.order(wanted.product)

    return _paged(HISTORY, _params(wanted), OrderRow, made, own=ORDER_ID, cursor=wanted.cursor)


def fills(wanted: Wanted) -> Call[Page[Fill]]:
    """Fills, newest first."""

    def made(row: FillRow) -> Fill:
        return row.fill(wanted.product)

    return _paged(FILLS, _params(wanted), FillRow, made, own=FILL_ID, cursor=wanted.cursor)


def bills(wanted: Wanted) -> Call[Page[Bill]]:
    """Changes of the wallet, newest first, each with the balance after it."""

    def made(row: BillRow) -> Bill:
        return row.bill(wanted.product)

    return _paged(BILLS, _params(wanted), BillRow, made, own=BILL_ID, cursor=wanted.cursor)


def _params(wanted: Wanted) -> dict[str, str]:
    return {"category": CATEGORIES[wanted.product], **window(wanted, "cursor")}


def _paged(
    path: str,
    params: Mapping[str, str],
    kind: type[Row],
    make: Callable[[Row], Made],
    *,
    own: Callable[[Made], str],
    cursor: str,
) -> Call[Page[Made]]:
    def made(said: Told[Listing[Row]]) -> Page[Made]:
        return page(map(make, said.data.rows), own, last=said.data.cursor, asked=cursor, venue=VENUE)

    return asked(path, params, Told[Listing[kind]], made)  # type: ignore[valid-type]


ORDER_HISTORY = Stream(ask=orders, span=30 * DAY, retention=RETENTION, page_size=PAGE)
FILL_HISTORY = Stream(ask=fills, span=30 * DAY, retention=RETENTION, page_size=PAGE)
BILL_HISTORY = Stream(ask=bills, span=30 * DAY, retention=RETENTION, page_size=PAGE)
