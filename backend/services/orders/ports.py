"""What the use cases of orders need of stores, as shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from backend.trading.intents import Intent, State
from backend.trading.rows import Held, Order, Product, Side
from backend.trading.trigger import TriggerOrder
from backend.trading.twap import Twap


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A place on an account's desk: an order that may make a position larger, and may be on its way.

    `value` is in quote coins, None if unknown. `overdue` is the moment (ms) after which the answer takes too
    long: its sender may be dead. `unknown`: nobody waits for the answer, and nobody knows if there is an
    order.
    """

    id: str
    product: Product
    symbol: str
    side: Side
    held: Held
    value: Decimal | None
    overdue: int
    unknown: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """The entries of an account whose fate is not known, in one document with one `version`: it grows with
    every change, and whoever decides by an older version writes nothing. `done` are the latest moments (ms)
    at which an entry left the desk, oldest first. A `halted` desk takes no entries."""

    account: str
    version: int
    halted: bool = False
    entries: tuple[Entry, ...] = ()
    done: tuple[int, ...] = ()


class DeskStore(Protocol):
    """Where desks are kept. Every call may raise DatabaseUnavailable."""

    async def load(self, account: str) -> Desk:
        """The desk of an account; an empty one at first."""

    async def put(self, desk: Desk, entry: Entry) -> bool:
        """Put an entry on exactly this version of the desk, durably; False if it has changed."""

    async def mark_unknown(self, account: str, entry_id: str) -> None:
        """Say that nobody waits for the answer of an entry any longer."""

    async def take(self, account: str, entry_id: str, now: int) -> None:
        """Take an entry off the desk, if it is there."""

    async def halt(self, account: str, halted: bool) -> None:
        """Turn the kill switch on or off."""

    async def all(self) -> list[Desk]:
        """Every desk with something on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a look at the venue changes of an intent; None leaves it as it is. `reopened` takes `settled`
    back: an order that was believed to be no more is there."""

    state: State | None = None
    order_id: str | None = None
    reason: str | None = None
    order: Order | None = None
    absent: tuple[int, ...] | None = None
    active: bool | None = None
    settled: int | None = None
    due: int | None = None
    reopened: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IntentsWanted:
    """Which intents; None means: any. Newest first, from `before` (the creation time and id of another)."""

    account: str
    symbol: str | None = None
    state: State | None = None
    before: tuple[int, str] | None = None


class IntentStore(Protocol):
    """Where intents are kept, for ever. Every call may raise DatabaseUnavailable."""

    async def add(self, intent: Intent) -> bool:
        """Store a new intent durably; False if there is one with its id."""

    async def load(self, intent_id: str) -> Intent | None:
        """An intent; None if there is none."""

    async def change(self, intent_id: str, change: Change) -> Intent | None:
        """Change an intent if its state allows the move; returns it, or None if it does not allow that."""

    async def due(self, now: int, limit: int) -> Sequence[Intent]:
        """Active intents whose time to be asked for has come, the oldest first."""

    async def claim(self, intent: Intent, due: int) -> bool:
        """Postpone an intent to `due`; False if somebody else has done so."""

    async def exposing(self, account: str, product: Product, symbol: str, since: int) -> Sequence[Intent]:
        """Entries of a symbol that the venue may show in no position that was read at `since` (ms): those
        that are not over, and those that were settled later."""

    async def list(self, wanted: IntentsWanted, limit: int) -> Sequence[Intent]:
        """Intents, newest first."""


class TwapStore(Protocol):
    """Where TWAP orders are kept. Every call may raise DatabaseUnavailable."""

    async def add(self, twap: Twap) -> None:
        """Store a new one durably."""

    async def load(self, twap_id: str) -> Twap | None:
        """One of them; None if there is none."""

    async def due(self, now: int) -> Sequence[Twap]:
        """Running ones whose next slice is due, the oldest first."""

    async def newest(self, account: str, limit: int) -> Sequence[Twap]:
        """Those of an account, newest first."""

    async def change(self, twap: Twap, after: Twap) -> bool:
        """Put a new state in place of exactly this one, durably; False if it has changed."""


class TriggerStore(Protocol):
    """Where trigger orders are kept. Every call may raise DatabaseUnavailable."""

    async def add(self, trigger: TriggerOrder) -> bool:
        """Store a new one durably; False if there is one with its id."""

    async def load(self, trigger_id: str) -> TriggerOrder | None:
        """One of them; None if there is none."""

    async def open(self) -> Sequence[TriggerOrder]:
        """Those that wait or were not placed yet, the oldest first."""

    async def count(self, account: str) -> int:
        """How many of an account wait."""

    async def newest(self, account: str, limit: int) -> Sequence[TriggerOrder]:
        """Those of an account, newest first."""

    async def change(self, trigger: TriggerOrder, after: TriggerOrder) -> bool:
        """Put a new state in place of exactly this one, durably; False if it has changed."""


class AuditStore(Protocol):
    """What was done in whose name. Only ever appended to. Every call may raise DatabaseUnavailable."""

    async def append(self, record: AuditRecord) -> None:
        """Write a record durably."""

    async def list(
        self, account: str | None, before: tuple[int, str] | None, limit: int
    ) -> Sequence[tuple[str, AuditRecord]]:
        """Records with their ids, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """`caller` is the name of the API key, `action` what it asked for, `outcome` a word, `said` a
    sentence."""

    time: int
    account: str
    caller: str
    action: str
    intent: str
    outcome: str
    said: str
