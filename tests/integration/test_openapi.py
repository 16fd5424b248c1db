"""A running service on a real mongod, held to its own OpenAPI document by schemathesis.

What is right, what is almost right and what is wrong is sent to every route: no 5xx but the documented 502
and 503, every status, content type, header and body as described, and wrong requests refused.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.checks import not_a_server_error

from tests.conftest import simulated_urls
from tests.integration.processes import RunningService, running_service, running_simulator

SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
EXAMPLES = os.environ.get("EXAMPLES", "6")
"""Random requests for each route and each kind; the systematic ones come on top."""

HALF_A_DAY_AFTER_THE_LISTING = "2017-08-17T16:00:30Z"
"""So that a sync of all history is a short one."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, mongod_uri: str) -> Iterator[RunningService]:
    """A service with a stored series."""
    settings = {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": "openapi", "SYNC_START": "2017-08-17"}
    log = tmp_path_factory.mktemp("openapi") / "log"
    with (
        running_simulator("--now", HALF_A_DAY_AFTER_THE_LISTING, "--frozen") as url,
        running_service(log, **settings, **simulated_urls(url)) as running,
    ):
        assert running.call("/api/sync", {"symbol": "BTCUSDT"})[0] == 200
        yield running


def described(service: RunningService) -> dict[str, Any]:
    """What the service says of itself."""
    with urllib.request.urlopen(f"http://127.0.0.1:{service.port}/openapi.json", timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
        return found


def held_to(
    document: dict[str, Any], service: RunningService, folder: Path, *options: str
) -> tuple[int, str]:
    """Hold the service to a document: 0 if it is as described, and the report."""
    written = folder / "openapi.json"
    written.write_text(json.dumps(document))
    command = [str(SCHEMATHESIS), "--config-file", str(CONFIGURATION), "run", str(written)]
    command += [
        "--url",
        f"http://127.0.0.1:{service.port}",
        "--max-examples",
        EXAMPLES,
        "--no-color",
        *options,
    ]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.timeout(900)
def test_every_answer_is_as_described(service: RunningService, tmp_path: Path) -> None:
    document = described(service)
    for endless in ("/api/stream", "/api/changes"):  # tests/web/test_events.py, tests/web/test_changes.py
        del document["paths"][endless]
    removal = "/api/series/{symbol}"
    del document["paths"][removal]  # would take away what the others read, so it comes last
    status, report = held_to(document, service, tmp_path)
    assert status == 0, report
    operations = sum(len(set(item) - {"parameters"}) for item in document["paths"].values())
    assert f"Tested: {operations}" in report, report
    (generated,) = re.findall(r"(\d+) generated", report)
    assert int(generated) > 1000
    status, report = held_to(described(service), service, tmp_path, "--include-path", removal)
    assert status == 0, report
    assert "Tested: 1" in report, report


@pytest.mark.parametrize("flaw", ["a wrong type", "an unknown field", "an unknown status"])
def test_an_untrue_description_is_seen(service: RunningService, tmp_path: Path, flaw: str) -> None:
    assert service.call("/api/sync", {"symbol": "BTCUSDT"})[0] == 200
    document = described(service)
    shape = document["components"]["schemas"]["SeriesStatistics"]
    match flaw:
        case "a wrong type":
            shape["properties"]["total_records"] = {"type": "string"}
        case "an unknown field":
            del shape["properties"]["revisions"]
            shape["required"].remove("revisions")
        case "an unknown status":
            del document["paths"]["/api/stats/{symbol}"]["get"]["responses"]["400"]
    status, report = held_to(document, service, tmp_path, "--include-path", "/api/stats/{symbol}")
    assert status == 1, report
    assert "GET /api/stats/{symbol}" in report.partition("FAILURES")[2]


def test_syncs_that_fail_answer_as_described(tmp_path: Path, mongod_uri: str) -> None:
    settings = {"MONGODB_URI": mongod_uri, "MONGODB_DATABASE": "openapi_failing", "SYNC_START": "2017-08-17"}
    broken = ("--now", HALF_A_DAY_AFTER_THE_LISTING, "--frozen", "--garbage-rate", "1")
    with (
        running_simulator(*broken) as url,
        running_service(tmp_path / "log", **settings, **simulated_urls(url)) as service,
    ):
        address = f"http://127.0.0.1:{service.port}"
        operation = schemathesis.openapi.from_url(f"{address}/openapi.json")["/api/sync"]["POST"]
        bodies: list[dict[str, Any]] = [{"symbol": "BTCUSDT"}, {"symbols": ["BTCUSDT", "ETHUSDT"]}]
        for asked in bodies:
            case = operation.Case(body=asked, media_type="application/json")
            answer = case.call(base_url=address)
            assert answer.status_code in (502, 503)
            case.validate_response(answer, excluded_checks=[not_a_server_error])
