"""No request, however hostile its text, takes the service's processor from others."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.processes import RunningService, running_service
from tests.vitals import processor_seconds

MOST_SECONDS = 3.0
"""Of processor time for all requests together; what this is about took longer for one of them."""

LONG = 7_000
PIECES = (
    "?key",
    "?a=b&",
    ";",
    "%FF?key",
    "a=",
    "://",
    "[",
    "%5B",
    "%D9%A3",
    "9",
    "../",
    "%2F",
    ",",
    "%00",
    "%20",
)
HEADS = 15_000
NAMES = (
    *("X-Request-Id", "Accept", "Accept-Encoding", "If-None-Match", "X-Forwarded-For", "Origin", "Cookie"),
    *("Content-Length", "Transfer-Encoding", "Host", "X-Api-Key", "Authorization", "Content-Type"),
)
VALUES = ("?key", ",", '"', " ", ";q=", "9", "://", "W/", "authorization: ")


def requests() -> Iterator[bytes]:
    """Long addresses, long headers, many headers, long bodies."""
    for piece in PIECES:
        text = (piece * LONG)[:LONG]
        for path in (
            "/api/jobs?status=%FF",
            "/api/data/",
            "/api/data/BTC?fields=",
            "/binance/api/v3/klines?symbol=",
            "/?",
        ):
            yield f"GET {path}{text} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    for name in NAMES:
        for value in VALUES:
            header = f"{name}: {(value * HEADS)[:HEADS]}"
            yield f"GET /api/jobs HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n".encode()
    for header in ("a: b\r\n", "a:\r\n", "Content-Length: 0\r\n", "X-Forwarded-For: 1.1.1.1\r\n"):
        yield f"GET /api/jobs HTTP/1.1\r\n{header * (120_000 // len(header))}\r\n".encode()
    for piece in ('{"a":', "[", '"', "9", '{"symbol":"?key', '{"symbols":["a",', " "):
        body = (piece * 64_000)[:64_000]
        yield f"POST /api/sync HTTP/1.1\r\nHost: localhost\r\nContent-Length: 64000\r\n\r\n{body}".encode()


def answered(port: int, request: bytes) -> bytes:
    """The first line of the answer to a request; empty where the connection is closed without one."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request)
        try:
            return connection.recv(1000).partition(b"\r\n")[0]
        except ConnectionResetError:
            return b""


@pytest.mark.parametrize("networks", ["", "10.0.0.0/8"], ids=["admitted", "from outside ALLOWED_NETWORKS"])
def test_hostile_requests_take_next_to_no_processor_time(
    mongod_uri: str, tmp_path: Path, networks: str
) -> None:
    settings = {
        "MONGODB_URI": mongod_uri,
        "MONGODB_DATABASE": f"hostile{os.getpid()}",
        "ALLOWED_NETWORKS": networks,
    }
    with running_service(tmp_path / "log", answers_at="/health/live", **settings) as service:
        _ask_all(service, refused=403 if networks else 400)


def _ask_all(service: RunningService, refused: int) -> None:
    before = processor_seconds(service.process.pid)
    sent = list(requests())
    statuses = [answered(service.port, request) for request in sent]
    assert not any(b" 500 " in status for status in statuses)
    assert f" {refused} " in statuses[0].decode()
    assert processor_seconds(service.process.pid) - before < MOST_SECONDS
    assert service.call("/health/live")[0] == 200
