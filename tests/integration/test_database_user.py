"""The user that `docker/mongodb/service-user.js` makes, on a real mongod that asks for passwords.

There is no mongosh here: the document that the script hands to `createUser` is read out of the script itself.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from backend.settings import load_settings
from tests.conftest import simulated_urls
from tests.integration.mongods import Mongod, running_mongod
from tests.integration.processes import RunningService, running_service, running_simulator

SCRIPT = (Path(__file__).parents[2] / "docker" / "mongodb" / "service-user.js").read_text()
UNAUTHORIZED = 13

Client = MongoClient[dict[str, Any]]

ENVIRONMENT = {
    "MONGODB_USERNAME": "market data",
    "MONGODB_PASSWORD": "p@ss/w:rd \"%'",
    "MONGODB_DATABASE": "candles",
}


def created_user(environment: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """The database in which the script makes the user, and what it hands to `createUser`."""
    [(database, document)] = re.findall(
        r'^db\.getSiblingDB\("(\w+)"\)\.createUser\((\{.*?\})\);$', SCRIPT, re.MULTILINE | re.DOTALL
    )
    filled = re.sub(r"process\.env\.(\w+)", lambda found: json.dumps(environment[found[1]]), document)
    return database, yaml.safe_load(filled)


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """As in the image: users are made by a first server without authentication, the second one asks."""
    folder = tmp_path_factory.mktemp("users")
    with running_mongod(folder) as first, Client(first.uri) as client:
        client.admin.command("createUser", "root", pwd="root's own", roles=["root"])
        database, user = created_user(ENVIRONMENT)
        client[database].command("createUser", user["user"], pwd=user["pwd"], roles=user["roles"])
        client["somebody_elses"]["secrets"].insert_one({"_id": 1})
    with running_mongod(folder, "--auth") as second:
        yield second


def settings_of(mongod: Mongod, **more: str) -> dict[str, str]:
    return {"MONGODB_HOST": "127.0.0.1", "MONGODB_PORT": str(mongod.port), **ENVIRONMENT, **more}


@pytest.fixture
def client(mongod: Mongod) -> Iterator[Client]:
    """Who has logged in as the service does."""
    uri = load_settings(settings_of(mongod)).database_uri
    with Client(uri) as found:
        yield found


def test_the_script_makes_one_user_with_one_role() -> None:
    database, user = created_user(ENVIRONMENT)
    assert database == "admin"
    assert user == {
        "user": "market data",
        "pwd": ENVIRONMENT["MONGODB_PASSWORD"],
        "roles": [{"role": "readWrite", "db": "candles"}],
    }


def test_the_user_reads_and_writes_the_services_database(client: Client) -> None:
    client["candles"]["numbers"].insert_one({"_id": 7})
    assert client["candles"]["numbers"].find_one() == {"_id": 7}
    assert client.list_database_names() == ["candles"]


FORBIDDEN: dict[str, Callable[[Client], object]] = {
    "read another database": lambda client: client["somebody_elses"]["secrets"].find_one(),
    "write another database": lambda client: client["somebody_elses"]["secrets"].insert_one({}),
    "drop another database": lambda client: client.drop_database("somebody_elses"),
    "make another database": lambda client: client["fresh"]["numbers"].insert_one({}),
    "read the users": lambda client: client["admin"]["system.users"].find_one(),
    "make a user": lambda client: client["admin"].command("createUser", "x", pwd="x", roles=["root"]),
    "make a user of its own database": lambda client: client["candles"].command(
        "createUser", "x", pwd="x", roles=["dbOwner"]
    ),
    "become root": lambda client: client["admin"].command(
        "grantRolesToUser", ENVIRONMENT["MONGODB_USERNAME"], roles=["root"]
    ),
    "stop the server": lambda client: client["admin"].command("shutdown"),
    "read the server's log": lambda client: client["admin"].command("getLog", "global"),
    "write local": lambda client: client["local"]["numbers"].insert_one({}),
    "write config": lambda client: client["config"]["numbers"].insert_one({}),
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_the_user_may_not(client: Client, what: str) -> None:
    with pytest.raises(OperationFailure) as caught:
        FORBIDDEN[what](client)
    assert caught.value.code == UNAUTHORIZED


def test_a_wrong_password_lets_nobody_in(mongod: Mongod) -> None:
    settings = settings_of(mongod) | {"MONGODB_PASSWORD": "root's own"}
    with (
        Client(load_settings(settings).database_uri) as stranger,
        pytest.raises(OperationFailure, match="Authentication failed"),
    ):
        stranger["candles"]["numbers"].find_one()


def used(service: RunningService) -> dict[str, int]:
    """The status of each of the service's answers that needs the database."""
    whole = {"symbol": "BTCUSDT"}
    part = whole | {"start_time": "2025-06-01", "end_time": "2025-06-01T00:59:00Z"}
    statuses = {
        "sync": service.call("/api/sync", part)[0],
        "again": service.call("/api/sync", part | {"refresh": True})[0],
        "verify": service.call("/api/verify", whole)[0],
    }
    for name in ("data", "stats", "coverage", "revisions"):
        statuses[name] = service.call(f"/api/{name}/BTCUSDT")[0]
    for name in ("jobs", "series", "symbols"):
        statuses[name] = service.call(f"/api/{name}")[0]
    return statuses | {"ready": service.call("/health/ready")[0]}


def test_the_service_can_do_all_its_work_as_that_user(mongod: Mongod, tmp_path: Path) -> None:
    with (
        running_simulator("--now", "2025-06-02T01:00:30Z") as url,
        running_service(tmp_path / "log", **settings_of(mongod, **simulated_urls(url))) as service,
    ):
        statuses = used(service)
    assert statuses == dict.fromkeys(statuses, 200)
