"""Changes an open order: ends it, reads how much of it was filled, and places the rest anew.

Exchanges differ in what they let one change, and some make a new order of it anyway. This way is the same
everywhere, and there are never two orders: the new one is placed only when the exchange shows that the old
one has ended. It loses its place in the book, as with any change of a price.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from backend.errors import InvalidRequest, KeyReused, OrderFinished, OrderUndecided
from backend.services.orders.cancelling import Canceller
from backend.services.orders.executor import Executor
from backend.trading.intents import Intent, State
from backend.trading.rows import Product
from backend.trading.tickets import InvalidTicket, Ticket


class Amender:
    """Raises what `Canceller.cancel` and `Executor.place` raise."""

    def __init__(self, *, executor: Executor, canceller: Canceller) -> None:
        self._executor = executor
        self._canceller = canceller

    async def amend(
        self,
        intent_id: str,
        *,
        price: Decimal | None,
        size: Decimal | None,
        caller: str,
        key: str | None = None,
    ) -> Intent:
        """Give an open limit order another price or another size; the new order.

        `size` counts what is filled already. Raises OrderFinished where nothing is left to change, and
        OrderUndecided where nobody knows yet what became of the order.
        """
        intent = await self._executor.get(intent_id)
        source = f"amend {intent.id}"
        if key is not None and (known := await self._executor.known(intent.account, key)):
            if known.source != source:
                raise KeyReused("this Idempotency-Key was used for another order: use a new one")
            return known
        wanted = _wanted(intent, price, size)
        if intent.state is not State.ACCEPTED:
            raise OrderUndecided(
                f"order {intent.id} is {intent.state.value}: only an accepted one is changed"
            )
        ended = await self._canceller.cancel(intent_id, caller=caller)
        if not ended.finished or ended.order is None:
            raise OrderUndecided(f"the exchange has not ended order {intent.id} yet: try again")
        assert wanted.size is not None
        left = wanted.size - ended.order.filled
        if left <= 0:
            raise OrderFinished(f"order {intent.id} is filled as far as it should be: nothing is left")
        return await self._executor.place(
            intent.account, replace(wanted, size=left), caller=caller, key=key, source=source
        )


def _wanted(intent: Intent, price: Decimal | None, size: Decimal | None) -> Ticket:
    ticket = intent.ticket
    if price is None and size is None:
        raise InvalidRequest("give a new price or a new size", code="invalid_order")
    if ticket.price is None or (ticket.product is Product.SPOT and ticket.size is None):
        raise InvalidRequest("a market order cannot be changed", code="invalid_order")
    if intent.finished:
        raise OrderFinished(f"order {intent.id} has ended: place a new one")
    try:
        return replace(ticket, price=price or ticket.price, size=size or ticket.size)
    except InvalidTicket as error:
        raise InvalidRequest(str(error), code="invalid_order") from None
