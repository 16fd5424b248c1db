"""Orders that arrive at an imitated venue: met as the faults say, matched at the last price, counted.

A market order, and a limit order that reaches the last price, are filled at that price at once. Any other
limit order stays in the book until a test finishes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from tests.simulator.answers import CUT, Answer, html_answer
from tests.simulator.private.accounts import Asked, Refused
from tests.simulator.private.faults import Met
from tests.simulator.private.rows import Held, Order, Pair, Product, Side


class Instead(Exception):
    """Something else than the venue's answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer)
        self.answer = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """How a venue says that it will not."""

    duplicate: str
    busy: str
    no_position: str
    too_small: str
    no_price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """An order that arrives, in no venue's words. `quote` is what a market order on spot spends."""

    product: Product
    pair: Pair
    side: Side
    held: Held
    closes: bool
    size: Decimal
    price: Decimal | None
    force: str
    client_id: str
    quote: Decimal | None = None


def placed(asked: Asked, wish: Wish, codes: Codes, tell: Callable[[Order], Any]) -> Any:
    """What the venue answers to an order."""
    private = asked.faults.private
    private.on_placing("received")
    met = private.met()
    if met.manner == "refuse":
        raise Refused(codes.too_small, "less than the minimum amount")
    if met.manner == "busy":
        raise Refused(codes.busy, "busy")
    if met.manner == "drop":
        raise Instead(CUT)
    if met.manner == "late":
        private.waiting.append((asked.now + met.delay, lambda now: _late(asked, wish, codes, met, now)))
        raise Instead(CUT)
    order = _accepted(asked, wish, codes, met, asked.now)
    private.on_placing("accepted")
    said = tell(order)
    private.on_placing("answered")
    _spoil(met, codes)
    return said


def _spoil(met: Met, codes: Codes) -> None:
    if met.manner == "accept_drop":
        raise Instead(CUT)
    if met.manner == "accept_error":
        raise Instead(html_answer(502, "Bad Gateway"))
    if met.manner == "accept_forbidden":
        raise Instead(html_answer(403, "Forbidden"))
    if met.manner == "accept_garbage":
        raise Instead(Answer(200, b'{"code":"00000","data":{"order'))
    if met.manner == "accept_busy":
        raise Refused(codes.busy, "busy")
    if met.manner == "accept_refuse":
        raise Refused(codes.too_small, "less than the minimum amount")


def _late(asked: Asked, wish: Wish, codes: Codes, met: Met, now: int) -> None:
    try:
        _accepted(asked, wish, codes, met, now)
    except Refused:
        return


def _accepted(asked: Asked, wish: Wish, codes: Codes, met: Met, now: int) -> Order:
    book = asked.book
    now = max(now, book.now)
    known = book.order_of(client_id=wish.client_id) if wish.client_id else None
    if known is not None and now - known.created <= asked.faults.private.id_memory:
        raise Refused(codes.duplicate, "Duplicate clientOid")
    last = book.price_of(wish.product, wish.pair)
    size = wish.size if wish.quote is None else (wish.quote / last).quantize(Decimal("0.000001"))
    if size <= 0:
        raise Refused(codes.too_small, "less than the minimum amount")
    if wish.closes and wish.product is not Product.SPOT:
        closable = abs(book.closable(wish.product, wish.pair, wish.held))
        if not closable:
            raise Refused(codes.no_position, "No position to close")
        size = min(size, closable)
    takes = wish.price is None or (last <= wish.price if wish.side == "buy" else last >= wish.price)
    if takes and wish.force == "post_only":
        raise Refused(codes.no_price, "a post-only order would take")
    order = book.place(
        wish.product,
        wish.pair,
        wish.side,
        size,
        now,
        price=wish.price,
        held="" if wish.product is Product.SPOT else wish.held,
        opens=not wish.closes,
        client_id=wish.client_id or f"venue{now}",
    )
    book.accepted[wish.client_id] += 1
    if met.hidden:
        asked.faults.private.hidden[order.number] = now + met.hidden
    if takes:
        book.fill(order.number, size, last, now)
    elif wish.force in ("ioc", "fok"):
        book.cancel(order.number, now)
    return order


def number(asked: Asked, name: str, refused: Callable[[str], Refused]) -> Decimal | None:
    """A parameter that is a number above zero; None if it is not given."""
    if not (said := asked.params.get(name)):
        return None
    try:
        found = Decimal(said)
    except InvalidOperation:
        raise refused(name) from None
    if not found.is_finite() or found <= 0 or format(found, "f") != said:
        raise refused(name)
    return found


def net_closes(asked: Asked, product: Product, pair: Pair, side: Side, *, only: bool) -> bool:
    """Whether an order of an account with one position a symbol makes that smaller."""
    held = asked.book.size_of(product, pair, "net")
    return only or (held < 0 if side == "buy" else held > 0)


def cancelled(asked: Asked, order: Order, finished: str) -> Order:
    """End an order that is open."""
    if order.number not in asked.book.open:
        raise Refused(finished, "The order is finished")
    asked.book.cancel(order.number, max(asked.now, asked.book.now))
    return order
