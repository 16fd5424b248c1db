"""The log of a running service: one line a request, one a job, and no secret in any of them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import simulated_urls
from tests.integration.processes import RunningService, running_service, running_simulator, until

PASSWORD = "hunter2-s3cret"
API_KEY = "k3y-of-somebody"

Line = Mapping[str, Any]


@pytest.fixture(scope="module")
def exchanges() -> Iterator[str]:
    with running_simulator("--now", "2025-06-02T01:00:30Z", "--frozen") as url:
        yield url


def lines(log: Path) -> list[Line]:
    """What was logged as JSON so far."""
    return [json.loads(line) for line in log.read_text().splitlines()]


def lines_of(log: Path, logger: str) -> list[Line]:
    return [line for line in lines(log) if line["logger"] == logger]


def ask(service: RunningService, path: str, **headers: str) -> str:
    """Send a GET with such headers; the request's id in the answer, whatever its status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(f"http://127.0.0.1:{service.port}{path}", headers=named)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return str(answer.headers["X-Request-Id"])
    except urllib.error.HTTPError as error:
        with error:
            return str(error.headers["X-Request-Id"])


def test_a_request_and_a_job_have_one_line_each(tmp_path: Path, mongod_uri: str, exchanges: str) -> None:
    log = tmp_path / "log"
    settings = {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": "logs", "LOG_FORMAT": "json"}
    with running_service(log, **settings, **simulated_urls(exchanges)) as service:
        status, body = service.call("/api/sync", {"symbol": "BTCUSDT"})
        until(lambda: any("/api/sync" in line["message"] for line in lines(log)), "the request's line")
    assert (status, body["new_records"]) == (200, 1500)
    (request,) = [line for line in lines_of(log, "backend.web.server.handler") if line["method"] == "POST"]
    assert (request["route"], request["status"], request["level"]) == ("/api/sync", "200", "info")
    assert request["milliseconds"] > 0
    (job,) = lines_of(log, "backend.services.jobs.job_report")
    assert (job["job"], job["series"], job["status"]) == (body["job"], "binance.spot.BTCUSDT", "done")
    assert (job["minutes"], job["new_candles"], job["retries"], job["error"]) == (1500, 1500, 0, None)
    assert job["requests"] >= 4
    assert job["seconds"] > 0


def test_what_a_job_causes_says_its_id(tmp_path: Path, mongod_uri: str) -> None:
    log = tmp_path / "log"
    settings = {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": "logs_retries", "LOG_FORMAT": "json"}
    flawed = ("--now", "2025-06-02T01:00:30Z", "--frozen", "--page-cap", "50", "--error-rate", "0.2")
    with (
        running_simulator(*flawed) as url,
        running_service(log, **settings, **simulated_urls(url)) as service,
    ):
        _, body = service.call("/api/sync", {"symbol": "BTCUSDT"})
    retries = lines_of(log, "backend.net.rest.requester")
    assert retries
    told = {(line.get("job"), line.get("series")) for line in retries}
    assert told == {(body["job"], "binance.spot.BTCUSDT")}
    (job,) = lines_of(log, "backend.services.jobs.job_report")
    assert job["retries"] == len(retries)


def test_a_clients_sane_request_id_is_kept_and_any_other_replaced(
    tmp_path: Path, mongod_uri: str, exchanges: str
) -> None:
    log = tmp_path / "log"
    settings = {"MONGODB_URI": mongod_uri, "LOG_FORMAT": "json"}
    with running_service(log, **settings, **simulated_urls(exchanges)) as service:
        kept = ask(service, "/api/jobs", X_Request_Id="client-7.a_B")
        made = [ask(service, "/nothing", X_Request_Id=given) for given in ("", "a b", "x" * 65, "ü\x9b")]
    assert kept == "client-7.a_B"
    assert all(len(one) == 32 and one.isalnum() for one in made)
    assert len(set(made)) == len(made)
    logged = [line["request_id"] for line in lines_of(log, "backend.web.server.handler")]
    assert logged.count(kept) == 1
    assert [one for one in logged if one in made] == made


@pytest.mark.parametrize("style", ["console", "json"])
def test_no_line_tells_a_secret(tmp_path: Path, mongod_uri: str, style: str) -> None:
    """Not even at DEBUG, with a database that refuses the password and exchanges that cannot be reached."""
    log = tmp_path / "log"
    server = mongod_uri.split("/")[2]
    settings = {
        "MONGODB_URI": f"mongodb://someone:{quote(PASSWORD)}@{server}/?authSource=admin",
        "MONGODB_USERNAME": "someone",
        "MONGODB_PASSWORD": PASSWORD,
        "BINANCE_SPOT_URL": f"http://someone:{PASSWORD}@127.0.0.1:1",
        "LOG_LEVEL": "DEBUG",
        "LOG_FORMAT": style,
        "DATABASE_TIMEOUT": "0.5",
    }
    with running_service(log, answers_at="/health/live", **settings) as service:
        ask(service, f"/api/stats/BTCUSDT?api_key={API_KEY}", X_Api_Key=API_KEY)
        ask(service, f"/api/jobs/{PASSWORD}", Authorization=f"Bearer {API_KEY}")
        ask(service, "/api/symbols")
        ask(service, f"/mongodb://someone:{PASSWORD}@db/")
    written = log.read_text()
    assert "/api/jobs/***" in written
    assert "api_key=***" in written
    assert PASSWORD not in written
    assert API_KEY not in written
