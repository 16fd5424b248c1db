"""Bitget's unified account (v3): one wallet; `side` is the trade's direction, fees are positive where paid.

Source: https://www.bitget.com/api-doc/uta/intro.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from tests.simulator.private.accounts import Asked, Refused, Tell
from tests.simulator.private.bitget_unified_rows import bill_row, fill_row, mode_of, order_row, position_row
from tests.simulator.private.bitget_words import (
    NAMES,
    category_of,
    history,
    needed,
    of_order,
    open_orders,
    order_of,
    page_end,
    paged,
    plan_row,
    symbol_of,
    text,
    whole,
)
from tests.simulator.private.rows import Product
from tests.simulator.private.setup import levers
from tests.simulator.private.shelf import Row
from tests.simulator.times import DAY

ROOT = "/api/v3"
SPAN = 30 * DAY
TRADING, FUNDS = "uta_trade", {"transfer": "transfer", "withdraw": "withdraw"}


def info(asked: Asked) -> dict[str, Any]:
    """A read-only key shows what it could do if it were not."""
    rights = asked.book.facts.rights
    words = [TRADING] if "trade" in rights or rights == ("read",) else []
    return {
        "userId": asked.book.facts.uid,
        "inviterId": "",
        "parentId": "",
        "channelCode": "",
        "ips": ",".join(asked.book.facts.addresses),
        "permType": "read_only" if rights == ("read",) else "read_and_write",
        "permissions": [*words, *(FUNDS[right] for right in rights if right in FUNDS)],
        "regisTime": str(asked.book.facts.registered),
    }


def settings(asked: Asked) -> dict[str, Any]:
    book = asked.book
    return {
        "accountMode": "unified",
        "assetMode": "union",
        "holdMode": mode_of(asked),
        "stpMode": "none",
        "symbolConfigList": [
            {
                "category": NAMES[product],
                "symbol": symbol_of(pair),
                "marginMode": "crossed",
                "leverage": str(levers(asked, product, pair).long),
            }
            for product in list(NAMES)
            if product is not Product.SPOT
            for pair in sorted(
                {*book.symbols(product), *(one for kind, one in book.levers if kind is product)}
            )
        ],
    }


def assets(asked: Asked) -> dict[str, Any]:
    found = asked.book.balances(Product.USDT)
    dollars = [one for one in found if one.coin in ("USDT", "USDC")]
    equity = sum((one.equity for one in dollars), Decimal(0))
    unrealised = sum((one.unrealised for one in dollars), Decimal(0))
    return {
        "accountEquity": text(equity),
        "usdtEquity": text(equity),
        "btcEquity": "0",
        "unrealisedPnl": text(unrealised),
        "usdtUnrealisedPnl": text(unrealised),
        "effEquity": text(equity),
        "assets": [
            {
                "coin": one.coin,
                "equity": text(one.equity),
                "usdValue": text(one.equity),
                "balance": text(one.balance),
                "available": text(one.available),
                "debt": "0",
                "locked": text(one.frozen),
            }
            for one in found
        ],
    }


def rates(asked: Asked) -> dict[str, Any]:
    needed(asked, "symbol")
    rate = asked.book.facts.rates[category_of(asked)]
    return {"makerFeeRate": text(rate.maker), "takerFeeRate": text(rate.taker)}


def positions(asked: Asked) -> dict[str, Any]:
    product = category_of(asked)
    symbol = asked.params.get("symbol", "").upper()
    found = [one for one in asked.positions(product) if symbol in ("", symbol_of(one.pair))]
    return {"list": [position_row(one, asked) for one in found] or None}


def pending(asked: Asked) -> dict[str, Any]:
    product = category_of(asked) if asked.params.get("category") else None
    rows = [row for one in NAMES if product in (None, one) for row in open_orders(asked, one)]
    return _listed(asked, sorted(rows), order_row)


def finished(asked: Asked) -> dict[str, Any]:
    rows = history(asked, asked.book.orders, category_of(asked), span=SPAN, usual=SPAN)
    return _listed(asked, rows, order_row, done=True)


def detail(asked: Asked) -> dict[str, Any]:
    return order_row(order_of(asked, absent="25204"), asked)


def fills(asked: Asked) -> dict[str, Any]:
    products = [category_of(asked)] if asked.params.get("category") else list(NAMES)
    rows = [row for one in products for row in history(asked, asked.book.fills, one, span=SPAN, usual=SPAN)]
    return _listed(asked, of_order(asked, sorted(rows)), fill_row)


def bills(asked: Asked) -> dict[str, Any]:
    rows = history(asked, asked.book.bills, category_of(asked), span=SPAN, usual=SPAN)
    if coin := asked.params.get("coin"):
        rows = [row for row in rows if row.coin == coin.upper()]
    return _listed(asked, rows, bill_row)


def plans(asked: Asked) -> dict[str, Any]:
    rows = history(asked, asked.book.plans, category_of(asked), span=SPAN, usual=SPAN)
    hedged = asked.book.facts.hedged
    return _listed(asked, rows, lambda row, _: plan_row(row, hedged=hedged))


def plans_pending(_asked: Asked) -> dict[str, Any]:
    """No plan waits in a book."""
    return {"list": None, "cursor": None}


def tax(asked: Asked) -> list[dict[str, Any]]:
    """The records for taxes, of all products."""
    start, end = whole(asked, "startTime", asked.now - SPAN), whole(asked, "endTime", asked.now)
    if not start <= end <= start + asked.span(SPAN):
        raise Refused("70008", "The time range is limited to 30 days")
    rows = sorted(row for one in NAMES for row in asked.book.bills.between(one, start, end))
    return [bill_row(row, asked) for row in paged(asked, rows, cursor="cursor", largest=500)]


ROUTES: dict[str, tuple[Tell, int]] = {
    f"{ROOT}/account/info": (info, 5),
    f"{ROOT}/account/settings": (settings, 20),
    f"{ROOT}/account/assets": (assets, 20),
    f"{ROOT}/account/fee-rate": (rates, 3),
    f"{ROOT}/account/financial-records": (bills, 20),
    f"{ROOT}/position/current-position": (positions, 20),
    f"{ROOT}/trade/unfilled-orders": (pending, 20),
    f"{ROOT}/trade/history-orders": (finished, 20),
    f"{ROOT}/trade/fills": (fills, 20),
    f"{ROOT}/trade/order-info": (detail, 20),
    f"{ROOT}/trade/history-strategy-orders": (plans, 20),
    f"{ROOT}/trade/unfilled-strategy-orders": (plans_pending, 20),
    f"{ROOT}/tax/records": (tax, 1),
}
"""How each path is answered, and how often a second an account may ask."""


def _listed(
    asked: Asked, rows: Sequence[Row], shown: Callable[[Row, Asked], dict[str, Any]], *, done: bool = False
) -> dict[str, Any]:
    page = paged(asked, rows, cursor="cursor", done=done)
    return {"list": [shown(row, asked) for row in page] or None, "cursor": page_end(page)}
