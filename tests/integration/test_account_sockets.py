"""What happens in an account is heard by socket, and hurries the next look; whatever the socket does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import pytest
from cryptography.fernet import Fernet

from backend.clock import SystemClock
from backend.core.rendezvous import chosen
from backend.exchanges.private.registry import PRIVATE_VENUES
from backend.loops import Loops
from backend.net.private import account_connection
from backend.net.private.account_connection import AccountSockets
from backend.net.private.account_venues import AccountVenues, VenueWay
from backend.net.rest.requester import open_session
from backend.net.rest.throttle import Throttle
from backend.net.sockets.socket_connection import open_socket_session
from backend.services.accounts.accounts import Accounts
from backend.services.accounts.vault import Vault
from backend.services.paper.paper_accounts import PaperAccounts
from backend.services.watching import listening
from backend.services.watching.listening import Listening
from backend.store.mongo import Database
from backend.store.trading.accounts import MongoAccounts
from backend.telemetry.metrics import Metrics
from backend.trading.account import Account, Mode
from tests.book_rows import Venue
from tests.ordering import base_url, book_of, keys_of, name_of
from tests.simulator import SimulatorClock
from tests.simulator.private.accounts import Credentials
from tests.simulator.private.rows import Pair
from tests.simulator.private.rows import Product as SimulatedProduct
from tests.simulator.private.running import KEYS, STARK_KEYS, PrivateSimulator, private_simulator

PATIENCE = 30.0
VENUES: tuple[Venue, ...] = ("classic", "bingx", "extended")
EVERY_VENUE = pytest.mark.parametrize("venue", VENUES)
SOCKETS = {"classic": 1, "bingx": 2, "extended": 1}
BTC = Pair("BTC", "USDT")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not wait a minute for the next attempt."""
    monkeypatch.setattr(listening, "SHORTEST_PAUSE", 0.05)
    monkeypatch.setattr(listening, "LONGEST_PAUSE", 0.1)
    monkeypatch.setattr(account_connection, "TICK", 0.05)


@dataclass
class Ground:
    """An account at a simulated venue, and a process that listens."""

    simulator: PrivateSimulator
    account: Account
    accounts: Accounts
    listen: Callable[..., Listening]
    heard: list[str]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - conditions of another's state
                await asyncio.sleep(0.01)

    async def until_heard(self) -> None:
        """Until something more is heard."""
        known = len(self.heard)
        await self.until(lambda: len(self.heard) > known)

    @property
    def keys(self) -> Credentials:
        return STARK_KEYS if self.account.venue == "extended" else KEYS

    async def something_happens(self, product: SimulatedProduct | None = None) -> None:
        """An order is placed elsewhere, again and again, until it is heard of."""
        usual = SimulatedProduct.USDC if self.account.venue == "extended" else SimulatedProduct.USDT
        product = product or usual
        known = len(self.heard)
        async with asyncio.timeout(PATIENCE):
            while len(self.heard) == known:
                now = self.simulator.clock.now()
                self.simulator.book.place(product, BTC, "buy", Decimal("0.01"), now, price=Decimal(20_000))
                await asyncio.sleep(0.1)


@asynccontextmanager
async def ground(venue: Venue, database: Database) -> AsyncIterator[Ground]:
    clock = SystemClock()
    private = PRIVATE_VENUES[name_of(venue)]
    async with (
        private_simulator(book_of(venue, hedged=False), clock=SimulatorClock()) as simulator,
        open_session(PATIENCE, "the-tests/1") as session,
        open_socket_session("the-tests/1") as lasting,
    ):
        base = simulator.url.replace("http", "ws", 1)
        way = VenueWay(
            venue=private,
            mode=Mode.LIVE,
            base_url=base_url(simulator, venue),
            session=session,
            throttle=Throttle(private.budget.limits, 1.0, clock),
            clock=clock,
            metrics=Metrics(()),
            sockets=AccountSockets(
                urls={socket.name: base for flavour in private.flavours for socket in flavour.sockets},
                session=lambda _url: (lasting, None),
                clock=clock,
            ),
        )
        ways = AccountVenues({(private.name, Mode.LIVE): way})
        nothing: PaperAccounts = None  # type: ignore[assignment]
        accounts = Accounts(
            store=MongoAccounts(database),
            venues=ways,
            vault=Vault([Fernet.generate_key().decode()]),
            paper=nothing,
            clock=clock,
            withdraw_allowed=False,
        )
        account = await accounts.add(private.name, Mode.LIVE, "one", keys_of(venue))
        heard: list[str] = []
        made: list[Listening] = []

        def listen(name: str = "one", others: frozenset[str] = frozenset()) -> Listening:
            made.append(
                Listening(
                    accounts=accounts,
                    hurry=heard.append,
                    name=name,
                    others=lambda: others,
                    clock=clock,
                    loops=Loops(clock),
                )
            )
            return made[-1]

        yield Ground(simulator, account, accounts, listen, heard)
        for one in made:
            await one.stop()


