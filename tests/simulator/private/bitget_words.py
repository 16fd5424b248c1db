"""Bitget's own words for what a book holds, and the windows and pages of its histories.

Source: https://www.bitget.com/api-doc/contract/intro, .../spot/intro, .../uta/intro.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

from tests.simulator.private.accounts import Asked, Refused
from tests.simulator.private.rows import FINISHED, Bill, Fees, Fill, Order, Pair, Plan, Product
from tests.simulator.private.shelf import Row, Shelf
from tests.simulator.times import DAY

PRODUCTS = {
    "USDT-FUTURES": Product.USDT,
    "USDC-FUTURES": Product.USDC,
    "COIN-FUTURES": Product.COIN,
}
CATEGORIES = {"SPOT": Product.SPOT, **PRODUCTS}
NAMES = {product: name for name, product in CATEGORIES.items()}

QUOTES = {Product.SPOT: "USDT", Product.USDT: "USDT", Product.USDC: "USDC", Product.COIN: "USD"}

STATUSES = {
    "open": "live",
    "partially_filled": "partially_filled",
    "filled": "filled",
    "cancelled": "canceled",
}
RETENTION = 90 * DAY
PAGE = 100


def text(number: Decimal | None) -> str:
    """A number as Bitget writes it; an unset one is empty."""
    return "" if number is None else format(number, "f")


def symbol_of(pair: Pair) -> str:
    return pair.base + pair.quote


def pair_of(asked: Asked, product: Product) -> Pair:
    """The market that a request names."""
    symbol, quote = asked.params["symbol"].upper(), QUOTES[product]
    if not symbol.endswith(quote) or symbol == quote:
        raise Refused("40034", f"Parameter {symbol} does not exist")
    return Pair(symbol.removesuffix(quote), quote)


def needed(asked: Asked, *names: str) -> None:
    """Refuse a question that lacks one of these parameters."""
    for name in names:
        if not asked.params.get(name):
            raise Refused("40019", f"Parameter {name} cannot be empty")


def product_of(asked: Asked) -> Product:
    """The product of a question for futures."""
    needed(asked, "productType")
    product = PRODUCTS.get(asked.params["productType"].upper())
    if product is None:
        raise Refused("40020", "Parameter productType error")
    return product


def category_of(asked: Asked) -> Product:
    """The product of a question to a unified account."""
    needed(asked, "category")
    product = CATEGORIES.get(asked.params["category"].upper())
    if product is None:
        raise Refused("40020", "Parameter category error")
    return product


def whole(asked: Asked, name: str, otherwise: int) -> int:
    """A parameter that is a whole number."""
    said = asked.params.get(name) or str(otherwise)
    if not (said.isascii() and said.isdigit() and len(said) < 20):
        raise Refused("40020", f"Parameter {name} error")
    return int(said)


def window(asked: Asked, span: int, *, usual: int, too_wide: str) -> tuple[int, int]:
    """The times of a question, both included. `usual` is how far it reaches back where it does not say."""
    end = whole(asked, "endTime", asked.now)
    start = whole(asked, "startTime", max(end - usual, asked.now - RETENTION))
    if start > end:
        raise Refused("40707", "The start time is greater than the end time")
    if end - start > asked.span(span):
        raise Refused(too_wide, "The interval between the start time and the end time is too long")
    if start < asked.now - RETENTION:
        raise Refused("40704", "Can only check the data of the last three months")
    return start, end


def paged(
    asked: Asked, rows: Sequence[Row], *, cursor: str, largest: int = PAGE, done: bool = False
) -> list[Row]:
    """A page of rows that come oldest first: newest first, and older than the `cursor` parameter's id.

    Of orders, `done` leaves out those that are not finished. No more rows are looked at than a page needs.
    """
    limit = whole(asked, "limit", largest)
    if not 0 < limit <= largest:
        raise Refused("40053", f"Value range verification failed: limit should be between 1 and {largest}")
    if asked.faults.private.take_empty(asked.path):
        return []
    symbol = asked.params.get("symbol", "").upper()
    end = bisect_left(rows, whole(asked, cursor, 2**63 - 1), key=lambda row: row.number)
    wanted = (
        row
        for row in map(rows.__getitem__, range(end - 1, -1, -1))
        if (not symbol or (row.pair is not None and symbol_of(row.pair) == symbol))
        and not (done and isinstance(row, Order) and row.status not in FINISHED)
        and asked.faults.private.tells(row, asked.now)
    )
    return list(islice(wanted, asked.capped(limit)))


def history(
    asked: Asked,
    shelf: Shelf[Row],
    product: Product,
    *,
    span: int = RETENTION,
    usual: int = RETENTION,
    too_wide: str = "00001",
) -> Sequence[Row]:
    """The rows of a question's window, oldest first."""
    start, end = window(asked, span, usual=usual, too_wide=too_wide)
    return shelf.between(product, start, end)


