"""What the image and the compose file promise: addresses, ports, secrets, health. No Docker is needed."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address, ip_network
from pathlib import Path
from runpy import run_path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from dotenv import dotenv_values

from backend.formats.whole_columns import MOST_WAITING
from backend.settings import SETTINGS, load_settings
from backend.web.server.files import ROOM

ROOT = Path(__file__).parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
MONGODB: dict[str, Any] = COMPOSE["services"]["mongodb"]
BACKEND: dict[str, Any] = COMPOSE["services"]["backend"]
STAYING = [name for name in COMPOSE["services"] if name != "test"]
"""The services that stay; the tests end."""
NETWORK: dict[str, Any] = COMPOSE["networks"]["cripto_net"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
_STAGES = re.split(r"^(?=FROM )", DOCKERFILE, flags=re.MULTILINE)
SERVICE = _STAGES[1] + _STAGES[-1]
"""What the service's own image is made by: the packages and the last stage."""
DOTENV_EXAMPLE = ROOT / ".env.example"
HEALTHCHECK = ROOT / "docker" / "healthcheck.py"
DATABASE_CHECK = ROOT / "docker" / "mongodb" / "healthcheck.sh"
DATABASE_START = ROOT / "docker" / "mongodb" / "start.sh"
ADDRESSES = {
    "mongodb": "192.168.31.10",
    "backend": "192.168.31.11",
    "prometheus": "192.168.31.12",
    "grafana": "192.168.31.13",
}
VARIABLE = re.compile(r"\$\{(\w+)")
CREDENTIALS = {
    "MONGODB_ROOT_USERNAME": "root",
    "MONGODB_ROOT_PASSWORD": "another password",
    "MONGODB_USERNAME": "someone",
    "MONGODB_PASSWORD": "a password",
}
NAMES = [setting.name for setting in SETTINGS]
ROOT_NAMES = ["MONGODB_ROOT_USERNAME", "MONGODB_ROOT_PASSWORD"]
"""MongoDB's root user: compose's business, the service never sees it."""
COMPOSE_ALONE = [
    *("MONGODB_CACHE_GB", "MONGODB_PUBLISHED_PORT", "OPEN_FILES", "NETWORK_NAME", "NETWORK_PREFIX"),
    *("PROMETHEUS_PORT", "GRAFANA_PORT", "GRAFANA_PASSWORD"),
]
"""What else compose takes and the service does not."""


def instructions(keyword: str, text: str = DOCKERFILE) -> list[str]:
    """The arguments of each such line of the Dockerfile, continued lines joined."""
    lines = text.replace("\\\n", " ").splitlines()
    return [" ".join(line.split()[1:]) for line in lines if line.startswith(f"{keyword} ")]


def example_lines() -> list[tuple[str, str, str]]:
    """Comment mark, name and value of each setting in `.env.example`."""
    found = re.findall(r"^(#?)([A-Z][A-Z0-9_]*)=(.*)$", DOTENV_EXAMPLE.read_text(), re.MULTILINE)
    return [line for line in found if line[1] not in COMPOSE_ALONE]


def settings_shown() -> list[tuple[str, str, str]]:
    """The lines of `.env.example` that are settings of the service."""
    return [line for line in example_lines() if line[1] not in ROOT_NAMES]