@EVERY_VENUE
async def test_what_is_done_elsewhere_is_heard(venue: Venue, database: Database) -> None:
    async with ground(venue, database) as here:
        await here.listen().look()
        await here.until(lambda: len(here.heard) == SOCKETS[venue])
        await here.something_happens()
        if venue != "extended":
            await here.something_happens(SimulatedProduct.SPOT)
        assert set(here.heard) == {here.account.id}
        assert here.simulator.sockets.open == SOCKETS[venue]


@EVERY_VENUE
async def test_a_broken_socket_is_connected_again_and_a_look_finds_what_it_missed(
    venue: Venue, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with ground(venue, database) as here:
        await here.listen().look()
        await here.until(lambda: len(here.heard) == SOCKETS[venue])
        for _ in range(3):
            await here.simulator.sockets.cut()
            await here.until_heard()
        await here.something_happens()
    said = [record.getMessage() for record in caplog.records]
    assert any("is connected again" in one for one in said)
    assert not any(secret in one for one in said for secret in here.keys)


async def test_bingx_pings_are_answered_and_an_expired_key_is_replaced(database: Database) -> None:
    async with ground("bingx", database) as here:
        await here.listen().look()
        await here.until(lambda: here.simulator.sockets.pongs > 3)
        asked = here.simulator.asked("userDataStream")
        await here.simulator.sockets.expire()
        await here.until(lambda: here.simulator.asked("userDataStream") >= asked + SOCKETS["bingx"])
        await here.something_happens()


async def test_a_refused_login_is_tried_again_and_its_keys_are_in_no_line(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with ground("classic", database) as here:
        mine = here.simulator.accounts.pop(here.keys.key)
        await here.listen().look()
        await here.until(lambda: "refuses the login: error (30005)" in caplog.text)
        assert here.heard == []
        here.simulator.accounts[here.keys.key] = mine
        await here.something_happens()
    assert not any(secret in caplog.text for secret in here.keys)


@EVERY_VENUE
async def test_silence_and_rubbish_end_a_connection(
    venue: Venue, database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(account_connection, "OPENING_SECONDS", 0.5)
    async with ground(venue, database) as here:
        sockets = here.simulator.sockets
        await here.listen().look()
        await here.until(lambda: len(here.heard) == SOCKETS[venue])
        for _ in range(account_connection.MOST_UNREADABLE):
            await sockets.say(b"\x1f\x8b rubbish" if venue == "bingx" else "{")
        await here.until(lambda: "frames in a row cannot be read" in caplog.text)
        await here.until_heard()
        if venue == "classic":
            sockets.deaf = True
            await sockets.cut()
            await here.until(lambda: "did not answer the login" in caplog.text)
            sockets.deaf = False
        await here.something_happens()


async def test_a_refused_channel_ends_nothing(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with ground("classic", database) as here:
        await here.listen().look()
        await here.until(lambda: len(here.heard) == 1)
        await here.simulator.sockets.say(f'{{"event":"error","code":"30001","msg":"no {KEYS.key}"}}')
        await here.until(lambda: "a message by socket is refused" in caplog.text)
        assert KEYS.key not in caplog.text
        assert here.simulator.sockets.open == 1


@EVERY_VENUE
async def test_nobody_listens_to_a_frozen_or_removed_account(venue: Venue, database: Database) -> None:
    async with ground(venue, database) as here:
        one = here.listen()
        change = partial(here.accounts.change, here.account.id, label=None)
        await one.look()
        await here.until(lambda: here.simulator.sockets.open == SOCKETS[venue])
        await change(frozen=True)
        await one.look()
        await here.until(lambda: here.simulator.sockets.open == 0)
        await change(frozen=False)
        await one.look()
        await here.until(lambda: here.simulator.sockets.open == SOCKETS[venue])
        await here.accounts.remove(here.account.id)
        await one.look()
        await here.until(lambda: here.simulator.sockets.open == 0)


async def test_one_of_the_processes_listens_and_another_one_follows_it(database: Database) -> None:
    async with ground("classic", database) as here:
        both = frozenset({"one", "two"})
        mine = chosen(here.account.id, both)
        assert mine is not None
        [other] = both - {mine}
        await here.listen(other, both).look()
        first = here.listen(mine, both)
        await first.look()
        await here.until(lambda: here.simulator.sockets.open == 1)
        await first.stop()
        await here.until(lambda: here.simulator.sockets.open == 0)
        await here.listen(other, frozenset({other})).look()
        await here.until(lambda: here.simulator.sockets.open == 1)


def test_accounts_spread_over_the_processes() -> None:
    processes = frozenset(f"process {number}" for number in range(4))
    shares = [chosen(f"account {number}", processes) for number in range(400)]
    assert all(60 < shares.count(one) < 140 for one in processes)
    left = frozenset(sorted(processes)[:3])
    moved = [chosen(f"account {number}", left) for number in range(400)]
    assert all(now == before for before, now in zip(shares, moved, strict=True) if before in left)