def of_order(asked: Asked, rows: Sequence[Fill]) -> Sequence[Fill]:
    """The fills of the order that is named, all of them if none is."""
    number = whole(asked, "orderId", 0)
    return [row for row in rows if row.order == number] if number else rows


def open_orders(asked: Asked, product: Product) -> list[Order]:
    """A product's orders that are not finished, oldest first."""
    return sorted(order for order in asked.book.open.values() if order.product is product)


def order_of(asked: Asked, *, absent: str) -> Order:
    """The order of one of its ids; `absent` is the code where there is none."""
    number, own = whole(asked, "orderId", 0), asked.params.get("clientOid", "")
    if not number and not own:
        raise Refused("40019", "Parameter orderId cannot be empty")
    order = asked.book.order_of(number=number, client_id=own)
    if order is None or asked.faults.private.hides(order.number, asked.now):
        raise Refused(absent, "The order does not exist")
    return order


def page_end(rows: Sequence[Row]) -> str | None:
    """The id that asks for the next page."""
    return str(rows[-1].number) if rows else None


def fee_in(fees: Fees, coin: str) -> Decimal:
    """What was paid in a coin."""
    return dict(fees).get(coin, Decimal(0))


def trade_side(row: Order | Fill | Bill, *, hedged: bool) -> str:
    """What a futures trade did to the position."""
    if hedged:
        word = "open" if row.opens else "close"
        forced = {"liquidation": "burst_close", "adl": "dte_sys_adl_close"}.get(row.cause)
        return f"{forced}_{row.held}" if forced else word
    forms = {"liquidation": "burst_{}_single", "adl": "dte_sys_adl_{}_in_single_side_mode"}
    return forms.get(row.cause, "{}_single").format(row.side)


def position_side(row: Order | Fill, *, hedged: bool) -> str:
    """v2's `side`: in hedge mode it names the position."""
    return {"long": "buy", "short": "sell"}[row.held] if hedged else row.side


def source_of(order: Order) -> str:
    """What made an order."""
    if order.cause == "liquidation":
        return "liquidation"
    if order.cause == "adl":
        return "reduce_offset"
    if order.cause == "plan":
        return f"plan_{order.kind}"
    return "market" if order.kind == "market" else "normal"


def bill_type(bill: Bill, *, hedged: bool) -> str:
    """v2's `businessType` of a futures wallet."""
    others = {
        "funding": "contract_settle_fee",
        "transfer_in": "trans_from_exchange",
        "transfer_out": "trans_to_exchange",
        "deduction": "fee_deduction",
    }
    if bill.kind in others:
        return others[bill.kind]
    forced = {"liquidation": "burst_", "adl": "adl_"}.get(bill.cause, "")
    if not hedged:
        return f"{forced}{bill.side}"
    return f"{forced}{'open' if bill.opens else 'close'}_{bill.held}"


def plan_row(plan: Plan, *, hedged: bool) -> dict[str, Any]:
    """A row of the history of plans."""
    side = {"long": "buy", "short": "sell"}[plan.held] if hedged else plan.side
    return {
        "planType": "normal_plan",
        "symbol": symbol_of(plan.pair),
        "size": text(plan.size),
        "orderId": str(plan.number),
        "executeOrderId": str(plan.order) if plan.order else "",
        "clientOid": "",
        "planStatus": plan.status,
        "triggerPrice": text(plan.trigger),
        "triggerType": "fill_price",
        "side": side,
        "posSide": plan.held,
        "tradeSide": "open" if plan.opens else "close",
        "posMode": "hedge_mode" if hedged else "one_way_mode",
        "cTime": str(plan.created),
        "uTime": str(plan.updated),
    }
