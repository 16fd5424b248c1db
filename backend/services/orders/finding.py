"""Looks for an order at its venue in more than one way: no single answer proves that it is not there."""

from __future__ import annotations

from backend.core.windows import MINUTE
from backend.errors import OrderAbsent
from backend.services.accounts.ports import AccountSource
from backend.services.history.window_reading import rows_of
from backend.trading.history import Kind
from backend.trading.intents import Intent
from backend.trading.rows import Order, Wanted


async def found_by_id(venue: AccountSource, intent: Intent) -> Order | None:
    """The order by our own id; None where the venue says that it has none. May raise ExchangeError."""
    ticket = intent.ticket
    try:
        order = await venue.order(ticket.product, ticket.symbol, intent.id)
    except OrderAbsent:
        return None
    return order if order is not None and _is(order, intent) else None


async def found_anywhere(venue: AccountSource, intent: Intent) -> Order | None:
    """The order by its id, among the open orders, and in the history since it was signed. None only if all
    three say that it is not there. May raise ExchangeError."""
    if order := await found_by_id(venue, intent):
        return order
    product = intent.ticket.product
    for order in await venue.open_orders(product):
        if _is(order, intent):
            return order
    if venue.offer(Kind.ORDERS, product) is None:
        return None
    return await _found_in_history(venue, intent)


async def _found_in_history(venue: AccountSource, intent: Intent) -> Order | None:
    wanted = Wanted(
        product=intent.ticket.product,
        symbol=intent.ticket.symbol,
        start=intent.signed - MINUTE,
        end=max(await venue.now(), intent.last_moment) + MINUTE,
    )
    async for came in rows_of(venue.orders, wanted):
        for order in came.rows.values():
            if isinstance(order, Order) and _is(order, intent):
                return order
    return None


def _is(order: Order, intent: Intent) -> bool:
    """BingX keeps ids in small letters; ours have no others."""
    return order.client_id.lower() == intent.id
