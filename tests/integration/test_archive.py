"""Long history by the public archive, over HTTP, on a real mongod and a simulated archive."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_tornasync.plugin import AsyncHTTPServerClient

from backend.clock import parse_time
from backend.core.series import PRICES_ONLY
from backend.core.windows import MINUTE
from backend.exchanges.binance.archive import DAY
from backend.settings import Settings, load_settings
from backend.store.mongo import Database
from tests.conftest import simulated_urls
from tests.simulator import ArchiveFaults, Simulator
from tests.web.client import Reply, get, post

START = parse_time("2025-05-30T18:00Z")
JUNE, JULY = parse_time("2025-06-01"), parse_time("2025-07-01")
NOW = parse_time("2025-07-10T06:30:30Z")
"""A day and a part before June, June, nine days of July (the last one not published yet), and a part."""

MINUTES = (NOW - START) // MINUTE
RECHECKED = 5
"""Newest minutes of the files that the API is asked for as well, as in any top-up."""

DAYS = [JULY + number * DAY for number in range(8)]
FIELDS = (
    *("open_time", "open", "high", "low", "close", "volume"),
    *("quote_volume", "trades", "taker_buy_volume", "taker_buy_quote_volume"),
)
MONTH_FILE, DAY_FILE = "BTCUSDT-1m-2025-06.zip", "BTCUSDT-1m-2025-05-31.zip"


@pytest.fixture
def settings(
    mongod_uri: str, database: Database, simulator: Simulator, archive_settings: dict[str, str]
) -> Settings:
    """Settings that point at the simulated exchanges and their archive."""
    simulator.clock.set(NOW)
    return load_settings(
        {
            "MONGODB_URI": mongod_uri,
            "MONGODB_DATABASE": database.name,
            **simulated_urls(simulator.url),
            "BINANCE_ARCHIVE_URL": simulator.url,
            "SYNC_START": str(START),
            **archive_settings,
        }
    )


@pytest.fixture
def archive_settings() -> dict[str, str]:
    """What a test sets otherwise."""
    return {}


async def synced(client: AsyncHTTPServerClient, **body: object) -> dict[str, Any]:
    reply = await post(client, "/api/sync", {"symbol": "BTCUSDT", **body})
    assert reply.status == 200, reply.body
    found: dict[str, Any] = reply.body
    return found


def files_asked(simulator: Simulator) -> list[str]:
    return sorted(
        record.path.rpartition("/")[2] for record in simulator.requests if record.path.endswith(".zip")
    )


def minutes_asked(simulator: Simulator) -> int:
    """How many minutes were asked for over the API, the search for the first candle left out."""
    return sum(
        (int(record.params["endTime"]) + 1 - int(record.params["startTime"])) // MINUTE
        for record in simulator.requests
        if record.path.lower().endswith("klines") and "endTime" in record.params
    )


async def stored(client: AsyncHTTPServerClient, market: str = "spot") -> list[tuple[Any, ...]]:
    reply: Reply = await get(client, f"/api/data/BTCUSDT?market={market}&start_time={START}")
    return [tuple(row.get(field) for field in FIELDS) for row in reply.body["data"]]


def told(simulator: Simulator, market: str) -> list[tuple[Any, ...]]:
    """What the exchange has; of prices it says nothing about trades."""
    rows = simulator.history("BTCUSDT", START, NOW, market=market)
    return [(*row[:5], 0.0, None, None, None, None) for row in rows] if market in PRICES_ONLY else [*rows]


@pytest.mark.parametrize("market", ["spot", "perpetual", *sorted(PRICES_ONLY)])
async def test_whole_months_and_days_come_from_the_archive_and_the_rest_from_the_api(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, market: str
) -> None:
    found = await synced(http_server_client, market=market)
    assert (found["new_records"], found["complete"], found["archive_files"]) == (MINUTES, True, 10)
    assert found["notes"] == []
    assert files_asked(simulator) == [
        DAY_FILE,
        MONTH_FILE,
        *(f"BTCUSDT-1m-2025-07-0{number}.zip" for number in range(1, 9)),
    ]
    in_files = (DAYS[-1] + DAY - JUNE + DAY) // MINUTE
    assert minutes_asked(simulator) == MINUTES - in_files + RECHECKED
    assert await stored(http_server_client, market) == told(simulator, market)


@pytest.mark.usefixtures("archive_settings")
@pytest.mark.parametrize("archive_settings", [{"ARCHIVE": "off"}, {"BINANCE_ARCHIVE_URL": ""}])
async def test_the_archive_is_left_alone_when_off_and_when_it_is_not_that_of_the_api(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, archive_settings: dict[str, str]
) -> None:
    assert archive_settings
    found = await synced(http_server_client)
    assert (found["new_records"], found["archive_files"], found["notes"]) == (MINUTES, 0, [])
    assert minutes_asked(simulator) == MINUTES


async def test_a_second_sync_takes_no_file(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    await synced(http_server_client)
    simulator.requests.clear()
    found = await synced(http_server_client)
    assert (found["new_records"], found["archive_files"]) == (0, 0)
    assert not simulator.requests


async def test_what_the_files_lack_comes_from_the_api(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.archive = ArchiveFaults(left_out=[(JUNE + 9 * DAY, JUNE + 10 * DAY)])
    found = await synced(http_server_client)
    assert (found["new_records"], found["complete"], found["void_records"]) == (MINUTES, True, 0)
    assert await stored(http_server_client) == simulator.history("BTCUSDT", START, NOW)


async def test_an_outage_is_void_only_by_the_word_of_the_api(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    outage = (JUNE + 9 * DAY, JUNE + 9 * DAY + 90 * MINUTE)
    simulator.faults.outages = [outage]
    found = await synced(http_server_client)
    assert (found["new_records"], found["complete"], found["void_records"]) == (MINUTES - 90, True, 90)
    asked = [record.params.get("startTime") for record in simulator.requests]
    assert str(outage[0]) in asked


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        (ArchiveFaults(wrong_checksum=["2025-06"]), f"{MONTH_FILE} does not have the checksum"),
        (ArchiveFaults(absent=["2025-06"]), f"{MONTH_FILE} is not in the archive (yet)"),
        (ArchiveFaults(corrupt=["2025-06"]), f"{MONTH_FILE}: it cannot be unzipped"),
        (ArchiveFaults(bad_row=["2025-06"]), "line 21601: high is 'nan'"),
        (ArchiveFaults(failing=["2025-06"]), f"{MONTH_FILE}: the archive answered 503"),
    ],
)
async def test_a_file_that_does_not_do_is_told_and_the_api_is_asked_instead(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, faults: ArchiveFaults, said: str
) -> None:
    simulator.faults.archive = faults
    found = await synced(http_server_client)
    assert (found["new_records"], found["complete"], found["archive_files"]) == (MINUTES, True, 9)
    (note,) = found["notes"]
    assert said in note
    assert await stored(http_server_client) == simulator.history("BTCUSDT", START, NOW)


async def test_an_archive_that_is_away_costs_some_requests_and_nothing_else(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.archive = ArchiveFaults(failing=[""])
    found = await synced(http_server_client)
    assert (found["new_records"], found["complete"], found["archive_files"]) == (MINUTES, True, 0)
    assert found["notes"][-1].startswith("the archive does not answer")


@pytest.mark.parametrize(("days", "files"), [(7, 0), (8, 6)])
async def test_a_week_comes_from_the_api(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, days: int, files: int
) -> None:
    bounds = {"start_time": NOW - days * DAY, "end_time": NOW - 2 * MINUTE}
    found = await synced(http_server_client, **bounds)
    assert found["archive_files"] == len(files_asked(simulator)) == files


async def test_what_is_read_again_on_purpose_comes_from_the_api(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    await synced(http_server_client)
    simulator.requests.clear()
    again = {"refresh": True, "start_time": JUNE, "end_time": JUNE + 10 * DAY - MINUTE}
    await synced(http_server_client, **again)
    assert files_asked(simulator) == []
    assert minutes_asked(simulator) == 10 * 1440


async def test_a_candle_of_the_archive_that_the_api_tells_differently_is_revised(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    await synced(http_server_client)
    simulator.faults.revisions = {("BTCUSDT", JUNE): {"volume": "1.5"}}
    again = {"refresh": True, "start_time": JUNE, "end_time": JUNE}
    assert (await synced(http_server_client, **again))["revised_records"] == 1


async def test_what_the_api_knows_no_more_is_taken_from_the_archive(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator
) -> None:
    simulator.faults.refused = ["BTCUSDT"]
    june = {"symbol": "BTCUSDT", "start_time": JUNE, "end_time": JULY - MINUTE}
    found = await synced(http_server_client, **june)
    assert (found["complete"], found["archive_files"]) == (True, 1)
    assert await stored(http_server_client) == simulator.history("BTCUSDT", JUNE, JULY)
    rest = await post(http_server_client, "/api/sync", {"symbol": "BTCUSDT"})
    assert (rest.status, rest.body["error"]["code"]) == (404, "unknown_symbol")
    assert await stored(http_server_client) == simulator.history("BTCUSDT", JUNE, JULY + 8 * DAY)


async def test_what_both_refuse_is_unknown_and_not_looked_for_again_at_once(
    http_server_client: AsyncHTTPServerClient, simulator: Simulator, database: Database
) -> None:
    for _ in range(2):
        reply = await post(http_server_client, "/api/sync", {"symbol": "NOPEUSDT"})
        assert (reply.status, reply.body["error"]["code"]) == (404, "unknown_symbol")
    looked_for = [record.path for record in simulator.requests if "NOPEUSDT" in record.path]
    assert [path.rpartition("/")[2] for path in looked_for] == ["NOPEUSDT-1m-2025-06.zip.CHECKSUM"]
    assert len({record.path for record in simulator.requests if record.path.endswith("klines")}) == 1
    assert [name for name in await database.list_collection_names() if "NOPE" in name] == []
