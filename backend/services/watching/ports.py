"""What the watch of accounts needs of stores, as shapes."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from backend.trading.snapshot import News, Snapshot, Watched


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An account that is due, and the `version` of what is known of it."""

    account: str
    version: int
    known: Watched
    is_listened_to: bool


class Told(NamedTuple):
    """News with its number and its time (ms). Numbers of an account grow by one."""

    number: int
    time: int
    news: News


class Standing(NamedTuple):
    """An account after its news of a `number`, read at `read` (ms); None where it was never read."""

    number: int
    snapshot: Snapshot | None
    read: int


class WatchStore(Protocol):
    """Where the state of accounts and their news are kept. Every call may raise DatabaseUnavailable."""

    async def ensure(self, accounts: Collection[str], now: int) -> None:
        """Know these accounts, and no others."""

    async def claim(self, now: int, until: int) -> Visit | None:
        """An account whose time has come, for the caller alone until the moment `until` (ms)."""

    async def keep(self, visit: Visit, known: Watched, news: Sequence[News], now: int, due: int) -> bool:
        """Write what a visit found, with its news, in place of exactly what the visit began with; False if
        another visit was faster."""

    async def hurry(self, accounts: Collection[str], now: int, listened_until: int | None = None) -> None:
        """Visit accounts now, and often until a moment."""

    async def standing(self, account: str) -> Standing:
        """The present state of an account."""

    async def after(self, account: str, number: int, limit: int) -> Sequence[Told] | None:
        """Up to `limit` news after a number; None where some of them are no longer kept."""
