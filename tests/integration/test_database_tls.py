"""TLS to MongoDB through MONGODB_URI, both sides with certificates, on a real mongod that requires it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote_plus

import pytest
from cryptography.x509 import DNSName, IPAddress

from backend.app import open_service
from backend.core.series import Series
from backend.core.windows import MINUTE
from backend.settings import Settings, load_settings
from backend.store.mongo import connect, disconnect, is_connected
from tests.conftest import NOW, ImpatientClock, simulated_urls
from tests.integration.certificates import LOOPBACK, Authority
from tests.integration.mongods import Mongod, running_mongod
from tests.simulator import Simulator
from tests.syncing import run_job

SERIES = Series("binance", "spot", "BTCUSDT")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def client_certificate(authority: Authority) -> Path:
    return authority.certify("service")


@pytest.fixture(scope="module")
def mongod(
    authority: Authority, client_certificate: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mongod]:
    """It answers nobody without a certificate, and is called 127.0.0.1 in its own."""
    server = authority.certify("mongod", IPAddress(LOOPBACK), DNSName("db.example"))
    with running_mongod(
        tmp_path_factory.mktemp("tls"),
        "--tlsMode=requireTLS",
        f"--tlsCertificateKeyFile={server}",
        f"--tlsCAFile={authority.ca}",
        asked_by=query(authority.ca, client_certificate),
    ) as found:
        yield found


def query(ca: Path | None, certificate: Path | None) -> str:
    """The part of a URI that says whom to trust and who one is."""
    trusted = f"&tlsCAFile={quote_plus(str(ca))}" if ca else ""
    named = f"&tlsCertificateKeyFile={quote_plus(str(certificate))}" if certificate else ""
    return f"&tls=true{trusted}{named}"


def settings_for(uri: str, simulator: Simulator) -> Settings:
    return load_settings({"MONGODB_URI": uri, "DATABASE_TIMEOUT": "5", **simulated_urls(simulator.url)})


async def test_a_sync_works_over_tls(mongod: Mongod, simulator: Simulator) -> None:
    async with open_service(settings_for(mongod.uri, simulator), ImpatientClock()) as service:
        assert await service.running.database_answers()
        job = await run_job(service, SERIES, NOW - NOW % MINUTE - 60 * MINUTE)
        assert (job.status, job.tally.new_records) == ("done", 60)
        assert (await service.reading.queries.statistics(SERIES)).total_records == 60


async def answers(uri: str) -> bool:
    """Whether the database at `uri` speaks to us, and we to it."""
    database = connect(uri, "candles", timeout=5.0)
    try:
        return await is_connected(database, seconds=2.0)
    finally:
        await disconnect(database)


async def test_who_is_not_trusted_or_not_named_is_not_spoken_to(
    mongod: Mongod, authority: Authority, client_certificate: Path, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path, "stranger")
    plain = f"mongodb://127.0.0.1:{mongod.port}/?directConnection=true"
    elsewhere = plain.replace("127.0.0.1", "localhost")
    assert await answers(plain + query(authority.ca, client_certificate))
    refused = {
        "no TLS": plain,
        "an authority of the system's": plain + query(None, client_certificate),
        "another authority": plain + query(stranger.ca, client_certificate),
        "another name than in the certificate": elsewhere + query(authority.ca, client_certificate),
        "no certificate of ours": plain + query(authority.ca, None),
        "a certificate of a stranger": plain + query(authority.ca, stranger.certify("service")),
    }
    assert [why for why, uri in refused.items() if await answers(uri)] == []
