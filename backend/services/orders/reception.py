"""Judges entries, and puts those that may be sent on the account's desk.

An entry is judged by one version of the desk and put on exactly that version: so two processes never use the
same room of a limit. Orders that only close need no place: limits never refuse them.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal

from backend.clock import Clock
from backend.core.windows import MINUTE
from backend.errors import AccountContended, EntryUndecided, RiskRefused
from backend.services.orders.facts import Facts
from backend.services.orders.ports import Desk, DeskStore, Entry, IntentStore
from backend.trading.account import Account
from backend.trading.intents import Intent
from backend.trading.money import total
from backend.trading.risk import Situation, verdict
from backend.trading.tickets import Ticket

MOST_TRIES = 50
"""Versions of a desk that one order is judged by before the caller is told to come back."""
OVERDUE_MS = 5000
"""Time after which an order without an answer keeps others of its symbol from being sent."""


class AlreadySent(Exception):
    """Another request with the same idempotency key was faster."""


class Reception:
    """Both may raise DatabaseUnavailable."""

    def __init__(self, *, intents: IntentStore, desks: DeskStore, clock: Clock) -> None:
        self._intents = intents
        self._desks = desks
        self._clock = clock
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def judge(self, account: Account, intent: Intent, facts: Facts) -> None:
        """Raise RiskRefused or EntryUndecided where the entry may not be sent now."""
        if not intent.ticket.closes:
            await self._judge(await self._desks.load(account.id), account, intent, facts)

    async def admit(self, account: Account, intent: Intent, facts: Facts) -> None:
        """Put an entry on the desk. Raises RiskRefused, EntryUndecided, AccountContended, AlreadySent."""
        ticket = intent.ticket
        if ticket.closes:
            return
        # Entries of one process stand in line: those that decide by one version at once take it from each
        # other, and fifty of them would need hundreds of tries.
        async with self._turns[account.id]:
            for _ in range(MOST_TRIES):
                desk = await self._desks.load(account.id)
                if any(one.id == intent.id for one in desk.entries):
                    raise AlreadySent
                await self._judge(desk, account, intent, facts)
                entry = Entry(
                    id=intent.id,
                    product=ticket.product,
                    symbol=ticket.symbol,
                    side=ticket.side,
                    held=ticket.held,
                    value=intent.value,
                    overdue=self._clock.now() + OVERDUE_MS,
                )
                if await self._desks.put(desk, entry):
                    return
        raise AccountContended("too many orders of this account are sent at once: try again", retry_after=1)

    async def _judge(self, desk: Desk, account: Account, intent: Intent, facts: Facts) -> None:
        ticket, now = intent.ticket, self._clock.now()
        market = (ticket.product, ticket.symbol)
        same = [one for one in desk.entries if (one.product, one.symbol) == market]
        if stuck := [one for one in same if one.unknown or one.overdue <= now]:
            raise EntryUndecided(
                f"nobody knows yet if order {stuck[0].id} of {ticket.symbol} exists: wait until it is known",
                retry_after=1,
            )
        situation = Situation(
            price=facts.price,
            position=facts.position,
            exposed=await self._exposed(account, ticket, same, facts),
            entries=len(desk.entries) + sum(moment > now - MINUTE for moment in desk.done),
            loss=facts.loss,
            halted=desk.halted,
        )
        if refused := verdict(ticket, intent.value, account.limits, situation):
            raise RiskRefused(refused)

    async def _exposed(
        self, account: Account, ticket: Ticket, same: Sequence[Entry], facts: Facts
    ) -> Decimal:
        """What other orders may add to the position beside what it showed when it was read."""
        if not account.limits.needs_position:
            return Decimal(0)
        stored = await self._intents.exposing(account.id, ticket.product, ticket.symbol, facts.read)
        known = {one.id: one.value for one in stored if _adds_up(one.ticket, ticket)}
        known |= {one.id: one.value for one in same if _adds_up(one, ticket)}
        return total(value for value in known.values() if value is not None)


def _adds_up(one: Ticket | Entry, other: Ticket) -> bool:
    """Whether two orders of a symbol make the same position larger."""
    return (one.side, one.held) == (other.side, other.held)
