"""What a trade changes of a paper account: the order, the position or the coins, and the rows that tell it.

No amount is rounded but one: the share of a position's cost that a part of it takes along, and what it leaves
is the exact rest. So all results of a position add up to what it was sold for less what it was bought for.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Literal

from backend.trading.money import part_of, times, total
from backend.trading.paper.paper_book import ZERO, Lot, PaperBook, Resting, Trigger
from backend.trading.rows import Fee, Fill, Held, Order, Product, Side, Status

Role = Literal["maker", "taker"]


def fill(book: PaperBook, order: Resting, size: Decimal, price: Decimal, role: Role, time: int) -> Resting:
    """Trade `size` of an order at `price`. Returns the order as it is then; it stays in the book."""
    ticket = order.ticket
    value = times(size, price)
    rates = book.terms.rates(ticket.product)
    rate = rates.maker if role == "maker" else rates.taker
    if ticket.product is Product.SPOT:
        fee, realised = _swap(book, order, size, value, rate, time), None
    else:
        fee, realised = _trade(book, order, size, price, value, rate, time)
    book.fills.append(
        Fill(
            product=ticket.product,
            symbol=ticket.symbol,
            fill_id=book.next_number(),
            order_id=order.order_id,
            side=ticket.side,
            price=price,
            size=size,
            value=value,
            fees=(fee,),
            role=role,
            realised=realised,
            time=time,
        )
    )
    changed = replace(
        order,
        filled=total((order.filled, size)),
        value=total((order.value, value)),
        fees=_added(order.fees, fee),
        updated=time,
    )
    book.put_resting(changed)
    _arm(book, changed, size)
    return changed


def finish(book: PaperBook, order: Resting, status: Status, time: int) -> Order:
    """The order leaves the book."""
    book.resting = [one for one in book.resting if one.order_id != order.order_id]
    row = told(replace(order, updated=time), status)
    book.orders.append(row)
    return row


def told(order: Resting, status: Status | None = None) -> Order:
    """An order as venues tell it."""
    ticket = order.ticket
    is_open = Status.PARTIALLY_FILLED if order.filled else Status.OPEN
    return Order(
        product=ticket.product,
        symbol=ticket.symbol,
        order_id=order.order_id,
        client_id=order.client_id,
        side=ticket.side,
        held=None if ticket.product is Product.SPOT else ticket.held,
        kind="market" if ticket.price is None else "limit",
        status=status or is_open,
        price=ticket.price,
        size=order.filled if ticket.size is None else ticket.size,
        filled=order.filled,
        average_price=part_of(order.value, Decimal(1), order.filled) if order.filled else None,
        fees=order.fees,
        reduce_only=None if ticket.product is Product.SPOT else ticket.closes,
        source=order.cause,
        created=order.created,
        updated=order.updated,
    )


def _swap(book: PaperBook, order: Resting, size: Decimal, value: Decimal, rate: Decimal, time: int) -> Fee:
    """On spot two coins change hands; the fee is taken from the one that comes in."""
    buys = order.ticket.side == "buy"
    into, got, out, gave = (
        (order.base, size, order.quote, value) if buys else (order.quote, value, order.base, size)
    )
    fee = times(got, rate)
    where = (order.ticket.product, order.ticket.symbol)
    book.pay(where[0], out, "trade", -gave, time, symbol=where[1])
    book.pay(where[0], into, "trade", got, time, fee=fee, symbol=where[1])
    return Fee(into, fee)


def _trade(
    book: PaperBook,
    order: Resting,
    size: Decimal,
    price: Decimal,
    value: Decimal,
    rate: Decimal,
    time: int,
) -> tuple[Fee, Decimal]:
    ticket, fee = order.ticket, times(value, rate)
    lot = book.lot(order.market, ticket.held)
    if lot is None:
        lot = Lot(
            product=ticket.product,
            symbol=ticket.symbol,
            coin=order.quote,
            held=ticket.held,
            isolated=book.lever(*order.market).margin_mode == "isolated",
        )
    changed, realised = _moved(book, lot, size * ticket.direction, price)
    book.put_lot(replace(changed, updated=time))
    book.pay(ticket.product, order.quote, "trade", realised, time, fee=fee, symbol=ticket.symbol)
    return Fee(order.quote, fee), realised


def _moved(book: PaperBook, lot: Lot, move: Decimal, price: Decimal) -> tuple[Lot, Decimal]:
    """A position after a trade (below zero: a sale) and what the trade won. It may come out on the other
    side."""
    realised = ZERO
    if lot.size and (lot.size > 0) != (move > 0):
        closed = min(abs(move), abs(lot.size)).copy_sign(lot.size)
        is_all = closed == lot.size
        cost = lot.cost if is_all else part_of(lot.cost, closed, lot.size)
        margin = lot.margin if is_all else part_of(lot.margin, closed, lot.size)
        realised = total((times(closed, price), -cost))
        lot = replace(
            lot, size=lot.size - closed, cost=total((lot.cost, -cost)), margin=total((lot.margin, -margin))
        )
        move += closed
    if not move:
        return lot, realised
    leverage = book.leverage(lot.market, long=move > 0)
    margin = part_of(times(abs(move), price), Decimal(1), leverage) if lot.isolated else ZERO
    return (
        replace(
            lot,
            size=total((lot.size, move)),
            cost=total((lot.cost, times(move, price))),
            margin=total((lot.margin, margin)),
        ),
        realised,
    )


def _added(fees: tuple[Fee, ...], fee: Fee) -> tuple[Fee, ...]:
    sums = {one.coin: one.paid for one in fees}
    sums[fee.coin] = total((sums.get(fee.coin, ZERO), fee.paid))
    return tuple(Fee(coin, paid) for coin, paid in sums.items())


def _arm(book: PaperBook, order: Resting, size: Decimal) -> None:
    """What an order opened is guarded by its take-profit and its stop-loss."""
    ticket = order.ticket
    for cause, price in (("take_profit", ticket.take_profit), ("stop_loss", ticket.stop_loss)):
        if price is None:
            continue
        known = next(
            (one for one in book.triggers if (one.parent, one.cause) == (order.order_id, cause)), None
        )
        book.triggers = [one for one in book.triggers if one is not known]
        side: Side = "sell" if ticket.side == "buy" else "buy"
        held: Held = ticket.held
        book.triggers.append(
            Trigger(
                parent=order.order_id,
                product=ticket.product,
                symbol=ticket.symbol,
                held=held,
                side=side,
                price=price,
                above=(cause == "take_profit") == (ticket.side == "buy"),
                cause="take_profit" if cause == "take_profit" else "stop_loss",
                size=total((known.size if known else ZERO, size)),
            )
        )
