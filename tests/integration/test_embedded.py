"""The embedded mongod: starts, is shared, comes back after kill -9, leaves no orphan, says why it cannot."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from pymongo import MongoClient, WriteConcern

from backend.errors import ConfigurationError
from backend.store import embedded
from backend.store.embedded import EmbeddedMongod, find_mongod
from tests.integration.processes import children, is_alive, running_service, until


def insert(uri: str, number: int) -> None:
    with MongoClient[dict[str, int]](uri) as client:
        numbers = client["test"].get_collection("numbers", write_concern=WriteConcern("majority", j=True))
        numbers.insert_one({"_id": number})


def stored(uri: str) -> list[int]:
    with MongoClient[dict[str, int]](uri) as client:
        return [document["_id"] for document in client["test"]["numbers"].find().sort("_id")]


def test_data_outlives_a_stop_and_a_start(tmp_path: Path) -> None:
    for number in range(2):
        mongod = EmbeddedMongod(tmp_path)
        insert(mongod.start(), number)
        mongod.stop()
    mongod = EmbeddedMongod(tmp_path)
    assert stored(mongod.start()) == [0, 1]
    mongod.stop()


def test_more_series_fit_than_the_usual_limit_of_open_files(tmp_path: Path) -> None:
    """The server may open what the system lets it, whatever its parent may: a collection takes a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
    try:
        mongod = EmbeddedMongod(tmp_path)
        uri = mongod.start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with MongoClient[dict[str, int]](uri) as client:
        for number in range(400):
            client["test"].create_collection(
                f"series{number}", clusteredIndex={"key": {"_id": 1}, "unique": True}
            )
        assert len(client["test"].list_collection_names()) == 400
    mongod.stop()


def test_where_few_files_may_be_opened_the_number_of_series_is_told(
    tmp_path: Path,
) -> None:
    script = (
        "import logging, resource, sys; from pathlib import Path; "
        "from backend.store.embedded import EmbeddedMongod; logging.basicConfig(); "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (1300, 1300)); "
        "mongod = EmbeddedMongod(Path(sys.argv[1])); mongod.start(); mongod.stop()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    assert "about 1000 series fit" in done.stderr


def test_stopping_leaves_no_process(tmp_path: Path) -> None:
    mongod = EmbeddedMongod(tmp_path)
    mongod.start()
    pid = mongod.pid
    assert pid is not None
    assert is_alive(pid)
    mongod.stop()
    assert not is_alive(pid)


def test_killed_it_is_revived_on_the_same_address_with_its_data(tmp_path: Path) -> None:
    mongod = EmbeddedMongod(tmp_path)
    uri = mongod.start()
    insert(uri, 7)
    first = mongod.pid
    assert first is not None
    mongod.revive()
    assert mongod.pid == first
    os.kill(first, signal.SIGKILL)

    def revived() -> bool:
        mongod.revive()
        return mongod.pid != first

    until(revived, "mongod to be started again")
    assert stored(uri) == [7]
    mongod.stop()


def test_a_second_user_of_the_same_folder_shares_the_first_ones_server(tmp_path: Path) -> None:
    owner, guest = EmbeddedMongod(tmp_path), EmbeddedMongod(tmp_path)
    uri = owner.start()
    assert guest.start() == uri
    assert guest.pid is None
    guest.stop()
    insert(uri, 1)
    owner.stop()


def test_another_servers_port_is_not_taken_for_our_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that start at one moment may be given the same free port."""
    first, second = EmbeddedMongod(tmp_path / "first"), EmbeddedMongod(tmp_path / "second")
    uri = first.start()
    taken = int(uri.rpartition(":")[2].partition("/")[0])
    free = embedded._free_port
    ports = iter([taken])
    monkeypatch.setattr(embedded, "_free_port", lambda: next(ports, None) or free())
    insert(second.start(), 2)
    assert stored(uri) == []
    second.stop()
    first.stop()


def test_no_orphan_stays_when_the_service_is_killed_and_the_next_one_starts(tmp_path: Path) -> None:
    settings = {"DATA_DIR": str(tmp_path / "data")}
    with running_service(tmp_path / "log", **settings) as service:
        [mongod] = children(service.process.pid)
        service.kill()
    with running_service(tmp_path / "log", **settings) as service:
        assert service.call("/health")[0] == 200
        assert not is_alive(mongod)
        [mongod] = children(service.process.pid)
        assert service.stop() == 0
    assert not is_alive(mongod)


def test_its_data_stay_inside_the_folder_and_on_loopback(tmp_path: Path) -> None:
    mongod = EmbeddedMongod(tmp_path / "deep" / "folder")
    assert mongod.start().startswith("mongodb://127.0.0.1:")
    mongod.stop()
    assert (tmp_path / "deep" / "folder" / "mongod" / "WiredTiger").exists()


def test_another_platform_is_told_the_two_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    with pytest.raises(ConfigurationError, match=r"aarch64.*MONGODB_URI.*docker compose"):
        find_mongod(tmp_path)


def test_a_missing_wheel_is_told_with_the_two_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "WHEEL", "a-package-that-is-not-there")
    with pytest.raises(ConfigurationError, match=r"not installed.*MONGODB_URI.*docker compose"):
        find_mongod(tmp_path)


def test_a_server_that_cannot_run_is_told_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "mongod-broken"
    broken.write_text(
        '#!/bin/sh\necho "$0: error while loading shared libraries: libcurl.so.4: not found" >&2\nexit 127\n'
    )
    broken.chmod(0o755)
    monkeypatch.setattr(embedded, "find_mongod", lambda _spare: broken)
    mongod = EmbeddedMongod(tmp_path)
    with pytest.raises(ConfigurationError, match=r"libcurl\.so\.4.*MONGODB_URI.*docker compose"):
        mongod.start()
    mongod.stop()
