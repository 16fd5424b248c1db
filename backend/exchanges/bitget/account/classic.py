"""How Bitget's classic account (v2) is asked for futures: one product a question, pages newest first."""

from __future__ import annotations

from collections.abc import Mapping

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
from backend.exchanges.bitget.account.classic_rows import (
    AccountRow,
    Bills,
    Fills,
    OrderRow,
    Orders,
    PositionRow,
)
from backend.exchanges.bitget.market import VENUE
from backend.exchanges.private.venue import Call, Stream
from backend.exchanges.private.wire import Listed, Told, given, page
from backend.trading.rows import Balance, Bill, Fill, Order, Page, Position, Product, Wanted

ROOT = "/api/v2/mix"
ACCOUNTS = f"{ROOT}/account/accounts"
POSITIONS = f"{ROOT}/position/all-position"
BILLS = f"{ROOT}/account/bill"
PENDING = f"{ROOT}/order/orders-pending"
HISTORY = f"{ROOT}/order/orders-history"
FILLS = f"{ROOT}/order/fills"
DETAIL = f"{ROOT}/order/detail"

LIMITS: Mapping[str, int] = {
    POSITIONS: 5,
    **dict.fromkeys((ACCOUNTS, BILLS, PENDING, HISTORY, FILLS, DETAIL), 10),
}
"""Questions a second of an account."""


def balances(product: Product) -> Call[tuple[Balance, ...]]:
    """A futures wallet: one balance a margin coin."""

    def made(said: Listed[AccountRow]) -> tuple[Balance, ...]:
        return tuple(row.balance() for row in said.data)

    return asked(ACCOUNTS, {"productType": FUTURES[product]}, Listed[AccountRow], made)


def positions(product: Product) -> Call[tuple[Position, ...]]:
    """The open positions of a product."""

    def made(said: Listed[PositionRow]) -> tuple[Position, ...]:
        return tuple(row.position(product) for row in said.data)

    return asked(POSITIONS, {"productType": FUTURES[product]}, Listed[PositionRow], made)


def open_orders(product: Product, cursor: str) -> Call[Page[Order]]:
    """Orders that are not finished, newest first."""
    params = given({"productType": FUTURES[product], "limit": str(PAGE), "idLessThan": cursor})
    return _orders(PENDING, product, cursor, params)


def order(product: Product, symbol: str, client_id: str) -> Call[Order | None]:
    """One order by our own id."""
    params = {"productType": FUTURES[product], "symbol": symbol, "clientOid": client_id}
    return asked(DETAIL, params, Told[OrderRow], lambda said: said.data.order(product))


def orders(wanted: Wanted) -> Call[Page[Order]]:
    """Finished orders by the time of their creation, newest first."""
    params = {"productType": FUTURES[wanted.product], **window(wanted, "idLessThan")}
    return _orders(HISTORY, wanted.product, wanted.cursor, params)


def fills(wanted: Wanted) -> Call[Page[Fill]]:
    """Fills, newest first."""

    def made(said: Told[Fills]) -> Page[Fill]:
        rows = (row.fill(wanted.product) for row in said.data.fill_list)
        return page(rows, FILL_ID, last=said.data.end_id, asked=wanted.cursor, venue=VENUE)

    params = {"productType": FUTURES[wanted.product], **window(wanted, "idLessThan")}
    return asked(FILLS, params, Told[Fills], made)


def bills(wanted: Wanted) -> Call[Page[Bill]]:
    """Changes of a wallet, newest first."""

    def made(said: Told[Bills]) -> Page[Bill]:
        rows = (row.bill(wanted.product) for row in said.data.bills)
        return page(rows, BILL_ID, last=said.data.end_id, asked=wanted.cursor, venue=VENUE)

    params = {"productType": FUTURES[wanted.product], **window(wanted, "idLessThan")}
    return asked(BILLS, params, Told[Bills], made)


def _orders(path: str, product: Product, cursor: str, params: Mapping[str, str]) -> Call[Page[Order]]:
    def made(said: Told[Orders]) -> Page[Order]:
        rows = (row.order(product) for row in said.data.entrusted_list)
        return page(rows, ORDER_ID, last=said.data.end_id, asked=cursor, venue=VENUE)

    return asked(path, params, Told[Orders], made)


ORDER_HISTORY = Stream(ask=orders, span=90 * DAY, retention=RETENTION, page_size=PAGE)
FILL_HISTORY = Stream(ask=fills, span=90 * DAY, retention=RETENTION, page_size=PAGE)
BILL_HISTORY = Stream(ask=bills, span=30 * DAY, retention=RETENTION, page_size=PAGE)
