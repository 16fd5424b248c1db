"""Deleting a series: a crash between any two steps leaves nothing false, and the next try takes the rest."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from backend.clock import SystemClock
from backend.core.follow import Follow
from backend.core.windows import MINUTE, Window
from backend.errors import DatabaseUnavailable
from backend.services.following.append import Appender
from backend.services.following.visits import Visitor
from backend.services.service import Service
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.removal import ALL_TIME, Remover, Traces
from backend.services.syncing.stop_signal import StopSignal
from backend.store.market.candles import MongoCandles
from backend.store.market.coverage import MongoCoverage
from backend.store.market.follows import MongoFollows
from backend.store.market.hours import MongoHours
from backend.store.market.jobs import MongoJobs
from backend.store.market.revisions import MongoRevisions
from backend.store.market.shortfalls import MongoShortfalls
from backend.store.mongo import Database
from tests.conftest import NOW
from tests.integration.processes import PATIENCE, command, running_simulator
from tests.integration.stored import SERIES, held_minutes, stored_documents
from tests.simulator import Simulator
from tests.web.stored import START, candle, store

PART = Window(START + 3 * MINUTE, START + 7 * MINUTE)
SIMULATED = ("--now", "2025-06-02T01:00:30Z", "--frozen")


class Fuse:
    """Lets so many writes through, and breaks the connection before the next one."""

    def __init__(self, writes: int) -> None:
        self.left = writes

    def burn(self) -> None:
        if self.left == 0:
            raise DatabaseUnavailable("the connection broke")
        self.left -= 1


class Breaking:
    """A store whose writes burn a fuse."""

    WRITES = ("save", "drop", "remove", "add", "forget")

    def __init__(self, store: Any, fuse: Fuse) -> None:
        self._store = store
        self._fuse = fuse

    def __getattr__(self, name: str) -> Any:
        if name in self.WRITES:
            self._fuse.burn()
        return getattr(self._store, name)


def stores_of(database: Database) -> Traces:
    revisions = MongoRevisions(database, SystemClock())
    return Traces(
        MongoCandles(database, revisions),
        MongoCoverage(database),
        revisions,
        MongoShortfalls(database),
        MongoFollows(database),
        MongoJobs(database),
        MongoHours(database),
    )


def remover_over(stores: Traces, writes: int = 1000) -> Remover:
    """What deletes, with a connection that breaks after so many writes."""
    fuse = Fuse(writes)
    broken: dict[str, Any] = {one.name: Breaking(getattr(stores, one.name), fuse) for one in fields(stores)}
    breaking = replace(stores, **broken)
    ledgers = Ledgers(store=breaking.coverage, clock=SystemClock(), owner="the tests", seconds=5.0)
    return Remover(breaking, ledgers, Appender(stores.candles, stores.coverage, lambda: None))


@pytest.mark.parametrize(("window", "steps"), [(None, 8), (PART, 7)], ids=["whole", "window"])
async def test_a_crash_between_any_two_steps_leaves_nothing_false(
    mongod_uri: str, database: Database, window: Window | None, steps: int
) -> None:
    stores = stores_of(database)
    everything = {START + number * MINUTE for number in range(10)}
    left = set() if window is None else everything - set(range(*window, MINUTE))
    for writes in range(steps):
        await store(database, [candle(number) for number in range(10)])
        await stores.follows.add(Follow(SERIES, None, created=1))
        doubts = await stores.shortfalls.count(SERIES)
        with pytest.raises(DatabaseUnavailable):
            await remover_over(stores, writes).remove(SERIES, window)
        stored = {document["_id"] for document in stored_documents(mongod_uri, database.name)}
        claimed = await held_minutes(database)
        assert claimed <= stored
        assert claimed == everything or await stores.shortfalls.count(SERIES) > doubts
        await remover_over(stores, steps).remove(SERIES, window)
        assert {document["_id"] for document in stored_documents(mongod_uri, database.name)} == left
        assert await held_minutes(database) == left
        assert await stores.follows.has(SERIES) == (window is not None)


async def test_a_late_visit_does_not_bring_a_deleted_series_back(
    service: Service, simulator: Simulator, database: Database
) -> None:
    """As of a process that has yet to see that nobody follows it any more."""
    stores = stores_of(database)
    visitor = Visitor(
        store=stores.follows,
        ledgers=service.syncing.ledgers,
        syncs=service.syncing.syncs,
        markets=service.markets,
        appender=Appender(stores.candles, stores.coverage, lambda: None),
        clock=SystemClock(),
        settle_seconds=0,
        recheck_minutes=0,
        metrics=service.running.metrics,
    )
    follow = Follow(SERIES, None, created=1)
    assert (await visitor.visit(follow, StopSignal(), 60.0)).skipped
    assert await database.list_collection_names(filter={"name": SERIES.name}) == []
    await stores.follows.add(follow)
    assert not (await visitor.visit(follow, StopSignal(), 60.0)).skipped
    assert len(simulator.history("BTCUSDT", START, NOW)) == await stores.candles.count(SERIES, ALL_TIME)


def test_the_command_asks_and_deletes(mongod_uri: str, database: Database) -> None:
    settings = {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": database.name}
    with running_simulator(*SIMULATED) as url:
        command("sync", "BTCUSDT", **settings, BINANCE_SPOT_URL=url).communicate(timeout=PATIENCE)

    def delete(*options: str) -> tuple[int, str]:
        process = command("delete", "BTCUSDT", *options, **settings)
        output, _ = process.communicate(timeout=PATIENCE)
        return process.returncode, output

    def left() -> int:
        return len(stored_documents(mongod_uri, database.name))

    status, said = delete("--dry-run")
    assert (status, left()) == (0, 1500)
    assert "binance.spot.BTCUSDT: 1,500 candles, 0 revisions, 1 finished jobs" in said
    status, said = delete()
    assert (status, left()) == (2, 1500)
    assert "--yes" in said
    status, said = delete("--yes", "--start", "2025-06-01T10:00Z", "--end", "2025-06-01T10:59Z")
    assert (status, left()) == (0, 1440)
    status, said = delete("--yes")
    assert (status, left()) == (0, 0)
    assert "deleted 1,440 candles" in said
    assert delete("--yes")[0] == 1
