"""Where the service listens, as the kernel tells it, and what it keeps to itself."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address
from pathlib import Path

from backend.access.keys import digest_of
from backend.store.mongo import Database
from tests.integration.processes import PATIENCE, command, free_port, until

KEY = "a-key-that-nobody-knows"
LISTENING = "0A"


def listens_at(port: int) -> set[str]:
    """The IPv4 addresses at which somebody listens on a port."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ends = [row[1].split(":") for row in rows if row[3] == LISTENING]
    found = (address for address, number in ends if int(number, 16) == port)
    return {str(IPv4Address(int(address, 16).to_bytes(4, "little"))) for address in found}


@contextmanager
def serving(mongod_uri: str, database: Database, log: list[str], **settings: str) -> Iterator[int]:
    """The service without any address but what is given; its log afterwards."""
    port = free_port()
    own = {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": database.name, "SERVER_PORT": str(port)}
    process = command("serve", **own, **settings)
    try:
        until(lambda: bool(listens_at(port)), "the service to listen")
        yield port
    finally:
        process.terminate()
        log.append(process.communicate(timeout=PATIENCE)[0])


def test_without_an_address_it_listens_to_this_machine_only(mongod_uri: str, database: Database) -> None:
    log: list[str] = []
    with serving(mongod_uri, database, log) as port:
        assert listens_at(port) == {"127.0.0.1"}
    assert "EVERYBODY" not in log[0]


def test_open_to_the_network_it_says_so(mongod_uri: str, database: Database) -> None:
    log: list[str] = []
    with serving(mongod_uri, database, log, SERVER_ADDRESS="0.0.0.0") as port:
        assert listens_at(port) == {"0.0.0.0"}
    assert "API_KEYS" in log[0]


def test_a_key_is_asked_for_and_told_to_nobody(mongod_uri: str, database: Database) -> None:
    log: list[str] = []
    keys = f"bot:{KEY}:read"
    with serving(
        mongod_uri, database, log, SERVER_ADDRESS="0.0.0.0", API_KEYS=keys, LOG_LEVEL="DEBUG"
    ) as port:
        assert status(port, "/health/live") == 200
        assert status(port, "/api/jobs") == 401
        assert status(port, "/api/jobs", KEY) == 200
        assert status(port, "/api/jobs", f"{KEY}?") == 401
    assert "/api/jobs" in log[0]
    assert KEY not in log[0]
    assert digest_of(KEY).hex() not in log[0]
    assert "EVERYBODY" not in log[0]


def status(port: int, path: str, key: str = "") -> int:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", headers={"X-Api-Key": key} if key else {}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            json.load(answer)
            found: int = answer.status
            return found
    except urllib.error.HTTPError as error:
        with error:
            return error.code
