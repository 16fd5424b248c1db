"""Starts the simulator with an account: `async with private_simulator(book) as simulator`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.simulator.clock import SimulatorClock
from tests.simulator.faults import Faults
from tests.simulator.markets import Market
from tests.simulator.private.accounts import Account, Accounts, Credentials
from tests.simulator.private.bingx import DEMO
from tests.simulator.private.book import Book
from tests.simulator.private.extended import ROOT, TESTNET
from tests.simulator.private.generator import generated
from tests.simulator.private.sockets import AccountSockets
from tests.simulator.requestlog import RequestLog
from tests.simulator.server import Simulator

KEYS = Credentials("simulated-key", "simulated-secret", "simulated-passphrase")
DEMO_KEYS = Credentials("simulated-demo-key", "simulated-demo-secret", "simulated-demo-passphrase")
STARK_KEYS = Credentials("simulated-stark-key", f"0x{'1a2b3c4d' * 7}", "100006")
DEMO_STARK_KEYS = Credentials("simulated-demo-stark-key", f"0x{'4d3c2b1a' * 7}", "100007")
"""Keys of Extended: the secret is a private Stark key, the passphrase the number of a vault."""


@dataclass(frozen=True, slots=True)
class PrivateSimulator:
    """A running simulator and the accounts that it tells of; see `private_simulator`."""

    simulator: Simulator
    keys: Credentials
    book: Book
    demo_keys: Credentials
    demo_book: Book
    accounts: Accounts

    @property
    def url(self) -> str:
        """The base address of both venues, for accounts and for market data."""
        return self.simulator.url

    @property
    def bingx_demo_url(self) -> str:
        """The base address of BingX's demo host. Bitget's demo is at `url`, with a header."""
        return f"{self.simulator.url}{DEMO}"

    @property
    def extended_url(self) -> str:
        """The base address of Extended."""
        return f"{self.simulator.url}{ROOT}"

    @property
    def extended_demo_url(self) -> str:
        """The base address of Extended's testnet."""
        return f"{self.simulator.url}{TESTNET}{ROOT}"

    @property
    def clock(self) -> SimulatorClock:
        """The venues' clock: it runs from the book's end on, unless a test freezes or sets it."""
        return self.simulator.clock

    @property
    def requests(self) -> RequestLog:
        """What was asked: `requests.records`, and `requests.counts()["paths"]` by path."""
        return self.simulator.log

    @property
    def faults(self) -> Faults:
        """The switches: `faults.private` has those for accounts, the others are for all answers."""
        return self.simulator.faults

    @property
    def sockets(self) -> AccountSockets:
        """The sockets of accounts."""
        return self.simulator.account_sockets

    def asked(self, path: str) -> int:
        """How many questions came whose path contains this text."""
        counted: dict[str, int] = self.requests.counts()["paths"]
        return sum(count for one, count in counted.items() if path in one)

    def add(self, keys: Credentials, book: Book, *, demo: bool = False) -> None:
        """Open another account, at once."""
        self.accounts[keys.key] = Account(keys, book, demo)


@asynccontextmanager
async def private_simulator(
    book: Book | None = None,
    *,
    demo: Book | None = None,
    clock: SimulatorClock | None = None,
    limits: bool = False,
    markets: Iterable[Market] | None = None,
) -> AsyncIterator[PrivateSimulator]:
    """Run Bitget (v2 and v3), BingX and Extended with an account, over HTTP at a free port.

        book = generated(seed=7, orders=500, days=60, facts=Facts(unified=False))
        async with private_simulator(book) as simulator:
            keys = Keys(*simulator.keys)                         # of backend.trading.account_keys
            ...                                                  # ask at simulator.url with these keys
            simulator.faults.private.withheld.add(number)        # one order, fill or bill that no list tells
            simulator.faults.private.codes.append(Coded("40015", path="orders-history"))
            simulator.faults.page_cap = 10
            assert simulator.asked("orders-history") == 3
            expected = simulator.book.orders.of(Product.USDT)    # the truth: rows of private/rows.py

    All venues tell the same book, Extended by `STARK_KEYS`; `book.facts.unified` says whether it is a unified
    (v3) or a classic (v2) account at Bitget. Left out, a book is generated. The demo account has keys and a
    book of its own. Private questions are answered as of `simulator.clock`, which runs from `book.now` on:
    ages count from there, and a client must take its time from the venue (`Date` header or server time), as
    it must with a real one.
    Nothing is refused for limits unless `limits` is true: then each path has the documented number of
    questions a second by account, at BingX also by address. `markets` are those of the public side.
    """
    book = generated() if book is None else book
    demo = generated(seed=2, orders=20, now=book.now) if demo is None else demo
    live, play = (KEYS, STARK_KEYS), (DEMO_KEYS, DEMO_STARK_KEYS)
    accounts = {keys.key: Account(keys, book) for keys in live}
    accounts |= {keys.key: Account(keys, demo, demo=True) for keys in play}
    running = Simulator(markets, clock or SimulatorClock(book.now), limits=limits, accounts=accounts)
    async with running as simulator:
        yield PrivateSimulator(simulator, KEYS, book, DEMO_KEYS, demo, accounts)
