"""A service whose accounts are on, in tests of their routes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from typing import Any

from cryptography.fernet import Fernet
from pytest_tornasync.plugin import AsyncHTTPServerClient
from tornado.ioloop import IOLoop

from backend.access.keys import read_keys
from backend.settings import Settings
from tests.account_venue import ScriptedBitget, scripted_bitget
from tests.book_rows import Venue
from tests.ordering import book_of
from tests.private import KEYS
from tests.simulator import SimulatorClock
from tests.simulator.private.extended import ROOT
from tests.simulator.private.running import PrivateSimulator, private_simulator
from tests.web.client import post

ADMIN = "dummy-admin-key-0123456789"


@contextmanager
def opened_venue(io_loop: IOLoop) -> Iterator[ScriptedBitget]:
    """A scripted venue, while the block lasts."""
    stack = AsyncExitStack()
    venue = scripted_bitget(lambda: int(time.time() * 1000))
    yield io_loop.run_sync(lambda: stack.enter_async_context(venue))
    io_loop.run_sync(stack.aclose)


@contextmanager
def opened_market(io_loop: IOLoop, kind: Venue, *, hedged: bool = True) -> Iterator[PrivateSimulator]:
    """A simulated venue with an account that has money, at the present time, while the block lasts."""
    stack = AsyncExitStack()
    clock = SimulatorClock()
    book = book_of(kind, hedged=hedged)
    book.now = clock.now() - 1000
    running = private_simulator(book, clock=clock)
    yield io_loop.run_sync(lambda: stack.enter_async_context(running))
    io_loop.run_sync(stack.aclose)


def with_accounts(settings: Settings, url: str) -> Settings:
    """The settings with accounts on, which are asked at `url`."""
    return replace(
        settings,
        api_keys=read_keys(f"admin:{ADMIN}:admin"),
        master_keys=(Fernet.generate_key().decode(),),
        account_urls={
            name: f"{url}{ROOT}" if name.startswith("EXTENDED") else url for name in settings.account_urls
        },
    )


def keys(**other: object) -> dict[str, object]:
    """What adds an account."""
    return {
        "venue": "bitget",
        "mode": "live",
        "label": "grid bot",
        "key": KEYS.key,
        "secret": KEYS.secret,
        "passphrase": KEYS.passphrase,
        **other,
    }


async def added(client: AsyncHTTPServerClient, **other: object) -> dict[str, Any]:
    """An account that was added."""
    reply = await post(client, "/accounts", keys(**other))
    assert reply.status == 201, reply.body
    account: dict[str, Any] = reply.body["account"]
    assert reply.headers["Location"] == f"/accounts/{account['id']}"
    return account
