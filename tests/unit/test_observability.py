"""Prometheus and Grafana of the compose profile: their files, their queries, and how they are started."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from backend.core.follow import Source, State
from backend.core.job import OVER
from backend.errors import MarketDataError
from backend.telemetry.metrics import ALARM_OUTCOMES, ORDER_STATES, VISIT_ENDS
from tests.watching import ALERTS, ALERTS_FILE, DASHBOARD, DASHBOARD_FILE, DOCKER, asked, queries

ROOT = DOCKER.parent
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
PROFILE = ("prometheus", "grafana")
PROMETHEUS_FILE = DOCKER / "prometheus" / "prometheus.yml"
PROVISIONING = DOCKER / "grafana" / "provisioning"
DATASOURCES_FILE = PROVISIONING / "datasources" / "prometheus.yml"
PROVIDERS_FILE = PROVISIONING / "dashboards" / "dashboards.yml"

FILES = {
    "prometheus": PROMETHEUS_FILE,
    "alerts": ALERTS_FILE,
    "datasources": DATASOURCES_FILE,
    "providers": PROVIDERS_FILE,
    "dashboard": DASHBOARD_FILE,
}
"""Each file by the name of its schema in tests/schemas/."""


def panels() -> Iterable[dict[str, Any]]:
    """The panels that show something."""
    return (panel for panel in DASHBOARD["panels"] if panel["type"] != "row")


@pytest.mark.parametrize("schema", FILES)
def test_a_file_follows_its_schema(schema: str) -> None:
    schema_file = ROOT / "tests" / "schemas" / f"{schema}.json"
    result = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--schemafile", schema_file, FILES[schema]],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_file_of_prometheus_and_grafana_has_a_schema() -> None:
    folders = (DOCKER / "prometheus", DOCKER / "grafana")
    found = {path for folder in folders for path in folder.rglob("*") if path.is_file()}
    assert found == set(FILES.values())


# Queries


@pytest.mark.parametrize("place", queries())
def test_every_query_can_be_parsed(place: str) -> None:
    assert asked(queries()[place]).matched


def test_a_query_that_is_none_would_be_seen() -> None:
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        asked("sum by (exchange (up)")


def test_the_alerts_cover_what_deserves_attention() -> None:
    names = {rule["alert"] for rule in ALERTS}
    needed = {
        "SeriesLagging",
        "SeriesIncomplete",
        "FollowBehind",
        "FollowsInTrouble",
        "VenueRefusing",
        "DatabaseDown",
        "JobFailing",
        "ServiceDown",
    }
    assert needed <= names
    assert len(names) == len(ALERTS)


def test_an_alert_names_only_labels_that_its_query_keeps() -> None:
    """A query that groups has the labels it groups by, any other those of its metric and target."""
    for rule in ALERTS:
        told = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        found = asked(rule["expr"])
        assert told <= (found.grouped or {"instance", "job"}), rule["alert"]


def test_a_legend_names_only_labels_that_its_query_keeps() -> None:
    for panel in panels():
        for target in panel["targets"]:
            told = set(re.findall(r"{{(\w+)}}", target.get("legendFormat", "")))
            found = asked(target["expr"].replace("$__rate_interval", "5m"))
            assert told <= (found.grouped or {"instance", "job"}), panel["title"]


def test_outcomes_and_statuses_that_queries_name_are_ones_that_occur() -> None:
    known = {
        "outcome": {*VISIT_ENDS, *ALARM_OUTCOMES, *(kind.code for kind in kinds(MarketDataError))},
        "state": {*get_args(State), *ORDER_STATES},
        "source": set(get_args(Source)),
        "status": {"queued", "running", *OVER, "500", "4..", "5..", "cut"},
    }
    for place, query in queries().items():
        for label, value in re.findall(r'(outcome|status|state|source)[!=~]+"([^"]*)"', query):
            assert set(value.split("|")) <= known[label], place


def kinds(kind: type[MarketDataError]) -> Iterator[type[MarketDataError]]:
    """A kind of error and all below it."""
    yield kind
    for narrower in kind.__subclasses__():
        yield from kinds(narrower)


# The dashboard


def test_panels_have_numbers_of_their_own_and_do_not_overlap() -> None:
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)
    for one, two in combinations(DASHBOARD["panels"], 2):
        assert not overlap(one["gridPos"], two["gridPos"]), (one["title"], two["title"])


def overlap(one: Mapping[str, int], two: Mapping[str, int]) -> bool:
    beside = one["x"] + one["w"] <= two["x"] or two["x"] + two["w"] <= one["x"]
    below = one["y"] + one["h"] <= two["y"] or two["y"] + two["h"] <= one["y"]
    return not (beside or below)


def test_every_panel_asks_the_provisioned_prometheus() -> None:
    (source,) = yaml.safe_load(DATASOURCES_FILE.read_text())["datasources"]
    named = {panel["datasource"]["uid"] for panel in panels()}
    named |= {target["datasource"]["uid"] for panel in panels() for target in panel["targets"]}
    assert named == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"


# How they are started


@pytest.mark.parametrize("service", SERVICES)
def test_only_prometheus_grafana_and_the_tests_need_a_profile(service: str) -> None:
    expected = {name: ["observability"] for name in PROFILE} | {"test": ["test"]}
    assert SERVICES[service].get("profiles") == expected.get(service)


@pytest.mark.parametrize("service", PROFILE)
def test_images_are_pinned(service: str) -> None:
    assert re.fullmatch(r"[a-z]+/[a-z]+:v?\d+\.\d+\.\d+", SERVICES[service]["image"])


@pytest.mark.parametrize("service", PROFILE)
def test_neither_has_special_rights(service: str) -> None:
    assert SERVICES[service]["cap_drop"] == ["ALL"]
    assert not {"cap_add", "privileged", "user"} & set(SERVICES[service])


@pytest.mark.parametrize("service", PROFILE)
def test_files_of_ours_are_there_and_cannot_be_changed(service: str) -> None:
    ours = [volume for volume in SERVICES[service]["volumes"] if volume.startswith("./")]
    assert ours
    for volume in ours:
        path, _, rights = volume.split(":")
        assert (ROOT / path).exists()
        assert rights == "ro"


def test_prometheus_reads_the_mounted_rules_and_asks_the_service() -> None:
    config = yaml.safe_load(PROMETHEUS_FILE.read_text())
    inside = {volume.split(":")[1] for volume in SERVICES["prometheus"]["volumes"]}
    assert set(config["rule_files"]) <= inside
    assert "--config.file=/etc/prometheus/prometheus.yml" in SERVICES["prometheus"]["command"]
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert jobs["market-data"]["static_configs"] == [{"targets": ["backend:8888"]}]


def test_grafana_finds_its_dashboard_where_it_is_mounted() -> None:
    (provider,) = yaml.safe_load(PROVIDERS_FILE.read_text())["providers"]
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    folder = provider["options"]["path"]
    assert mounts["./docker/grafana/dashboards"] == folder
    assert mounts["./docker/grafana/provisioning"] == "/etc/grafana/provisioning"
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{folder}/{DASHBOARD_FILE.name}"


def start_grafana(tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Grafana's entrypoint as compose would, with a script in Grafana's place."""
    *shell, script = SERVICES["grafana"]["entrypoint"]
    server = tmp_path / "run.sh"
    server.write_text("#!/bin/sh\necho started\n")
    server.chmod(0o755)
    script = script.replace("$$", "$").replace("/run.sh", str(server))
    env = {"PATH": os.environ["PATH"], **environment}
    return subprocess.run([*shell, script], env=env, capture_output=True, text=True, check=False)


def test_grafana_refuses_to_start_without_a_password(tmp_path: Path) -> None:
    for environment in ({}, {"GF_SECURITY_ADMIN_PASSWORD": ""}):
        result = start_grafana(tmp_path, **environment)
        assert result.returncode == 1
        assert "Set GRAFANA_PASSWORD in .env" in result.stderr
        assert "started" not in result.stdout


def test_grafana_starts_with_a_password(tmp_path: Path) -> None:
    result = start_grafana(tmp_path, GF_SECURITY_ADMIN_PASSWORD="it's a $ecret")
    assert (result.returncode, result.stdout) == (0, "started\n")


def test_grafanas_password_comes_from_its_variable_and_has_no_default() -> None:
    assert SERVICES["grafana"]["environment"]["GF_SECURITY_ADMIN_PASSWORD"] == "${GRAFANA_PASSWORD:-}"
