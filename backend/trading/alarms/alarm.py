"""An alarm as it is kept, with all that followed from it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from backend.trading.alarms.signal import Signal
from backend.trading.tickets import Ticket


class AlarmState(StrEnum):
    """How far an alarm is."""

    RECEIVED = "received"
    """It is stored. It may wait for the alarm before it."""
    PLANNED = "planned"
    """Its orders are decided and written down. They are being placed."""
    DONE = "done"
    """Each of its orders is placed, and its fate is known."""
    FAILED = "failed"
    """One of its orders was refused or never arrived; those after it were not sent."""
    IGNORED = "ignored"
    """Nothing was to be done; `reason` says why."""
    REFUSED = "refused"
    """It was not let in; `reason` says why."""


OPEN = (AlarmState.RECEIVED, AlarmState.PLANNED)
"""States in which something is still to be done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """An order of an alarm. `intent` is its id once it was placed, `outcome` what became of it, "" while
    nobody knows, `said` the sentence of a refusal."""

    ticket: Ticket
    intent: str = ""
    outcome: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """`id` is made of the strategy and the text, so that the same alarm has the same one. Moments are in ms.

    `body` is the text without its token. `lane` names the account, product and symbol whose alarms are
    carried out one after the other. `deliveries` counts how often the sender sent it. `is_link_missing`: an
    alarm that should have come before never came. `decided` numbers the alarms of a lane in the order in
    which it was decided what they lead to; it is a moment (ms), or a little later.
    """

    id: str
    strategy: str
    revision: int
    account: str
    lane: str
    symbol: str
    signal: Signal | None
    body: str
    sender: str
    received: int
    state: AlarmState = AlarmState.RECEIVED
    reason: str = ""
    deliveries: int = 1
    legs: tuple[Leg, ...] = ()
    due: int = 0
    is_link_missing: bool = False
    decided: int | None = None
    finished: int | None = None

    def key(self, number: int) -> str:
        """The idempotency key of a leg: whoever places it, and however often, it is one order."""
        return f"alarm {self.id} {number}"
