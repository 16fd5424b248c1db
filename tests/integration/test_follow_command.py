"""`python -m backend follow` and `unfollow` as a user runs them: alone, beside a service, on a terminal."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backend.store.mongo import Database
from tests.integration.processes import (
    PATIENCE,
    ROOT,
    command,
    environment,
    running_service,
    running_simulator,
    until,
)
from tests.integration.stored import stored_rows

SIMULATED = ("--now", "2025-06-02T01:00:30Z", "--frozen")
SINCE = "2025-06-02T00:00Z"
UP_TO_DATE = "last minute 2025-06-02 00:59"


@pytest.fixture
def simulator_url() -> Iterator[str]:
    with running_simulator(*SIMULATED) as url:
        yield url


@pytest.fixture
def settings_of_all(simulator_url: str, mongod_uri: str, database: Database) -> dict[str, str]:
    """Settings that a service and commands share."""
    return {
        "MONGODB_URI": mongod_uri,
        "MONGODB_DATABASE": database.name,
        "BINANCE_SPOT_URL": simulator_url,
        "LEASE_SECONDS": "2",
    }


class Following:
    """`python -m backend follow`, whose output goes to a file."""

    def __init__(self, process: subprocess.Popen[bytes], output: Path) -> None:
        self._process = process
        self._output = output

    @property
    def said(self) -> str:
        """All of it up to now."""
        return self._output.read_text()

    def says(self, text: str) -> None:
        """Wait until it said so."""
        until(lambda: text in self.said, f"the command to say {text!r}")

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal; the exit status."""
        self._process.send_signal(number)
        return self._process.wait(PATIENCE)


@contextmanager
def following(output: Path, *arguments: str, **settings: str) -> Iterator[Following]:
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "backend", "follow", *arguments],
            cwd=ROOT,
            env=environment(**settings),
            stdout=file,
            stderr=file,
        )
    try:
        yield Following(process, output)
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_without_a_service_the_command_keeps_what_is_followed(
    tmp_path: Path, settings_of_all: dict[str, str], mongod_uri: str, database: Database, number: int
) -> None:
    with following(tmp_path / "said", "btcusdt", "--since", SINCE, **settings_of_all) as one:
        one.says(UP_TO_DATE)
        assert one.end(number) == 0, one.said
    assert "Kept up to date by this process, while it runs." in one.said
    assert "binance:spot:BTCUSDT" in one.said
    assert "What is followed stays followed" in one.said
    assert "Traceback" not in one.said
    assert len(stored_rows(mongod_uri, database.name)) == 60


def test_beside_a_service_the_command_only_looks_on(tmp_path: Path, settings_of_all: dict[str, str]) -> None:
    with running_service(tmp_path / "log", **settings_of_all) as service:
        with following(tmp_path / "said", "BTCUSDT", "--since", SINCE, **settings_of_all) as one:
            one.says(UP_TO_DATE)
            assert one.end() == 0, one.said
        assert "Kept up to date by the processes that do jobs." in one.said
        [found] = service.call("/api/follow")[1]["follows"]
        assert (found["series"], found["new_records"]) == ("binance:spot:BTCUSDT", 60)


def test_what_is_followed_and_unfollowed_elsewhere_shows(
    tmp_path: Path, settings_of_all: dict[str, str]
) -> None:
    with following(tmp_path / "said", **settings_of_all) as one:
        one.says("There are no follows: name a symbol.")
        with following(tmp_path / "other", "ETHUSDT", "--since", SINCE, **settings_of_all) as other:
            one.says(UP_TO_DATE)
            other.says("Kept up to date by the processes that do jobs.")
            assert other.end() == 0
        gone = command("unfollow", "ETHUSDT", **settings_of_all)
        output, _ = gone.communicate(timeout=PATIENCE)
        assert (gone.returncode, output) == (
            0,
            "binance:spot:ETHUSDT is not followed any more; what is stored stays.\n",
        )
        one.says("binance:spot:ETHUSDT is not followed any more")
        assert one.end() == 0


def test_a_sync_beside_a_command_that_keeps_follows_is_done(
    tmp_path: Path, settings_of_all: dict[str, str]
) -> None:
    with following(tmp_path / "said", **settings_of_all) as one:
        one.says("this process")
        process = command("sync", "BTCUSDT", "--start", SINCE, **settings_of_all)
        output, _ = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, output
        assert "60 new candles" in output
        assert one.end() == 0


def test_on_a_terminal_a_table_is_drawn(settings_of_all: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "backend", "follow", "BTCUSDT", "--since", SINCE],
        cwd=ROOT,
        env=environment(**settings_of_all) | {"TERM": "xterm", "COLUMNS": "80", "LINES": "40"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    os.set_blocking(ours, False)
    seen = bytearray()

    def is_drawn() -> bool:
        try:
            seen.extend(os.read(ours, 1 << 16))
        except BlockingIOError:
            return False
        return b"healed" in seen and b"06-02 00:59" in seen

    try:
        until(is_drawn, "a table with the newest minute")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        os.close(ours)
    assert b"Traceback" not in seen


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("follow", "NOSUCHCOIN"), 1, "knows no"),
        (("follow", "BTC$"), 2, "is not a symbol"),
        (("follow", "BTCUSDT", "--since", "noon"), 2, "is not a time"),
        (("unfollow", "BTCUSDT", "ETHUSDT"), 1, "ETHUSDT (binance spot) is not followed"),
        (("unfollow",), 2, "symbol"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence(
    settings_of_all: dict[str, str], arguments: tuple[str, ...], status: int, said: str
) -> None:
    process = command(*arguments, **settings_of_all)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == status, output
    assert said in output
    assert "Traceback" not in output
