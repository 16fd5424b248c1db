"""What the store of follows does, over both drivers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from tornado.ioloop import IOLoop

from backend.core.follow import Follow, Visit
from backend.core.job import Failure
from backend.core.series import Series
from backend.services.ports import FollowStore
from backend.store.market.follows import COLLECTION, MongoFollows
from backend.store.mongo import Database
from tests.contract.drivers import DRIVERS, empty_database
from tests.fakes import BTC, START

ETH = Series("bitget", "perpetual", "ETHUSDT")
WISH = Follow(BTC, START, created=1)


@pytest.fixture(params=DRIVERS)
def database(request: pytest.FixtureRequest, mongod_uri: str, io_loop: IOLoop) -> Iterator[Database]:
    """An empty database on a real server, through either driver."""
    with empty_database(request.param, mongod_uri, io_loop) as database:
        yield database


@pytest.fixture
def store(database: Database) -> FollowStore:
    return MongoFollows(database)


async def test_follows_are_kept_by_name(store: FollowStore) -> None:
    other = Follow(ETH, None, created=2)
    await store.add(other)
    await store.add(WISH)
    assert await store.all() == [WISH, other]


async def test_following_again_changes_only_where_it_begins(store: FollowStore) -> None:
    await store.add(WISH)
    await store.report(BTC, Visit(at=5, new_candles=3))
    await store.add(Follow(BTC, None, created=9))
    assert await store.all() == [replace(WISH, checked=5, new_candles=3)]
    await store.add(Follow(BTC, START - 60_000, created=9))
    assert await store.all() == [replace(WISH, since=START - 60_000, checked=5, new_candles=3)]


async def test_visits_are_counted_and_a_good_one_ends_the_failures(store: FollowStore) -> None:
    await store.add(WISH)
    failure = Failure("exchange_unavailable", "away")
    await store.report(BTC, Visit(at=5, new_candles=3, healed=1))
    await store.report(BTC, Visit(at=6, new_candles=1, failure=failure))
    await store.report(BTC, Visit(at=7, failure=failure))
    assert await store.all() == [
        replace(WISH, checked=5, failures=2, failure=failure, new_candles=4, healed=1)
    ]
    await store.report(BTC, Visit(at=8, new_candles=2, healed=2))
    assert await store.all() == [replace(WISH, checked=8, new_candles=6, healed=3)]


async def test_a_visit_that_left_something_counts_but_leaves_nothing_checked(store: FollowStore) -> None:
    await store.add(WISH)
    await store.report(BTC, Visit(at=5, new_candles=3, whole=False))
    assert await store.all() == [replace(WISH, new_candles=3)]


async def test_where_candles_come_from_is_told_of_several_and_losses_are_counted(store: FollowStore) -> None:
    other = Follow(ETH, None, created=2)
    await store.add(WISH)
    await store.add(other)
    await store.told([BTC, ETH], "socket", lost=False)
    assert await store.all() == [replace(WISH, source="socket"), replace(other, source="socket")]
    await store.told([BTC], "rest", lost=True)
    await store.told([BTC], "socket", lost=False)
    await store.told([BTC], "rest", lost=True)
    assert await store.all() == [replace(WISH, reconnects=2), replace(other, source="socket")]


async def test_what_is_told_of_a_series_stays_when_it_is_followed_again(store: FollowStore) -> None:
    await store.add(WISH)
    await store.told([BTC], "socket", lost=True)
    await store.add(WISH)
    await store.report(BTC, Visit(at=5))
    assert await store.all() == [replace(WISH, checked=5, source="socket", reconnects=1)]


async def test_what_is_told_of_a_series_does_not_follow_it(store: FollowStore) -> None:
    await store.told([BTC], "socket", lost=True)
    assert await store.all() == []


async def test_a_follow_that_was_kept_before_sockets_came_reads_well(
    store: FollowStore, database: Database
) -> None:
    await store.add(WISH)
    await database[COLLECTION].update_one({}, {"$unset": {"source": "", "reconnects": ""}})
    assert await store.all() == [WISH]
    await store.told([BTC], "socket", lost=True)
    assert await store.all() == [replace(WISH, source="socket", reconnects=1)]


async def test_what_is_unfollowed_is_not_brought_back_by_a_late_visit(store: FollowStore) -> None:
    await store.add(WISH)
    assert await store.remove(BTC)
    await store.report(BTC, Visit(at=5))
    assert await store.all() == []
    assert not await store.remove(BTC)


async def test_it_is_known_whether_a_series_is_followed(store: FollowStore) -> None:
    await store.add(WISH)
    assert (await store.has(BTC), await store.has(ETH)) == (True, False)


async def test_a_visit_tells_whether_a_series_has_ended_and_one_that_failed_does_not(
    store: FollowStore,
) -> None:
    await store.add(WISH)
    await store.report(BTC, Visit(at=5, ended=True))
    await store.report(BTC, Visit(at=6, failure=Failure("exchange_unavailable", "away")))
    [found] = await store.all()
    assert found.ended
    await store.report(BTC, Visit(at=7))
    assert await store.all() == [replace(WISH, checked=7)]


async def test_a_follow_of_another_version_hides_no_other(store: FollowStore, database: Database) -> None:
    await store.add(WISH)
    await database[COLLECTION].insert_one({"_id": "a.b.C", "since": []})
    assert await store.all() == [WISH]


async def test_follows_are_read_page_by_page(store: FollowStore) -> None:
    other = Follow(ETH, None, created=2)
    await store.add(other)
    await store.add(WISH)
    assert await store.page("", 1) == [WISH]
    assert await store.page("", 5) == [WISH, other]
    assert await store.page(ETH.name, 5) == [other]
    assert await store.page("x", 5) == []
