"""Writes down what became of an order: first in its intent, then on the desk, then for the audit.

A process may die between these writes. So an entry whose intent is decided may stay on the desk for a while:
it keeps others from nothing but entries of its symbol, and `watch.py` takes it away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

from backend.clock import Clock
from backend.errors import DatabaseUnavailable
from backend.services.orders.ports import AuditRecord, AuditStore, Change, DeskStore, IntentStore
from backend.telemetry.metrics import Metrics
from backend.trading.intents import Intent, State

log = logging.getLogger(__name__)


class Settler:
    """`changed` is told the account of each order of which something changed, `heard` each record of the
    audit trail. All may raise DatabaseUnavailable."""

    def __init__(
        self,
        *,
        intents: IntentStore,
        desks: DeskStore,
        audit: AuditStore,
        clock: Clock,
        metrics: Metrics,
        changed: Callable[[str], None] = lambda _account: None,
        heard: Callable[[AuditRecord], None] = lambda _record: None,
    ) -> None:
        self._intents = intents
        self._desks = desks
        self._audit = audit
        self._clock = clock
        self._metrics = metrics
        self._changed = changed
        self._heard = heard

    async def settle(self, intent: Intent, change: Change) -> Intent:
        """Change an intent. Returns it as it is now: a move that its state does not allow changes nothing."""
        changed = await self._intents.change(intent.id, change)
        if changed is None:
            return await self._intents.load(intent.id) or intent
        if changed.state is State.UNKNOWN:
            await self._desks.mark_unknown(intent.account, intent.id)
        elif not changed.undecided and intent.undecided:
            await self._desks.take(intent.account, intent.id, self._clock.now())
        if changed.state is not intent.state or changed.order != intent.order:
            self._changed(intent.account)
        if changed.state is not intent.state:
            self._metrics.order_reached(changed.state.value)
            await self.record(changed, "place", changed.state.value, changed.reason)
        return changed

    async def answered(self, intent: Intent, change: Change) -> Intent:
        """The same for the answer to an order that was just sent: it is told even if the database is away."""
        try:
            return await self.settle(intent, change)
        except DatabaseUnavailable as error:
            log.error("order %s: its answer could not be written down: %s", intent.id, error)
            return replace(
                intent,
                state=change.state or intent.state,
                order_id=change.order_id or "",
                reason=change.reason or "",
            )

    async def record(self, intent: Intent, action: str, outcome: str, said: str) -> None:
        """Append to the audit trail what was done with an order."""
        await self.note(
            account=intent.account,
            caller=intent.caller,
            action=action,
            intent=intent.id,
            outcome=outcome,
            said=said,
        )

    async def note(
        self, *, account: str, caller: str, action: str, outcome: str, intent: str = "", said: str = ""
    ) -> None:
        """Append anything to the audit trail."""
        record = AuditRecord(
            time=self._clock.now(),
            account=account,
            caller=caller,
            action=action,
            intent=intent,
            outcome=outcome,
            said=said,
        )
        self._heard(record)
        await self._audit.append(record)
