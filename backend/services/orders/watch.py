"""Watches orders until nothing more can happen to them, and finds out what became of unknown ones.

Any process does this for the orders of all: whoever postpones an intent first asks for it. It never sends an
order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from backend.clock import Clock, wait_up_to
from backend.core.windows import DAY, MINUTE
from backend.errors import AccountFrozen, ExchangeError, KeysSealed, UnknownAccount
from backend.loops import Loops
from backend.precedence import Precedence
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.ports import AccountSource
from backend.services.orders.finding import found_anywhere
from backend.services.orders.ports import Change, DeskStore, IntentStore
from backend.services.orders.settling import Settler
from backend.telemetry.metrics import Metrics
from backend.trading.intents import FINISHED, Intent, State, has_never_arrived
from backend.trading.rows import Order

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
AT_ONCE = 100
RECENT_MS = 10_000
"""After an order so young, whichever process sent it, more are expected."""
SOONEST_MS, LATEST_MS = 500, 60_000
"""Shortest and longest pause between two looks at an order. It grows with the order's age."""
DOUBTED_MS = 10 * MINUTE
"""For so long the venue is asked for an order that it refused, or that never arrived."""
SHOWN_MS = 2 * DAY
"""A venue that has not shown an accepted order for so long will not do it any more."""


class OrderWatch:
    """`stop` ends the task that `start` begins."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        intents: IntentStore,
        desks: DeskStore,
        settler: Settler,
        clock: Clock,
        loops: Loops,
        precedence: Precedence,
        metrics: Metrics,
    ) -> None:
        self._accounts = accounts
        self._intents = intents
        self._desks = desks
        self._settler = settler
        self._clock = clock
        self._loops = loops
        self._precedence = precedence
        self._metrics = metrics
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._loops.start("watch of orders", self._step)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def hurry(self) -> None:
        """There is news: look now."""
        self._news.set()

    async def look_at(self, intent: Intent) -> Intent:
        """Ask the venue for an order now. May raise ExchangeError."""
        _, venue = await self._accounts.source(intent.account, urgent=True)
        return await self._look(venue, intent)

    async def _step(self) -> None:
        self._news.clear()
        if await self.look() < AT_ONCE:
            await wait_up_to(LOOK_SECONDS, self._news)

    async def look(self) -> int:
        """Look at every order whose time has come; how many there were."""
        await self._clear_desks()
        now = self._clock.now()
        due = await self._intents.due(now, AT_ONCE)
        if any(intent.created > now - RECENT_MS for intent in due):
            self._precedence.expect()
        by_account: dict[str, list[Intent]] = {}
        for intent in due:
            by_account.setdefault(intent.account, []).append(intent)
        async with asyncio.TaskGroup() as group:
            for intents in by_account.values():
                group.create_task(self._look_at_all(intents))
        return len(due)

    async def _look_at_all(self, intents: Sequence[Intent]) -> None:
        """The orders of one account. What hinders one look hinders neither the others nor the next one."""
        for intent in intents:
            with self._loops.surviving("watch of orders"):
                now = self._clock.now()
                if not await self._intents.claim(intent, now + pause(intent, now)):
                    continue
                try:
                    await self.look_at(intent)
                except UnknownAccount:
                    gone = Change(active=False, settled=now, reason="the account was removed")
                    await self._settler.settle(intent, gone)
                except (ExchangeError, AccountFrozen, KeysSealed) as error:
                    log.info("order %s: the exchange cannot be asked: %s", intent.id, error)

    async def _look(self, venue: AccountSource, intent: Intent) -> Intent:
        moment = await venue.now()
        order = await found_anywhere(venue, intent)
        if order is not None:
            return await self._seen(intent, order)
        if intent.state is State.ACCEPTED:
            return await self._not_shown(intent, moment)
        return await self._absent(intent, moment)

    async def _seen(self, intent: Intent, order: Order) -> Intent:
        if intent.state in (State.REFUSED, State.NEVER_ARRIVED):
            log.error("order %s counted as %s, but %s has it", intent.id, intent.state.value, intent.venue)
        is_over = order.status in FINISHED
        change = Change(
            state=State.ACCEPTED,
            order=order,
            order_id=order.order_id,
            reason="",
            absent=(),
            active=not is_over,
            settled=self._clock.now() if is_over else None,
            reopened=not is_over,
        )
        return await self._settler.settle(intent, change)

    async def _not_shown(self, intent: Intent, moment: int) -> Intent:
        """Every look for days has to miss the order, from the first one that did."""
        first = intent.absent[0] if intent.absent else moment
        if moment - first < SHOWN_MS:
            return await self._settler.settle(intent, Change(absent=(first, moment)))
        log.error("order %s was accepted, and %s does not show it: look there", intent.id, intent.venue)
        over = Change(active=False, settled=self._clock.now(), reason="the exchange does not show the order")
        return await self._settler.settle(intent, over)

    async def _absent(self, intent: Intent, moment: int) -> Intent:
        absent = (*intent.absent, moment)[-10:]
        now = self._clock.now()
        if intent.undecided:
            if not has_never_arrived(intent.last_moment, absent):
                return await self._settler.settle(intent, Change(state=State.UNKNOWN, absent=absent))
            log.warning("order %s never arrived at %s", intent.id, intent.venue)
            return await self._settler.settle(
                intent, Change(state=State.NEVER_ARRIVED, absent=absent, settled=now)
            )
        is_over = moment > intent.last_moment and now - intent.created > DOUBTED_MS
        return await self._settler.settle(intent, Change(absent=absent, active=False if is_over else None))

    async def _clear_desks(self) -> None:
        """Take away what a dead process left on a desk. An entry without an intent was never sent: the intent
        is written first."""
        now = self._clock.now()
        desks = await self._desks.all()
        self._metrics.undecided_orders(sum(len(desk.entries) for desk in desks))
        for desk in desks:
            for entry in desk.entries:
                if entry.overdue > now:
                    continue
                intent = await self._intents.load(entry.id)
                if intent is None or not intent.undecided:
                    await self._desks.take(desk.account, entry.id, now)


def pause(intent: Intent, now: int) -> int:
    """Ms until the next look at an order."""
    part = 4 if intent.undecided else 10
    return min(max((now - intent.created) // part, SOONEST_MS), LATEST_MS)
