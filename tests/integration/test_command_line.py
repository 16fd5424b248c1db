"""`python -m backend sync` as a user runs it."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

from backend.settings import Settings
from backend.store.embedded import EmbeddedMongod
from backend.store.mongo import Database
from tests.integration.processes import (
    PATIENCE,
    command,
    requests_seen,
    running_service,
    running_simulator,
    until,
)
from tests.integration.stored import held_minutes, stored_rows

SIMULATED = ("--now", "2025-06-02T01:00:30Z", "--frozen")


@pytest.fixture
def database_settings(mongod_uri: str, database: Database) -> dict[str, str]:
    return {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": database.name}


def test_a_sync_tells_what_it_did_and_exits_with_0(database_settings: dict[str, str]) -> None:
    with running_simulator(*SIMULATED) as url:
        process = command("sync", "btcusdt", **database_settings, BINANCE_SPOT_URL=url)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert "1,500/1,500 minutes" in output
    assert "1,500 new candles, 1,500 stored" in output
    assert "Complete." in output


def test_start_and_end_bound_the_sync(database_settings: dict[str, str]) -> None:
    with running_simulator(*SIMULATED) as url:
        process = command(
            *("sync", "BTCUSDT", "--start", "2025-06-01T10:00Z", "--end", "2025-06-01T10:59Z"),
            **database_settings,
            BINANCE_SPOT_URL=url,
        )
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, output
    assert "60 new candles" in output


def test_a_page_that_keeps_failing_is_told_and_exits_with_1(database_settings: dict[str, str]) -> None:
    failing = ("--failing", "2025-06-01T00:00Z/2025-06-01T00:01Z")
    with running_simulator(*SIMULATED, *failing) as url:
        process = command("sync", "BTCUSDT", **database_settings, BINANCE_SPOT_URL=url)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, output
    assert "1000 minutes of BTCUSDT are still missing" in output


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("sync", "NOSUCHCOIN"), 1, "knows no"),
        (("sync", "BTC$"), 2, "is not a symbol"),
        (("sync", "BTCUSDT", "--exchange", "nyse"), 2, "unknown exchange"),
        (("sync", "BTCUSDT", "--start", "noon"), 2, "is not a time"),
        (("sync", "BTCUSDT", "--start", "2025-06-02", "--end", "2025-06-01"), 2, "after"),
        (("sync",), 2, "symbol"),
        ((), 2, "command"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence(
    database_settings: dict[str, str], arguments: tuple[str, ...], status: int, said: str
) -> None:
    with running_simulator(*SIMULATED) as url:
        process = command(*arguments, **database_settings, BINANCE_SPOT_URL=url)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, output
    assert said in output
    assert "Traceback" not in output


def test_a_bad_setting_is_told_by_name_and_exits_with_2() -> None:
    process = command("sync", "BTCUSDT", PAGES_IN_FLIGHT="many")
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "PAGES_IN_FLIGHT" in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_stops_cleanly_and_keeps_what_came(
    database_settings: dict[str, str], settings: Settings, database: Database, io_loop: IOLoop, number: int
) -> None:
    slow = ("--now", "2025-07-01T00:00:30Z", "--frozen", "--latency", "0.2")
    with running_simulator(*slow) as url:
        process = command("sync", "BTCUSDT", **database_settings, BINANCE_SPOT_URL=url, PAGES_IN_FLIGHT="2")
        until(lambda: requests_seen(url) > 6, "the sync to be under way")
        process.send_signal(number)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, output
    assert "sync again to fetch only the rest" in output
    rows = stored_rows(settings.mongodb_uri, database.name)
    assert 2000 <= len(rows) < 43_200
    assert {row[0] for row in rows} == io_loop.run_sync(lambda: held_minutes(database))


def test_sigterm_ends_the_service_soon_even_when_the_database_is_away(tmp_path: Path) -> None:
    """Long before an operation gives the database up."""
    mongod = EmbeddedMongod(tmp_path)
    settings = {"MONGODB_URI": mongod.start(), "DATABASE_TIMEOUT": "300"}
    with running_service(tmp_path / "log", **settings) as service:
        mongod.stop()
        assert service.call("/health")[0] == 503
        assert service.stop() == 0


def test_a_taken_port_is_told_by_name_and_exits_with_2(database_settings: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        process = command("serve", **database_settings, SERVER_ADDRESS="127.0.0.1", SERVER_PORT=port)
        output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "SERVER_PORT" in output
    assert "Traceback" not in output
