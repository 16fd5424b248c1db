"""What alarms led to: each order with its fate, its fees and its profit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from backend.services.alarms.ports import AlarmStore
from backend.services.history.ports import HistoryStore
from backend.services.orders.ports import IntentStore
from backend.trading.alarms.alarm import Alarm, Leg
from backend.trading.intents import Intent
from backend.trading.money import total


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A leg of an alarm with its intent. `profit` is what its stored fills realised; None where no fill that
    tells it is stored yet."""

    alarm: Alarm
    number: int
    leg: Leg
    intent: Intent | None
    profit: Decimal | None


class Operations:
    """May raise DatabaseUnavailable."""

    def __init__(self, *, alarms: AlarmStore, intents: IntentStore, history: HistoryStore) -> None:
        self._alarms = alarms
        self._intents = intents
        self._history = history

    async def of(self, alarm: Alarm) -> Sequence[Operation]:
        """The operations of an alarm, in the order in which they were sent."""
        operations = []
        for number, leg in enumerate(alarm.legs):
            intent = await self._intents.load(leg.intent) if leg.intent else None
            profit = None
            if intent is not None and intent.order_id:
                fills = await self._history.fills_of(intent.account, leg.ticket.product, intent.order_id)
                results = [fill.realised for fill in fills if fill.realised is not None]
                profit = total(results) if results else None
            operations.append(Operation(alarm=alarm, number=number, leg=leg, intent=intent, profit=profit))
        return operations
