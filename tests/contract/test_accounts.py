"""What the store of accounts does, over both drivers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tornado.ioloop import IOLoop

from backend.services.accounts.ports import AccountStore
from backend.store.mongo import Database
from backend.store.trading.accounts import MongoAccounts
from backend.trading.account import Account, Mode, Sealed
from backend.trading.rows import Identity, KeyFacts, Right
from tests.contract.drivers import DRIVERS, empty_database

ONE = Account(
    id="a1",
    venue="bitget",
    mode=Mode.LIVE,
    label="one",
    flavour="classic",
    uid="714",
    key=KeyFacts(rights=frozenset((Right.READ, Right.TRADE)), addresses=("192.0.2.7",), registered=7),
    created=1,
    checked=2,
)
OTHER = replace(ONE, id="a2", mode=Mode.DEMO, created=5, key=KeyFacts(rights=frozenset()))
SEALED = Sealed("sealed-text", "0a1b")


@pytest.fixture(params=DRIVERS)
def database(request: pytest.FixtureRequest, mongod_uri: str, io_loop: IOLoop) -> Iterator[Database]:
    """An empty database on a real server, through either driver."""
    with empty_database(request.param, mongod_uri, io_loop) as database:
        yield database


@pytest.fixture
def store(database: Database) -> AccountStore:
    return MongoAccounts(database)


async def test_an_account_is_kept_as_it_is(store: AccountStore) -> None:
    assert await store.add(OTHER, SEALED)
    assert await store.add(ONE, SEALED)
    assert await store.load("a1") == (ONE, SEALED)
    assert await store.load("a3") is None
    assert await store.all() == [ONE, OTHER]


async def test_the_same_account_is_kept_once(store: AccountStore) -> None:
    assert await store.add(ONE, SEALED)
    assert not await store.add(replace(ONE, id="a9"), SEALED)
    assert await store.add(replace(ONE, id="a9", uid="715"), SEALED)


async def test_what_is_given_is_changed(store: AccountStore) -> None:
    await store.add(ONE, SEALED)
    assert await store.change("a1", label=None, frozen=True)
    assert await store.change("a1", label="new", frozen=None)
    assert await store.change("a1", label=None, frozen=None)
    assert await store.all() == [replace(ONE, label="new", frozen=True)]
    assert not await store.change("a3", label="x", frozen=None)
    assert not await store.change("a3", label=None, frozen=None)


async def test_what_the_venue_says_of_keys_is_written_down(store: AccountStore) -> None:
    await store.add(ONE, SEALED)
    key = KeyFacts(rights=frozenset((Right.WITHDRAW,)))
    await store.checked("a1", Identity(flavour="unified", uid="714", key=key), 9)
    assert await store.all() == [replace(ONE, flavour="unified", key=key, checked=9)]


async def test_keys_are_sealed_anew_only_where_they_are_what_was_opened(store: AccountStore) -> None:
    await store.add(ONE, SEALED)
    new = Sealed("newer-text", "9f8e")
    assert not await store.reseal("a1", Sealed("another", "0a1b"), new)
    assert await store.load("a1") == (ONE, SEALED)
    assert await store.reseal("a1", SEALED, new)
    assert await store.load("a1") == (ONE, new)


async def test_a_removed_account_is_gone(store: AccountStore) -> None:
    await store.add(ONE, SEALED)
    assert await store.remove("a1")
    assert not await store.remove("a1")
    assert await store.all() == []
