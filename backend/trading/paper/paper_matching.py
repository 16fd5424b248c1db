"""How orders of a paper account meet the offers and prices of the real market.

An order takes the offers that stand in the market's book when it comes, level by level. What rests is filled
at its own price, by what is offered at that price or better, or by candles that trade through it: a candle
that only touches the price fills nothing. So a fill is rather missed than invented. No order of a paper
account moves the market.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from backend.core.quotes import Level, OrderBook
from backend.trading.money import part_of, plain, round_down, times, total
from backend.trading.paper.paper_book import ZERO, Instrument, PaperBook, PaperRefused, Resting
from backend.trading.paper.paper_fills import fill, finish, told
from backend.trading.paper.paper_margin import available, needed
from backend.trading.rows import Order, Product, Status
from backend.trading.tickets import Force, Ticket


def place(
    book: PaperBook, market: Instrument, ticket: Ticket, client_id: str, offers: OrderBook, time: int
) -> Order:
    """An order arrives: it is filled as far as the offers allow, and rests or ends. Raises PaperRefused."""
    order = Resting(
        ticket=_allowed(book, ticket),
        base=market.base,
        quote=market.quote,
        order_id=book.next_number(),
        client_id=client_id,
        created=time,
        updated=time,
    )
    matches = _matches(order.ticket, offers, market)
    if ticket.force is Force.POST_ONLY and matches:
        raise PaperRefused("a post-only order would take an offer at this price")
    if ticket.price is None and not matches:
        raise PaperRefused(f"nobody offers {market.symbol} now")
    _check_funds(book, order, matches)
    book.put_resting(order)
    wanted = order.ticket.size
    if ticket.force is Force.FOK and wanted is not None and total(one.size for one in matches) < wanted:
        return finish(book, order, Status.CANCELLED, time)
    for level in matches:
        order = fill(book, order, level.size, level.price, "taker", time)
    row = _rest(book, order, time)
    tidy(book, time)
    return row


def cancel(book: PaperBook, order_id: str, client_id: str, time: int) -> None:
    """End an open order. Raises PaperRefused where there is none."""
    for order in book.resting:
        if order.order_id == order_id or (client_id and order.client_id == client_id):
            finish(book, order, Status.CANCELLED, time)
            return
    raise PaperRefused("there is no such open order")


@dataclass(slots=True)
class Liquidity:
    """What somebody trades against the orders that rest in a market: `size` at most, with orders that buy
    from `lowest` on, and with those that sell up to `highest`. None: any size; or nobody of that side."""

    lowest: Decimal | None
    highest: Decimal | None
    buying_size: Decimal | None
    selling_size: Decimal | None


def meet(
    book: PaperBook, market: tuple[Product, str], liquidity: Liquidity, time: int, *, since: int | None = None
) -> None:
    """Fill what rests in a market, the best price first. With `since` the trades are those of a candle: they
    meet the orders that were there then, and must pass their price, not touch it."""
    for buys in (True, False):
        reached = liquidity.lowest if buys else liquidity.highest
        left = liquidity.buying_size if buys else liquidity.selling_size
        if reached is None:
            continue
        side = "buy" if buys else "sell"
        waiting = [
            one
            for one in book.resting
            if (one.market, one.ticket.side) == (market, side) and (since is None or one.created <= since)
        ]
        for order in sorted(waiting, key=lambda one: (_price(one) * (-1 if buys else 1), one.created)):
            price = _price(order)
            is_met = price > reached if buys else price < reached
            if not is_met and (since is not None or price != reached):
                break
            size = order.left if left is None else min(order.left, left)
            size = min(size, _closable(book, order))
            if size <= 0:
                continue
            left = None if left is None else left - size
            changed = fill(book, order, size, price, "maker", time)
            if not changed.left:
                finish(book, changed, Status.FILLED, time)
    tidy(book, time)


def tidy(book: PaperBook, time: int) -> None:
    """Orders and triggers that only close end with their position."""
    for order in list(book.resting):
        if order.ticket.closes and order.ticket.product is not Product.SPOT and not _closable(book, order):
            finish(book, order, Status.CANCELLED, time)
    book.triggers = [
        one
        for one in book.triggers
        if (lot := book.lot(one.market, one.held)) is not None and (lot.size > 0) == (one.side == "sell")
    ]


def _allowed(book: PaperBook, ticket: Ticket) -> Ticket:
    """The ticket, not larger than the position that it closes."""
    if ticket.product is Product.SPOT:
        return ticket
    if book.hedged == (ticket.held == "net"):
        mode = "long and short positions" if book.hedged else "one position a symbol"
        raise PaperRefused(f"this account holds {mode}: position does not fit")
    if not ticket.closes:
        return ticket
    lot = book.lot((ticket.product, ticket.symbol), ticket.held)
    if lot is None or (lot.size > 0) == (ticket.side == "buy"):
        raise PaperRefused("there is no position to close")
    assert ticket.size is not None
    return replace(ticket, size=min(ticket.size, abs(lot.size)))


def _matches(ticket: Ticket, offers: OrderBook, market: Instrument) -> Sequence[Level]:
    """What the order takes of each level, best first."""
    matches = []
    size, money = ticket.size, ticket.quote_size
    for level in offers.asks if ticket.side == "buy" else offers.bids:
        if ticket.price is not None and (level.price - ticket.price) * ticket.direction > 0:
            break
        if money is not None:
            affordable = part_of(money, Decimal(1), level.price)
            taken = round_down(min(affordable, level.size), step=market.rules.size_step)
            money = total((money, -times(taken, level.price)))
        else:
            assert size is not None
            taken = min(size, level.size)
            size -= taken
        if taken <= 0:
            break
        matches.append(Level(level.price, taken))
    return matches


def _check_funds(book: PaperBook, order: Resting, matches: Sequence[Level]) -> None:
    """Raise PaperRefused where the account's money does not suffice."""
    ticket = order.ticket
    if ticket.product is Product.SPOT and ticket.side == "sell":
        coin, wanted = order.base, ticket.size or ZERO
    elif ticket.quote_size is not None:
        coin, wanted = order.quote, ticket.quote_size
    else:
        coin, size = order.quote, ticket.size or ZERO
        price = max((ticket.price or ZERO, *(level.price for level in matches)))
        rate = book.terms.rates(ticket.product).taker
        if ticket.product is Product.SPOT:
            wanted = times(size, price)
        elif ticket.closes:
            return
        else:
            wanted = total((needed(book, order, size, price), times(size, price, rate)))
    has = available(book, ticket.product, coin)
    if wanted > has:
        raise PaperRefused(
            f"not enough {coin}: the order needs {plain(wanted)}, {plain(max(has, ZERO))} is available"
        )


def _rest(book: PaperBook, order: Resting, time: int) -> Order:
    """What is left of an order stays in the book, or ends."""
    ticket = order.ticket
    if (ticket.quote_size is not None and order.filled) or (ticket.size is not None and not order.left):
        return finish(book, order, Status.FILLED, time)
    if ticket.price is None or ticket.force in (Force.IOC, Force.FOK):
        return finish(book, order, Status.CANCELLED, time)
    return told(order)


def _closable(book: PaperBook, order: Resting) -> Decimal:
    """The most of an order that may be filled: one that only closes never opens."""
    if order.ticket.product is Product.SPOT or not order.ticket.closes:
        return order.left
    lot = book.lot(order.market, order.ticket.held)
    if lot is None or (lot.size > 0) == (order.ticket.side == "buy"):
        return ZERO
    return abs(lot.size)


def _price(order: Resting) -> Decimal:
    assert order.ticket.price is not None
    return order.ticket.price
