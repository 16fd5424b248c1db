"""Bitget's classic account (v2): futures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.simulator.private.accounts import Asked, Refused, Tell
from tests.simulator.private.bitget_mix_rows import (
    account_row,
    bill_row,
    fill_row,
    order_row,
    position_row,
)
from tests.simulator.private.bitget_words import (
    PAGE,
    bill_type,
    history,
    needed,
    of_order,
    open_orders,
    order_of,
    page_end,
    paged,
    pair_of,
    plan_row,
    product_of,
    symbol_of,
)
from tests.simulator.private.rows import Order
from tests.simulator.private.setup import levers
from tests.simulator.times import DAY

ROOT = "/api/v2/mix"
RECENT = 90 * DAY
"""Over which a question for fills may reach at most: three months."""


def accounts(asked: Asked) -> list[dict[str, Any]]:
    product = product_of(asked)
    return [account_row(balance) for balance in asked.book.balances(product)]


def account(asked: Asked) -> dict[str, Any]:
    """One margin coin, with how the account is set."""
    coin = asked.params.get("marginCoin", "").upper()
    found = [balance for balance in asked.book.balances(product_of(asked)) if balance.coin == coin]
    if not found:
        raise Refused("40019", "Parameter marginCoin cannot be empty")
    mode = "hedge_mode" if asked.book.facts.hedged else "one_way_mode"
    product = product_of(asked)
    needed(asked, "symbol")
    set_as = levers(asked, product, pair_of(asked, product))
    return {
        **account_row(found[0]),
        "crossedMarginLeverage": str(set_as.long),
        "isolatedLongLever": str(set_as.long),
        "isolatedShortLever": str(set_as.short),
        "marginMode": set_as.margin_mode,
        "posMode": mode,
    }


def positions(asked: Asked) -> list[dict[str, Any]]:
    hedged = asked.book.facts.hedged
    symbol = asked.params.get("symbol", "").upper()
    found = asked.positions(product_of(asked))
    return [position_row(one, hedged=hedged) for one in found if symbol in ("", symbol_of(one.pair))]


def pending(asked: Asked) -> dict[str, Any]:
    return _orders(asked, open_orders(asked, product_of(asked)))


def finished(asked: Asked) -> dict[str, Any]:
    """Orders are told by the time of their creation, once they are finished."""
    rows = history(asked, asked.book.orders, product_of(asked), too_wide="40705")
    return _orders(asked, rows, done=True)


def detail(asked: Asked) -> dict[str, Any]:
    """One order, whose status is called state here."""
    order = order_of(asked, absent="40109")
    if order.product is not product_of(asked):
        raise Refused("40109", "The data of the order cannot be found, please confirm the order number")
    row = order_row(order, hedged=asked.book.facts.hedged)
    row["state"] = row.pop("status")
    return row


def fills(asked: Asked) -> dict[str, Any]:
    return _fills(asked, RECENT)


def fill_history(asked: Asked) -> dict[str, Any]:
    if asked.account.demo:
        raise Refused("40404", "Request URL NOT FOUND", 404)
    return _fills(asked, 7 * DAY)


def bills(asked: Asked) -> dict[str, Any]:
    rows = history(asked, asked.book.bills, product_of(asked), span=30 * DAY, usual=30 * DAY)
    if coin := asked.params.get("coin"):
        rows = [row for row in rows if row.coin == coin.upper()]
    hedged = asked.book.facts.hedged
    if kind := asked.params.get("businessType"):
        rows = [row for row in rows if bill_type(row, hedged=hedged) == kind]
    page = paged(asked, rows, cursor="idLessThan")
    return {"bills": [bill_row(row, hedged=hedged) for row in page] or None, "endId": page_end(page)}


def plans(asked: Asked) -> dict[str, Any]:
    rows = history(asked, asked.book.plans, product_of(asked))
    page = paged(asked, rows, cursor="idLessThan")
    hedged = asked.book.facts.hedged
    return {"entrustedList": [plan_row(row, hedged=hedged) for row in page] or None, "endId": page_end(page)}


def plans_pending(_asked: Asked) -> dict[str, Any]:
    """No plan waits in a book."""
    return {"entrustedList": None, "endId": None}


ROUTES: dict[str, tuple[Tell, int]] = {
    f"{ROOT}/account/accounts": (accounts, 10),
    f"{ROOT}/account/account": (account, 10),
    f"{ROOT}/account/bill": (bills, 10),
    f"{ROOT}/position/all-position": (positions, 5),
    f"{ROOT}/position/single-position": (positions, 10),
    f"{ROOT}/order/orders-pending": (pending, 10),
    f"{ROOT}/order/orders-history": (finished, 10),
    f"{ROOT}/order/detail": (detail, 10),
    f"{ROOT}/order/fills": (fills, 10),
    f"{ROOT}/order/fill-history": (fill_history, 10),
    f"{ROOT}/order/orders-plan-history": (plans, 10),
    f"{ROOT}/order/orders-plan-pending": (plans_pending, 10),
}
"""How each path is answered, and how often a second an account may ask."""


def _orders(asked: Asked, rows: Sequence[Order], *, done: bool = False) -> dict[str, Any]:
    page = paged(asked, rows, cursor="idLessThan", done=done)
    hedged = asked.book.facts.hedged
    return {"entrustedList": [order_row(row, hedged=hedged) for row in page] or None, "endId": page_end(page)}


def _fills(asked: Asked, span: int) -> dict[str, Any]:
    rows = of_order(asked, history(asked, asked.book.fills, product_of(asked), span=span, usual=7 * DAY))
    page = paged(asked, rows, cursor="idLessThan", largest=PAGE)
    hedged = asked.book.facts.hedged
    return {"fillList": [fill_row(row, hedged=hedged) for row in page] or None, "endId": page_end(page)}
