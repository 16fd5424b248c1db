"""What was deleted, dropped or restored behind the service's back ends correct after verify and sync."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from backend.clock import parse_time
from backend.core.windows import MINUTE
from backend.errors import SeriesNotStored
from backend.services.service import Service
from backend.settings import Settings
from backend.store.market.coverage import COLLECTION
from backend.store.mongo import Database
from tests.conftest import NOW
from tests.integration.stored import SERIES, stored_rows
from tests.simulator import Simulator
from tests.syncing import sync

START = parse_time("2025-06-01T00:00:00Z")
TOTAL = 1500


async def delete_rows(database: Database) -> None:
    lost = {"$gte": START + 100 * MINUTE, "$lt": START + 600 * MINUTE}
    await database[SERIES.name].delete_many({"_id": lost})
    await database[SERIES.name].delete_one({"_id": START + 1234 * MINUTE})


async def drop_the_collection(database: Database) -> None:
    await database[SERIES.name].drop()


async def lose_the_ledger(database: Database) -> None:
    await database[COLLECTION].drop()


async def lose_the_ledger_and_rows(database: Database) -> None:
    await delete_rows(database)
    await lose_the_ledger(database)


async def restore_old_rows(database: Database) -> None:
    """A backup of the candles alone, from a time when only the first 700 were there."""
    await database[SERIES.name].delete_many({"_id": {"$gte": START + 700 * MINUTE}})


async def restore_an_old_ledger(database: Database) -> None:
    """A backup of the ledger alone, from a time when only the first 700 were there."""
    old = {"held": [[START, START + 700 * MINUTE]], "until": START + 700 * MINUTE}
    await database[COLLECTION].update_one({"_id": SERIES.name}, {"$set": old})


ACCIDENTS: dict[str, tuple[Callable[[Database], Awaitable[None]], int, int]] = {
    "rows deleted by hand": (delete_rows, 501, 0),
    "the collection dropped": (drop_the_collection, TOTAL, 0),
    "the ledger lost": (lose_the_ledger, 0, TOTAL),
    "the ledger and rows lost": (lose_the_ledger_and_rows, 0, TOTAL - 501),
    "an old backup of the candles restored": (restore_old_rows, 800, 0),
    "an old backup of the ledger restored": (restore_an_old_ledger, 0, 800),
}


@pytest.mark.parametrize(("accident", "lost", "unclaimed"), ACCIDENTS.values(), ids=ACCIDENTS.keys())
async def test_verify_tells_the_drift_and_the_next_sync_repairs_it(
    service: Service,
    simulator: Simulator,
    settings: Settings,
    database: Database,
    accident: Callable[[Database], Awaitable[None]],
    lost: int,
    unclaimed: int,
) -> None:
    await sync(service, SERIES)
    await accident(database)
    found = await service.syncing.auditor.verify(SERIES)
    assert sum(window.minutes for window in found.lost) == lost
    assert sum(window.minutes for window in found.unclaimed) == unclaimed
    again = await service.syncing.auditor.verify(SERIES)
    assert (again.lost, again.unclaimed) == ((), ())
    simulator.requests.clear()
    result = await sync(service, SERIES, start=START)
    assert (result.missing, result.error) == ((), None)
    assert stored_rows(settings.mongodb_uri, database.name) == simulator.history("BTCUSDT", START, NOW)
    asked = sum(record.path.endswith("klines") for record in simulator.requests)
    assert asked <= 4, "only what was lost is fetched"


async def test_a_sound_series_has_no_drift(service: Service) -> None:
    await sync(service, SERIES)
    found = await service.syncing.auditor.verify(SERIES)
    assert (found.lost, found.unclaimed) == ((), ())
    assert sum(window.minutes for window in found.stored) == TOTAL


async def test_a_series_that_nobody_knows_cannot_be_verified(service: Service) -> None:
    with pytest.raises(SeriesNotStored):
        await service.syncing.auditor.verify(SERIES)


async def test_a_late_revision_is_stored_and_listed(
    service: Service, simulator: Simulator, settings: Settings, database: Database
) -> None:
    """The newest stored minutes are read once more by the next top-up."""
    revised = NOW - NOW % MINUTE - 2 * MINUTE
    await sync(service, SERIES, end=revised + MINUTE)
    [before] = simulator.history("BTCUSDT", revised, revised + MINUTE)
    simulator.faults.revisions[("BTCUSDT", revised)] = {"volume": "123456.5"}
    result = await sync(service, SERIES)
    assert (result.tally.new_records, result.tally.revised_records) == (1, 1)
    assert stored_rows(settings.mongodb_uri, database.name) == simulator.history("BTCUSDT", START, NOW)
    [revision] = await service.reading.queries.revisions(SERIES, result.window, 10)
    assert (revision.open_time, revision.before["volume"]) == (revised, before[5])
    assert revision.after["volume"] == 123456.5


async def test_an_old_revision_is_found_by_a_refresh_on_purpose(
    service: Service, simulator: Simulator, settings: Settings, database: Database
) -> None:
    await sync(service, SERIES)
    revised = START + 300 * MINUTE
    simulator.faults.revisions[("BTCUSDT", revised)] = {"close": "1.25", "low": "1.25"}
    assert (await sync(service, SERIES)).tally.revised_records == 0
    result = await sync(service, SERIES, START + 200 * MINUTE, START + 400 * MINUTE, refresh=True)
    assert (result.tally.new_records, result.tally.revised_records, result.error) == (0, 1, None)
    assert stored_rows(settings.mongodb_uri, database.name) == simulator.history("BTCUSDT", START, NOW)
    assert await service.reading.queries.revision_count(SERIES) == 1


async def test_a_refresh_of_unchanged_minutes_changes_nothing(service: Service) -> None:
    await sync(service, SERIES)
    result = await sync(service, SERIES, START, START + 1000 * MINUTE, refresh=True)
    assert (result.tally.new_records, result.tally.revised_records) == (0, 0)
    assert await service.reading.queries.revision_count(SERIES) == 0


async def test_a_refresh_that_cannot_read_everything_says_so(service: Service, simulator: Simulator) -> None:
    await sync(service, SERIES)
    simulator.faults.failing = [(START + 5 * MINUTE, START + 6 * MINUTE)]
    result = await sync(service, SERIES, START, START + 10 * MINUTE, refresh=True)
    assert result.missing == ()
    assert result.error is not None
    assert "could be read again" in result.shortfall
