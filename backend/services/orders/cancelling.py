"""Ends orders, and keeps an account from new ones: single cancels, all of them, and the kill switch.

To cancel an order twice does no harm, so a cancel needs no intent of its own: its proof is the order itself,
read afterwards.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from backend.clock import Clock
from backend.errors import ExchangeError, ExchangeRefused, KeysRefused, MarketDataError
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.ports import AccountSource
from backend.services.orders.executor import Executor
from backend.services.orders.ports import DeskStore
from backend.services.orders.settling import Settler
from backend.services.orders.triggers import Triggers
from backend.services.orders.watch import OrderWatch
from backend.trading.intents import Intent
from backend.trading.rows import Order, Product

log = logging.getLogger(__name__)

ROUNDS = 5
"""How often all open orders are read and cancelled before the rest is told."""
DRAIN_STEP_SECONDS = 0.1


class Step(StrEnum):
    """How far the kill switch goes; each step includes those before it."""

    OFF = "off"
    """Entries are allowed again."""
    ENTRIES = "entries"
    """The account takes no entries."""
    CANCEL = "cancel"
    """All open orders are cancelled."""
    FLATTEN = "flatten"
    """All open positions are closed by market orders."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Killed:
    """What the kill switch did. `open` are the orders that are still there; `undecided` are the ids of
    entries of which nobody knows yet if they exist."""

    cancelled: int
    open: tuple[Order, ...]
    undecided: tuple[str, ...]
    closed: tuple[Intent, ...]


class Canceller:
    """All may raise UnknownAccount, AccountFrozen, KeysSealed, ExchangeError and DatabaseUnavailable."""

    def __init__(
        self,
        *,
        accounts: Accounts,
        executor: Executor,
        watch: OrderWatch,
        triggers: Triggers,
        desks: DeskStore,
        settler: Settler,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._executor = executor
        self._watch = watch
        self._triggers = triggers
        self._desks = desks
        self._settler = settler
        self._clock = clock

    async def cancel(self, intent_id: str, *, caller: str) -> Intent:
        """Cancel one order of this service, and read what it is then. Raises UnknownOrder."""
        intent = await self._executor.get(intent_id)
        if intent.finished:
            return intent
        _, venue = await self._accounts.source(intent.account, urgent=True)
        ticket = intent.ticket
        said = await _cancelled(venue, ticket.product, ticket.symbol, intent.order_id, intent.id)
        await self._settler.record(replace(intent, caller=caller), "cancel", "sent", said)
        return await self._watch.look_at(intent)

    async def cancel_all(
        self, account_id: str, *, caller: str, symbol: str | None = None
    ) -> tuple[int, tuple[Order, ...]]:
        """Cancel all open orders of an account, or those of a symbol, whoever placed them, and those that
        wait for a price. Returns how many are gone, and those that are still open."""
        waited = await self._triggers.cancel_all(account_id, caller=caller, symbol=symbol)
        _, venue = await self._accounts.source(account_id, urgent=True)
        gone: set[str] = set()
        seen: set[str] = set()
        left: list[Order] = []
        for _ in range(ROUNDS):
            left = await _open(venue, symbol)
            gone = seen - {order.order_id for order in left}
            if not left:
                break
            seen |= {order.order_id for order in left}
            for order in left:
                await _cancelled(venue, order.product, order.symbol, order.order_id, order.client_id)
        else:
            left = await _open(venue, symbol)
            gone = seen - {order.order_id for order in left}
        ended = len(gone) + waited
        said = f"{ended} cancelled, {len(left)} still open"
        await self._settler.note(
            account=account_id, caller=caller, action="cancel_all", outcome="done", said=said
        )
        self._watch.hurry()
        return ended, tuple(left)

    async def kill(self, account_id: str, step: Step, *, caller: str) -> Killed:
        """Turn the kill switch. When this returns, no entry of this account is on its way any more but the
        `undecided` ones, whichever process sent it."""
        await self._accounts.get(account_id)
        await self._desks.halt(account_id, step is not Step.OFF)
        log.warning("kill switch of account %s: %s, by %s", account_id, step.value, caller)
        await self._settler.note(account=account_id, caller=caller, action="kill", outcome=step.value)
        if step is Step.OFF:
            return Killed(cancelled=0, open=(), undecided=(), closed=())
        undecided = await self._drained(account_id)
        cancelled: int = 0
        left: tuple[Order, ...] = ()
        closed: Sequence[Intent] = ()
        failed: MarketDataError | None = None
        if step in (Step.CANCEL, Step.FLATTEN):
            try:
                cancelled, left = await self.cancel_all(account_id, caller=caller)
            except MarketDataError as error:
                log.error("kill switch of account %s: orders are not all cancelled: %s", account_id, error)
                failed = error
        if step is Step.FLATTEN:
            closed = await self._executor.close(account_id, caller=caller, source="kill")
        if failed is not None:
            raise failed
        return Killed(cancelled=cancelled, open=left, undecided=undecided, closed=tuple(closed))

    async def _drained(self, account_id: str) -> tuple[str, ...]:
        """Wait for the answers to entries that are on their way; the ids of those without one."""
        while True:
            desk = await self._desks.load(account_id)
            now = self._clock.now()
            if all(one.unknown or one.overdue <= now for one in desk.entries):
                return tuple(one.id for one in desk.entries)
            await self._clock.sleep(DRAIN_STEP_SECONDS)


async def _open(venue: AccountSource, symbol: str | None) -> list[Order]:
    rows = [order for product in venue.products for order in await venue.open_orders(product)]
    return [order for order in rows if symbol in (None, order.symbol)]


async def _cancelled(
    venue: AccountSource, product: Product, symbol: str, order_id: str, client_id: str
) -> str:
    """Ask once for the end of an order. Only a refusal of the keys is an error: the order tells the rest."""
    try:
        await venue.cancel(product, symbol, order_id, client_id)
    except KeysRefused:
        raise
    except ExchangeRefused as error:
        return str(error)
    except ExchangeError as error:
        log.info("the exchange did not say if it cancelled order %s: %s", order_id or client_id, error)
        return str(error)
    return ""
