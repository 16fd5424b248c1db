"""An order that waits for a price: it is placed when the market gets there. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from backend.trading.account import Mode
from backend.trading.tickets import Ticket

TriggerStatus = Literal["waiting", "fired", "done", "cancelled", "failed"]
OPEN_STATUSES = ("waiting", "fired")


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerOrder:
    """The ticket is placed when the last price is `price` or beyond: at or over it if `above`. Moments are in
    ms by the service's clock; `fired` is when the price was seen there. `intent` is the order's id."""

    id: str
    account: str
    mode: Mode
    ticket: Ticket
    price: Decimal
    above: bool
    caller: str
    created: int
    status: TriggerStatus = "waiting"
    fired: int | None = None
    intent: str = ""
    reason: str = ""

    @property
    def key(self) -> str:
        """The idempotency key of its order: whoever places it, and however often, it is one order."""
        return f"trigger {self.id}"

    def is_met(self, last: Decimal) -> bool:
        """Whether the market is there."""
        return last >= self.price if self.above else last <= self.price
