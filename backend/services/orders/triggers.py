"""Places trigger orders when the market gets to their price.

The service watches the prices itself: BingX takes no id of ours for its own trigger orders, so one whose
answer is lost could never be found again. What fired is written down before the order is placed, and the
order has an idempotency key, so it is one order whoever places it and whatever dies.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Literal
from uuid import uuid4

from backend.clock import Clock
from backend.core.windows import MINUTE
from backend.errors import (
    AccountContended,
    EntryUndecided,
    ExchangeUnavailable,
    InvalidRequest,
    KeyReused,
    MarketDataError,
    UnknownAccount,
    UnknownTrigger,
)
from backend.loops import Loops
from backend.services.accounts.accounts import Accounts
from backend.services.orders.executor import Executor
from backend.services.orders.facts import MarketFacts
from backend.services.orders.ports import TriggerStore
from backend.services.orders.settling import Settler
from backend.trading.account import Account
from backend.trading.intents import State, intent_id
from backend.trading.rows import Product
from backend.trading.tickets import Ticket
from backend.trading.trigger import TriggerOrder

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
MOST = 500
"""Trigger orders of an account that may wait at once."""
PATIENCE_MS = 2 * MINUTE
"""So long is the order of a trigger tried that cannot be sent."""
TEMPORARY = (AccountContended, EntryUndecided, ExchangeUnavailable)
"""Errors after which nothing was sent, and another try may do."""

Market = tuple[str, Product, str]


class Triggers:
    """`stop` ends the task that `start` begins."""

    def __init__(
        self,
        *,
        executor: Executor,
        facts: MarketFacts,
        accounts: Accounts,
        store: TriggerStore,
        settler: Settler,
        clock: Clock,
        loops: Loops,
    ) -> None:
        self._executor = executor
        self._facts = facts
        self._accounts = accounts
        self._store = store
        self._settler = settler
        self._clock = clock
        self._loops = loops
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._loops.start("trigger orders", self._step)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def begin(
        self, account_id: str, ticket: Ticket, *, price: Decimal, caller: str, key: str | None = None
    ) -> TriggerOrder:
        """Wait for a price: from the present price up to it, or down. A repeated `key` of the same account is
        the same trigger order.

        Raises InvalidRequest where the market has no price or is there already, UnknownAccount, KeyReused,
        and LiveTradingOff.
        """
        made = intent_id(account_id, f"trigger {uuid4().hex if key is None else key}")
        if key is not None and (known := await self._store.load(made)):
            return _same(known, ticket, price)
        account, _ = await self._executor.rules(account_id, ticket)
        last = await self._facts.price(account, ticket.product, ticket.symbol)
        if last is None:
            raise InvalidRequest("nothing tells this market's price", code="invalid_trigger_price")
        if last == price:
            raise InvalidRequest("the market is at this price already", code="invalid_trigger_price")
        if await self._store.count(account.id) >= MOST:
            raise InvalidRequest(
                f"{MOST} trigger orders of this account wait already", code="invalid_trigger_price"
            )
        trigger = TriggerOrder(
            id=made,
            account=account.id,
            mode=account.mode,
            ticket=ticket,
            price=price,
            above=price > last,
            caller=caller,
            created=self._clock.now(),
        )
        if not await self._store.add(trigger):
            return _same(await self.get(made), ticket, price)
        await self._note(trigger, "begun", "")
        return trigger

    async def get(self, trigger_id: str) -> TriggerOrder:
        """Raises UnknownTrigger."""
        if trigger := await self._store.load(trigger_id):
            return trigger
        raise UnknownTrigger("there is no such trigger order")

    async def newest(self, account_id: str, limit: int) -> Sequence[TriggerOrder]:
        """The trigger orders of an account, newest first."""
        return await self._store.newest(account_id, limit)

    async def cancel(self, trigger_id: str, *, caller: str) -> TriggerOrder:
        """Wait no longer. An order that was placed already stays as it is."""
        trigger = await self.get(trigger_id)
        while trigger.status == "waiting":
            if await self._store.change(trigger, replace(trigger, status="cancelled")):
                await self._note(replace(trigger, caller=caller), "cancelled", "")
            trigger = await self.get(trigger_id)
        return trigger

    async def cancel_all(self, account_id: str, *, caller: str, symbol: str | None = None) -> int:
        """End all that wait, of an account or of one symbol; how many did."""
        waiting = [one for one in await self._store.open() if one.account == account_id]
        wanted = [one for one in waiting if symbol in (None, one.ticket.symbol)]
        ended = [await self.cancel(one.id, caller=caller) for one in wanted]
        return sum(one.status == "cancelled" for one in ended)

    async def _step(self) -> None:
        await self.look()
        await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Ask each market once for its price, and place what is met."""
        prices: dict[Market, Decimal | None] = {}
        for trigger in await self._store.open():
            with self._loops.surviving("trigger orders"):
                if trigger.status == "fired" or await self._is_met(trigger, prices):
                    await self._fire(trigger)

    async def _is_met(self, trigger: TriggerOrder, prices: dict[Market, Decimal | None]) -> bool:
        try:
            account = await self._accounts.get(trigger.account)
        except UnknownAccount:
            await self._over(trigger, "failed", "the account was removed")
            return False
        last = await self._price(account, trigger, prices)
        return last is not None and trigger.is_met(last)

    async def _price(
        self, account: Account, trigger: TriggerOrder, prices: dict[Market, Decimal | None]
    ) -> Decimal | None:
        market = (account.venue, trigger.ticket.product, trigger.ticket.symbol)
        if market not in prices:
            prices[market] = await self._facts.price(account, market[1], market[2])
        return prices[market]

    async def _fire(self, trigger: TriggerOrder) -> None:
        """Place the order. That it fired is written first: a price that goes back takes nothing back."""
        now = self._clock.now()
        fired = trigger
        if trigger.status == "waiting":
            fired = replace(trigger, status="fired", fired=now)
            if not await self._store.change(trigger, fired):
                return
        try:
            intent = await self._executor.place(
                fired.account,
                fired.ticket,
                caller=fired.caller,
                key=fired.key,
                source=f"trigger {fired.id}",
            )
        except TEMPORARY as error:
            if now - (fired.fired or now) < PATIENCE_MS:
                log.info("trigger order %s waits: %s", fired.id, error)
                return
            await self._over(fired, "failed", str(error))
        except MarketDataError as error:
            await self._over(fired, "failed", str(error))
        else:
            placed = replace(fired, intent=intent.id)
            if intent.undecided:
                # The next look gets the same intent, with what is known of it then.
                await self._store.change(fired, placed)
                return
            is_there = intent.state is State.ACCEPTED
            await self._over(fired, "done" if is_there else "failed", intent.reason, placed)

    async def _over(
        self,
        trigger: TriggerOrder,
        status: Literal["done", "failed"],
        reason: str,
        after: TriggerOrder | None = None,
    ) -> None:
        ended = replace(after or trigger, status=status, reason=reason)
        if await self._store.change(trigger, ended):
            await self._note(ended, status, reason)

    async def _note(self, trigger: TriggerOrder, outcome: str, said: str) -> None:
        await self._settler.note(
            account=trigger.account,
            caller=trigger.caller,
            action="trigger",
            intent=trigger.intent or trigger.id,
            outcome=outcome,
            said=said,
        )


def _same(known: TriggerOrder, ticket: Ticket, price: Decimal) -> TriggerOrder:
    """The trigger order of an earlier request with the same key, if it asked for the same."""
    if (known.ticket, known.price) != (ticket, price):
        raise KeyReused("this Idempotency-Key was used for another order: use a new key for a new order")
    return known
