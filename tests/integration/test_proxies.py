"""The whole service behind a proxy: exchanges whose names nobody here can resolve, spoken to by TLS alone."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.x509 import DNSName, IPAddress
from tornado.ioloop import IOLoop

from backend.clock import parse_time
from backend.core.windows import MINUTE
from backend.store.mongo import Database
from tests.integration.certificates import LOOPBACK, Authority
from tests.integration.processes import RunningService, running_service, until
from tests.proxies import PASSWORD, USER, Proxy
from tests.simulator import Simulator, SimulatorClock

NOW = parse_time("2025-07-10T06:30:30Z")
START = parse_time("2025-06-30")
"""So that most of it comes from the archive, day by day."""

API, SOCKETS, ARCHIVE = "api.exchange.test", "push.exchange.test", "archive.exchange.test"


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    simulated = Simulator(clock=SimulatorClock(NOW))
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def settings_of_all(mongod_uri: str, database: Database, authority: Authority) -> dict[str, str]:
    """A service that trusts the authority, and knows its exchange by names alone."""
    return {
        "MONGODB_URI": mongod_uri,
        "MONGODB_DATABASE": database.name,
        "SSL_CERT_FILE": str(authority.ca),
        "BINANCE_SPOT_URL": f"https://{API}",
        "BINANCE_SPOT_WS_URL": f"wss://{SOCKETS}:9443",
        "BINANCE_ARCHIVE_URL": f"https://{ARCHIVE}",
        "SYNC_START": str(START),
    }


def spoken_by(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def port_of(simulator: Simulator) -> int:
    return int(simulator.url.rpartition(":")[2])


def synced(service: RunningService) -> tuple[int, Any]:
    """What a sync is answered."""
    return service.call("/api/sync", {"symbol": "BTCUSDT"})


def synced_and_followed(service: RunningService) -> tuple[int, Any]:
    """The same; then the series is followed until a candle of it was pushed."""
    found = synced(service)
    service.call("/api/follow", {"symbols": ["BTCUSDT"]})

    def source() -> str:
        return str(service.call("/api/follow")[1]["follows"][0]["source"])

    until(lambda: source() == "socket", "a candle to be pushed")
    return found


async def with_service(
    log: Path, settings: dict[str, str], use: Callable[[RunningService], tuple[int, Any]]
) -> tuple[int, Any]:
    """What a service brings that is used in a thread, while proxy and exchange run here."""

    def run() -> tuple[int, Any]:
        with running_service(log, answers_at="/health/live", **settings) as service:
            return use(service)

    return await asyncio.to_thread(run)


@pytest.mark.parametrize("scheme", ["http", "https", "socks5h"])
async def test_requests_sockets_and_archive_go_by_the_proxy(
    scheme: str, simulator: Simulator, authority: Authority, settings_of_all: dict[str, str], tmp_path: Path
) -> None:
    venue = spoken_by(authority.certify("venue", *map(DNSName, (API, SOCKETS, ARCHIVE))))
    own = spoken_by(authority.certify("proxy", IPAddress(LOOPBACK))) if scheme == "https" else None
    log = tmp_path / "log"
    async with Proxy(port_of(simulator), tls=venue, own_tls=own) as proxy:
        settings = settings_of_all | {"PROXY": proxy.url(scheme)}
        status, found = await with_service(log, settings, synced_and_followed)
    assert (status, found["complete"], found["archive_files"] > 5) == (200, True, True)
    assert found["new_records"] >= (NOW - START) // MINUTE
    assert set(proxy.passed) == {f"{API}:443", f"{SOCKETS}:9443", f"{ARCHIVE}:443"}
    assert proxy.refused == 0
    assert_no_secret_in(log.read_text())


@pytest.mark.parametrize("scheme", ["http", "socks5"])
async def test_a_wrong_password_is_told_with_the_setting_and_without_the_password(
    scheme: str, simulator: Simulator, settings_of_all: dict[str, str], tmp_path: Path
) -> None:
    async with Proxy(port_of(simulator)) as proxy:
        settings = settings_of_all | {"BINANCE_PROXY": proxy.url(scheme, f"{USER}:dummy-wrong@")}
        status, body = await with_service(tmp_path / "log", settings, synced)
    assert (status, body["error"]["code"]) == (503, "exchange_unavailable")
    assert f"through BINANCE_PROXY ({scheme}://127.0.0.1:{proxy.port})" in body["error"]["message"]
    assert "dummy-wrong" not in str(body) + (tmp_path / "log").read_text()
    assert (proxy.passed, proxy.refused > 0) == ([], True)


def assert_no_secret_in(text: str) -> None:
    assert PASSWORD not in text
    assert "dummy%2Fp%40ss" not in text
