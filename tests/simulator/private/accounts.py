"""The accounts that an imitated venue knows, what a question is answered from, and how often one may ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tests.simulator.clock import SimulatorClock
from tests.simulator.faults import Faults
from tests.simulator.private.book import Book
from tests.simulator.private.rows import Position, Product


class Credentials(NamedTuple):
    """What proves who asks. BingX has no passphrase."""

    key: str
    secret: str
    passphrase: str


@dataclass(frozen=True, slots=True)
class Account:
    """A key and the book that it opens; `demo` is one of a demo account."""

    keys: Credentials
    book: Book
    demo: bool = False
    listen_keys: dict[str, int] = field(default_factory=dict)
    """Keys of BingX to sockets, and when they were given (ms)."""


Accounts = dict[str, Account]
"""Accounts by key; a test may add more while the simulator runs."""


class Refused(Exception):
    """A question that a venue answers with a code of its own."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.status = status


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that was let pass: of which account, with which parameters, when (ms), with which faults."""

    account: Account
    path: str
    params: Mapping[str, str]
    now: int
    faults: Faults

    @property
    def book(self) -> Book:
        return self.account.book

    def positions(self, product: Product) -> list[Position]:
        """The open positions, or none where a fault leaves them out."""
        return [] if self.faults.private.take_empty(self.path) else self.book.positions(product)

    def capped(self, size: int) -> int:
        """The size of a page, or the fault's smaller one."""
        return min(size, self.faults.page_cap or size)

    def span(self, documented: int) -> int:
        """The longest window (ms), or the fault's shorter one."""
        return min(documented, self.faults.private.span_cap or documented)


Tell = Callable[[Asked], Any]
"""How the data of an answer are made."""


@dataclass(slots=True)
class Buckets:
    """Counts questions by name in the running second; `None` in `limits` means without an end."""

    clock: SimulatorClock
    limited: bool
    _used: dict[tuple[str, str], tuple[int, int]] = field(default_factory=dict)

    def take(self, owner: str, path: str, limit: int) -> int | None:
        """Count a question of an owner; return how many more there may be this second, None to refuse it."""
        second = self.clock.now() // 1000
        begun, used = self._used.get((owner, path), (second, 0))
        used = used + 1 if begun == second else 1
        self._used[owner, path] = second, used
        return limit - used if used <= limit else None if self.limited else 0
