"""BingX's own words for what a book holds, and the windows and pages of its histories.

Source: https://bingx-api.github.io/docs-v3. On the demo host USDT is called VST.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from tests.simulator.private.accounts import Asked, Refused
from tests.simulator.private.bitget_words import fee_in, text
from tests.simulator.private.rows import Fill, Order, Pair, Product
from tests.simulator.private.shelf import Row
from tests.simulator.times import DAY

WEEK = 7 * DAY
LOCAL = timedelta(hours=8)
STATUSES = {
    "open": "PENDING",
    "partially_filled": "PARTIALLY_FILLED",
    "filled": "FILLED",
    "cancelled": "CANCELLED",
}
COIN_STATUSES = {
    "open": "Pending",
    "partially_filled": "PartiallyFilled",
    "filled": "Filled",
    "cancelled": "Cancelled",
}
SPOT_STATUSES = {**STATUSES, "cancelled": "CANCELED"}
SIDES = {"": "BOTH", "net": "BOTH", "long": "LONG", "short": "SHORT"}


def symbol_of(pair: Pair) -> str:
    return f"{pair.base}-{pair.quote}"


def coin_of(asked: Asked, coin: str) -> str:
    return "VST" if asked.account.demo and coin == "USDT" else coin


def wrong(asked: Asked, complaint: str) -> Refused:
    """The refusal of a parameter: each family of endpoints has its own code."""
    return Refused("100400" if "/spot/" in asked.path else "109400", f"Invalid parameters, err:{complaint}")


def needed(asked: Asked, name: str) -> str:
    """A parameter that must be there."""
    if not (value := asked.params.get(name)):
        raise wrong(asked, f"{name}: This field is required.")
    return value


def whole(asked: Asked, name: str, otherwise: int) -> int:
    """A parameter that is a whole number."""
    said = asked.params.get(name) or str(otherwise)
    if not (said.isascii() and said.isdigit() and len(said) < 20):
        raise wrong(asked, f"{name}: This field must be a number.")
    return int(said)


def size_of(asked: Asked, name: str, *, usual: int, largest: int) -> int:
    """The number of rows that a question wants at once."""
    size = whole(asked, name, usual)
    if not 0 < size <= largest:
        raise wrong(asked, f"{name}: This field must be less than or equal to {largest}.")
    return asked.capped(size)


def window(asked: Asked, start: str = "startTime", end: str = "endTime") -> tuple[int, int]:
    """The times of a question, both included: the last seven days where it does not say."""
    until = whole(asked, end, asked.now)
    since = whole(asked, start, until - WEEK)
    if since > until or until - since > asked.span(WEEK):
        raise wrong(asked, f"{end}: the range of time is longer than 7 days")
    return since, until


def told(asked: Asked, rows: Iterable[Row]) -> list[Row]:
    """The rows that are told: of the symbol that is named, newest first."""
    if asked.faults.private.take_empty(asked.path):
        return []
    if symbol := asked.params.get("symbol"):
        rows = [row for row in rows if row.pair is not None and symbol_of(row.pair) == symbol]
    return sorted(asked.faults.private.told(rows, asked.now), reverse=True)


def numbered(asked: Asked, rows: Sequence[Row], *, usual: int, largest: int) -> Sequence[Row]:
    """A page of those that are asked for by number."""
    size = size_of(asked, "pageSize", usual=usual, largest=largest)
    begin = (max(whole(asked, "pageIndex", 1), 1) - 1) * size
    return rows[begin : begin + size]


def from_order(asked: Asked, rows: Iterable[Order]) -> list[Order]:
    """Orders from the named one on, all of them if none is named."""
    lowest = whole(asked, "orderId", 0)
    return [row for row in rows if row.number >= lowest]


def order_of(asked: Asked, products: Sequence[Product], own: str, *, absent: str) -> Order:
    """The order of one of its ids; the venue keeps our own in small letters."""
    number, client_id = whole(asked, "orderId", 0), asked.params.get(own, "")
    if not number and not client_id:
        raise wrong(asked, "orderId: This field is required.")
    order = asked.book.order_of(number=number, client_id=client_id)
    symbol = needed(asked, "symbol")
    if order is not None and asked.faults.private.hides(order.number, asked.now):
        order = None
    if order is None or order.product not in products or symbol_of(order.pair) != symbol:
        raise Refused(absent, "order not exist")
    return order


def local(time: int) -> str:
    """The moment as clocks eight hours before UTC show it."""
    moment = datetime.fromtimestamp(time // 1000, UTC) + LOCAL
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{time % 1000:03}"


def commission(row: Order | Fill) -> str:
    """What was paid, below zero: of an order that in the settled coin."""
    return text(-(fee_in(row.fees, row.pair.settled) if isinstance(row, Order) else row.fee))


def open_orders(asked: Asked, products: Sequence[Product]) -> list[Order]:
    """Orders that are not finished, newest first."""
    return told(asked, [order for order in asked.book.open.values() if order.product in products])