def with_defaults(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The values that compose takes where no variable is set."""
    return {name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", str(value)) for name, value in mapping.items()}


def published(service: Mapping[str, Any]) -> list[str]:
    """The ports of a service, where no variable is set."""
    return list(with_defaults({str(port): port for port in service["ports"]}).values())


def run(*command: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


# The compose file: network


def test_the_network_has_its_name_and_its_subnet() -> None:
    assert with_defaults(NETWORK)["name"] == "cripto_net"
    assert NETWORK["driver"] == "bridge"
    assert [with_defaults(one) for one in NETWORK["ipam"]["config"]] == [
        {"subnet": "192.168.31.0/24", "gateway": "192.168.31.1", "ip_range": "192.168.31.128/25"}
    ]


@pytest.mark.parametrize(("service", "address"), ADDRESSES.items())
def test_each_service_has_its_fixed_address_in_the_subnet(service: str, address: str) -> None:
    assert with_defaults(COMPOSE["services"][service]["networks"]["cripto_net"]) == {"ipv4_address": address}
    (pool,) = map(with_defaults, NETWORK["ipam"]["config"])
    assert ip_address(address) in ip_network(pool["subnet"])
    assert ip_address(address) not in ip_network(pool["ip_range"]), "the engine could give it to another"


def test_the_database_is_published_on_21018() -> None:
    assert published(MONGODB) == ["127.0.0.1:21018:27017"]


def test_the_backend_is_published_on_the_server_port_of_the_host() -> None:
    assert published(BACKEND) == ["127.0.0.1:8888:8888"]


@pytest.mark.parametrize("service", STAYING)
def test_every_port_is_published_on_loopback_only(service: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in published(COMPOSE["services"][service]))


# The compose file: start, health and stop


@pytest.mark.parametrize("service", STAYING)
def test_a_service_restarts_unless_it_was_stopped(service: str) -> None:
    assert COMPOSE["services"][service]["restart"] == "unless-stopped"


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_the_log_of_a_service_cannot_fill_the_disk(service: str) -> None:
    assert COMPOSE["services"][service]["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


def test_a_worker_is_a_backend_without_a_door_that_runs_when_it_is_asked_for() -> None:
    worker = COMPOSE["services"]["worker"]
    own = {"scale": 0, "ports": [], "networks": {"cripto_net": {}}}
    assert worker == BACKEND | own | {"environment": BACKEND["environment"] | {"ROLE": "worker"}}


def test_the_backend_waits_for_a_healthy_database() -> None:
    assert BACKEND["depends_on"] == {"mongodb": {"condition": "service_healthy"}}


def test_the_database_check_asks_a_server_that_answers(mongod_uri: str) -> None:
    assert MONGODB["healthcheck"]["test"] == ["CMD", "bash", "/setup/healthcheck.sh"]
    host, port = urlsplit(mongod_uri).hostname or "", urlsplit(mongod_uri).port
    assert run("bash", DATABASE_CHECK, host, str(port)).returncode == 0


def test_the_database_check_says_no_where_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        assert run("bash", DATABASE_CHECK, "127.0.0.1", str(unused.getsockname()[1])).returncode != 0


def test_the_database_check_says_no_where_something_else_listens() -> None:
    with health_server(200) as port:
        assert run("bash", DATABASE_CHECK, "127.0.0.1", str(port)).returncode != 0


def test_the_database_check_does_not_mistake_the_temporary_first_server_for_the_real_one() -> None:
    """That one listens on localhost alone."""
    assert "${1:-mongodb}" in DATABASE_CHECK.read_text()


def test_the_backend_has_time_to_finish_its_work_when_it_is_stopped() -> None:
    assert BACKEND["stop_grace_period"] == "15s"


def test_the_data_of_the_database_is_in_a_named_volume() -> None:
    assert MONGODB["volumes"][:2] == ["mongodb_data:/data/db", "mongodb_config:/data/configdb"]
    assert {"mongodb_data", "mongodb_config"} <= set(COMPOSE["volumes"])


def test_the_database_makes_the_services_user_when_it_is_new() -> None:
    assert MONGODB["volumes"][2:] == ["./docker/mongodb:/setup:ro"]
    assert MONGODB["entrypoint"] == ["bash", "/setup/start.sh"]


# The compose file: images, settings and rights


def test_the_database_is_mongodb_8_0() -> None:
    assert MONGODB["image"] == "mongo:8.0"


def test_the_backend_is_built_from_this_folder() -> None:
    assert BACKEND["build"] == "."
    assert BACKEND["image"] == COMPOSE["services"]["worker"]["image"] == "market-data-service"


@pytest.mark.parametrize(
    ("service", "variable", "source"),
    [
        ("mongodb", "MONGO_INITDB_ROOT_USERNAME", "MONGODB_ROOT_USERNAME"),
        ("mongodb", "MONGO_INITDB_ROOT_PASSWORD", "MONGODB_ROOT_PASSWORD"),
        ("mongodb", "MONGODB_USERNAME", "MONGODB_USERNAME"),
        ("mongodb", "MONGODB_PASSWORD", "MONGODB_PASSWORD"),
        ("backend", "MONGODB_USERNAME", "MONGODB_USERNAME"),
        ("backend", "MONGODB_PASSWORD", "MONGODB_PASSWORD"),
    ],
)
def test_user_and_password_are_required(service: str, variable: str, source: str) -> None:
    value = COMPOSE["services"][service]["environment"][variable]
    assert re.fullmatch(rf"\$\{{{source}:\?[^}}]+\}}", value)


def test_the_compose_file_takes_only_variables_that_are_settings() -> None:
    assert set(VARIABLE.findall(COMPOSE_FILE.read_text())) <= {*NAMES, *ROOT_NAMES, *COMPOSE_ALONE}


def test_the_backend_gets_every_setting_but_the_folder_of_the_embedded_database() -> None:
    assert list(BACKEND["environment"]) == [name for name in NAMES if name != "DATA_DIR"]


def test_a_setting_of_the_backend_comes_from_the_variable_of_the_same_name() -> None:
    taken = {name: VARIABLE.findall(value) for name, value in BACKEND["environment"].items()}
    assert taken == {
        name: [] if name in ("SERVER_ADDRESS", "SERVER_PORT") else [name] for name in BACKEND["environment"]
    }


def test_the_defaults_of_the_compose_file_suit_the_service() -> None:
    defaults = {
        name: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for name, value in BACKEND["environment"].items()
    }
    settings = load_settings({**defaults, **CREDENTIALS})
    assert settings.database_uri == "mongodb://someone:a+password@mongodb:27017/?authSource=admin"
    assert settings.mongodb_database == "binance_data"
    assert (settings.server_address, settings.server_port) == ("0.0.0.0", 8888)
    assert settings.log_level == "INFO"
    assert settings.server_names == {"backend"}


def test_the_backend_cannot_change_its_files() -> None:
    assert BACKEND["read_only"] is True
    [folder] = BACKEND["tmpfs"]
    assert folder.startswith("/tmp:")


def test_what_waits_in_temporary_files_fits_into_the_folder() -> None:
    """A folder without a size takes half of the memory."""
    size = re.fullmatch(r"/tmp:size=([0-9]+)m", BACKEND["tmpfs"][0])
    assert size
    assert int(size[1]) << 20 > MOST_WAITING + ROOM


def test_the_backend_has_no_special_rights() -> None:
    assert BACKEND["cap_drop"] == ["ALL"]
    assert not {"cap_add", "privileged", "user"} & set(BACKEND)


@pytest.mark.parametrize("service", COMPOSE["services"])
def test_a_service_cannot_gain_rights(service: str) -> None:
    assert COMPOSE["services"][service]["security_opt"] == ["no-new-privileges:true"]


# The compose file: what the tools say


def test_the_compose_file_follows_the_specification() -> None:
    command = (
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        COMPOSE_FILE,
    )
    result = run(*command)
    assert result.returncode == 0, result.stdout + result.stderr


def compose_config(tmp_path: Path, variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run `docker-compose config` with these variables and no others, whatever a developer's `.env` holds."""
    command = shutil.which("docker-compose")
    if command is None:
        pytest.skip("the command docker-compose is not installed")
    dotenv = tmp_path / "variables.env"
    dotenv.write_text("".join(f"{name}='{value}'\n" for name, value in variables.items()))
    outside = {name: value for name, value in os.environ.items() if name not in (*NAMES, *ROOT_NAMES)}
    return run(command, "--env-file", dotenv, "-f", COMPOSE_FILE, "config", env=outside)


@pytest.mark.parametrize("missing", CREDENTIALS)
def test_compose_refuses_to_start_without_user_or_password(tmp_path: Path, missing: str) -> None:
    result = compose_config(tmp_path, {name: CREDENTIALS[name] for name in CREDENTIALS if name != missing})
    assert result.returncode != 0
    assert f"Set {missing} in .env" in result.stderr


def test_compose_refuses_an_empty_password(tmp_path: Path) -> None:
    assert compose_config(tmp_path, {**CREDENTIALS, "MONGODB_PASSWORD": ""}).returncode != 0


def test_compose_resolves_the_addresses(tmp_path: Path) -> None:
    result = compose_config(tmp_path, CREDENTIALS)
    assert result.returncode == 0, result.stderr
    services = yaml.safe_load(result.stdout)["services"]
    addresses = {name: service["networks"]["cripto_net"] for name, service in services.items()}
    assert addresses == {"worker": {}, "test": {}} | {
        name: {"ipv4_address": address} for name, address in ADDRESSES.items()
    }


def test_compose_gives_both_services_the_same_user(tmp_path: Path) -> None:
    services = yaml.safe_load(compose_config(tmp_path, CREDENTIALS).stdout)["services"]
    database, backend = services["mongodb"]["environment"], services["backend"]["environment"]
    for name in ("MONGODB_USERNAME", "MONGODB_PASSWORD"):
        assert database[name] == backend[name]
    assert database["MONGODB_DATABASE"] == load_settings(backend).mongodb_database
    assert (backend["MONGODB_USERNAME"], backend["MONGODB_PASSWORD"]) == ("someone", "a password")


def test_compose_keeps_the_root_user_from_the_service(tmp_path: Path) -> None:
    services = yaml.safe_load(compose_config(tmp_path, CREDENTIALS).stdout)["services"]
    assert services["mongodb"]["environment"]["MONGO_INITDB_ROOT_USERNAME"] == "root"
    assert services["mongodb"]["environment"]["MONGO_INITDB_ROOT_PASSWORD"] == "another password"
    assert "another password" not in str(services["backend"])


def test_compose_moves_only_the_port_of_the_host(tmp_path: Path) -> None:
    result = compose_config(tmp_path, {**CREDENTIALS, "SERVER_PORT": "9000"})
    backend = yaml.safe_load(result.stdout)["services"]["backend"]
    assert backend["ports"] == ["127.0.0.1:9000:8888/tcp"]
    assert backend["environment"]["SERVER_PORT"] == "8888"


def test_compose_accepts_the_example_as_it_is(tmp_path: Path) -> None:
    values = {name: value or "" for name, value in dotenv_values(DOTENV_EXAMPLE).items()}
    assert compose_config(tmp_path, values).returncode == 0


# The Dockerfile


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    result = run(Path(sys.executable).with_name("hadolint"), "Dockerfile")
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_base_image_is_a_slim_python_3_13_by_digest() -> None:
    (base,) = re.findall(r"^ARG PYTHON_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert re.fullmatch(r"python:3\.13-slim-trixie@sha256:[0-9a-f]{64}", base)


def test_the_services_image_is_the_last_so_that_a_plain_build_makes_it() -> None:
    stages = ["${PYTHON_IMAGE} AS packages", "packages AS test", "packages AS service"]
    assert instructions("FROM") == stages


def test_no_image_runs_as_root() -> None:
    assert instructions("USER") == ["10001:10001", "10001:10001"]


INSTALLED = ["requirements.txt", "requirements-extended.txt"]


def test_the_image_installs_the_pinned_requirements_and_no_others() -> None:
    assert re.findall(r"\S*requirements\S*", " ".join(instructions("RUN", SERVICE))) == INSTALLED
    texts = [(ROOT / name).read_text() for name in INSTALLED]
    lines = [re.sub("#.*", "", line).strip() for text in texts for line in text.splitlines()]
    assert all(re.match(r"[\w.-]+==\S+", line) for line in lines if line)


def test_the_image_has_no_embedded_database() -> None:
    assert "fiftyone" not in (ROOT / "requirements.txt").read_text()


def test_the_image_holds_only_what_it_runs() -> None:
    assert instructions("COPY", SERVICE) == [
        "requirements.txt requirements-extended.txt ./",
        "docker/healthcheck.py docker/",
        "backend/ backend/",
    ]
    assert not instructions("ADD", SERVICE)


def test_the_files_of_the_image_can_be_read_whatever_umask_the_checkout_was_made_under() -> None:
    assert instructions("RUN", SERVICE)[-1] == "chmod -R a+rX /app"


def test_a_change_of_code_does_not_install_the_packages_again() -> None:
    assert DOCKERFILE.index("pip install") < DOCKERFILE.index("COPY backend/")


def test_the_build_is_sent_neither_secrets_nor_data() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", "data", ".git"} <= set(lines)


def test_the_image_serves_at_8888_on_all_addresses() -> None:
    assert instructions("CMD", SERVICE) == ['["python", "-m", "backend", "serve"]']
    assert instructions("EXPOSE") == ["8888"]
    assert "SERVER_ADDRESS=0.0.0.0" in instructions("ENV")[0]


def test_python_in_the_image_writes_no_bytecode_and_holds_no_output_back() -> None:
    assert {"PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1"} <= set(instructions("ENV")[0].split())


def test_the_image_checks_its_health_without_curl_or_wget() -> None:
    (check,) = instructions("HEALTHCHECK", SERVICE)
    assert check.endswith('CMD ["python", "/app/docker/healthcheck.py"]')
    assert not re.search("curl|wget", SERVICE)


# .env.example


def test_the_example_names_exactly_the_settings_in_their_order() -> None:
    assert [name for _, name, _ in example_lines()] == ROOT_NAMES + NAMES


def test_the_example_shows_the_defaults_commented_out() -> None:
    shown = {name: value for mark, name, value in settings_shown() if mark}
    assert shown == {setting.name: setting.default for setting in SETTINGS if setting.name not in CREDENTIALS}


def test_the_example_names_what_compose_alone_takes_at_its_end() -> None:
    lines = DOTENV_EXAMPLE.read_text().splitlines()
    rest = lines[lines.index(f"#{NAMES[-1]}={SETTINGS[-1].default}") + 1 :]
    assert re.findall(r"^#(\w+)=", "\n".join(rest), re.MULTILINE) == COMPOSE_ALONE


def test_the_example_sets_only_users_and_passwords() -> None:
    assert dict(dotenv_values(DOTENV_EXAMPLE)) == {
        "MONGODB_ROOT_USERNAME": "root",
        "MONGODB_ROOT_PASSWORD": "change-me-first",
        "MONGODB_USERNAME": "market_data",
        "MONGODB_PASSWORD": "change-me",
    }


def test_without_docker_the_example_leaves_the_embedded_database_in_use() -> None:
    values = {name: value or "" for name, value in dotenv_values(DOTENV_EXAMPLE).items()}
    assert load_settings(values).database_uri is None


# The health check of the image


@contextmanager
def health_server(status: int) -> Iterator[int]:
    """A server that gives /health/ready this status, and 404 to all else; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def check_health(port: int, seconds: float = 10) -> int:
    env = {**os.environ, "SERVER_PORT": str(port)}
    return run(sys.executable, HEALTHCHECK, str(seconds), env=env).returncode


def test_a_healthy_service_passes_the_check() -> None:
    with health_server(200) as port:
        assert check_health(port) == 0


def test_a_proxy_does_not_come_between_the_check_and_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with health_server(200) as port:
        assert check_health(port) == 0


def test_an_unhealthy_service_fails_the_check() -> None:
    with health_server(503) as port:
        assert check_health(port) == 1


def test_a_service_that_does_not_listen_fails_the_check() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert check_health(taken.getsockname()[1]) == 1


def test_a_service_that_never_answers_fails_the_check() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert check_health(silent.getsockname()[1], seconds=0.2) == 1


def test_a_server_that_does_not_speak_http_fails_the_check() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def greet() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"not HTTP\r\n\r\n")

        thread = Thread(target=greet)
        thread.start()
        assert check_health(server.getsockname()[1]) == 1
        thread.join()


def test_the_check_uses_only_the_standard_library() -> None:
    modules = re.findall(r"^(?:import|from) (\w+)", HEALTHCHECK.read_text(), re.MULTILINE)
    assert set(modules) <= sys.stdlib_module_names


def test_the_check_gives_up_before_docker_does() -> None:
    patience = re.search(r"--timeout=(\d+)s", instructions("HEALTHCHECK")[0])
    assert patience
    assert run_path(str(HEALTHCHECK))["DEFAULT_SECONDS"] < int(patience[1])
