"""Whether the database does what the service needs, on real mongods: what `/health/ready` and the log say."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from backend.app import open_service
from backend.clock import SystemClock
from backend.core.job import SyncRequest
from backend.errors import DatabaseUnavailable
from backend.services.ports import Member
from backend.services.service import Service
from backend.settings import load_settings
from backend.store.market.processes import MongoFleet
from backend.store.mongo import AWAY, STRANGER, connect, disconnect, is_connected
from tests.integration.mongods import OUT_OF_DISK_SPACE, Mongod, running_mongod
from tests.integration.processes import free_port, running_service
from tests.integration.stored import SERIES

PATIENCE = 60.0
PASSWORD = "dummy dummy/dummy"

FAILED = "the database could not write this process's own document"
MAY_NOT = f"{FAILED}: the user needs the role readWrite"
FULL = f"{FAILED}: its disk is full"


@pytest.fixture(scope="module")
def mongod(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mongod]:
    """It asks for passwords. A writer of `candles` is defined in `people`, a reader in `admin`."""
    folder = tmp_path_factory.mktemp("users")
    with running_mongod(folder) as first, MongoClient[dict[str, object]](first.uri) as client:
        roles = {"people": ("writer", "readWrite"), "admin": ("reader", "read")}
        for source, (user, role) in roles.items():
            client[source].command("createUser", user, pwd=PASSWORD, roles=[{"role": role, "db": "candles"}])
        client["admin"].command("createUser", "root", pwd=PASSWORD, roles=["root"])
    with running_mongod(folder, "--auth") as second:
        yield second


def settings_of(mongod: Mongod, user: str, **more: str) -> dict[str, str]:
    return {
        "MONGODB_HOST": "127.0.0.1",
        "MONGODB_PORT": str(mongod.port),
        "MONGODB_DATABASE": "candles",
        "MONGODB_USERNAME": user,
        "MONGODB_PASSWORD": PASSWORD,
        **more,
    }


@asynccontextmanager
async def service_with(settings: dict[str, str]) -> AsyncIterator[Service]:
    hurried = {"LEASE_SECONDS": "1", "DATABASE_TIMEOUT": "1"}
    async with open_service(load_settings(hurried | settings)) as service:
        yield service


async def until_trouble_is(service: Service, wanted: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while await service.running.database_trouble() != wanted:
            await SystemClock().sleep(0.05)


async def test_a_user_who_is_defined_elsewhere_can_do_the_work(mongod: Mongod) -> None:
    async with service_with(settings_of(mongod, "writer", MONGODB_AUTH_SOURCE="people")) as service:
        await until_trouble_is(service, "")


async def test_a_database_is_named_by_the_uri_alone(mongod: Mongod) -> None:
    uri = f"mongodb://writer:{PASSWORD.replace('/', '%2F')}@127.0.0.1:{mongod.port}/candles?authSource=people"
    async with service_with({"MONGODB_URI": uri}) as service:
        await until_trouble_is(service, "")


@pytest.mark.parametrize("wrong", [{"MONGODB_PASSWORD": "dummy-x"}, {"MONGODB_AUTH_SOURCE": "elsewhere"}])
async def test_a_refused_user_is_told_at_once_however_many_ask(
    mongod: Mongod, wrong: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    settings = {**settings_of(mongod, "reader"), **wrong}
    async with service_with(settings) as service:
        found = await asyncio.gather(
            service.running.database_trouble(),
            *(service.jobs.submit([SyncRequest(SERIES)]) for _ in range(20)),
            return_exceptions=True,
        )
        assert found[0] == STRANGER
        assert all(isinstance(one, DatabaseUnavailable) for one in found[1:])
        assert await service.running.database_trouble() == STRANGER
    [line] = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert "'reader'" in line
    assert settings.get("MONGODB_AUTH_SOURCE", "admin") in line
    assert settings["MONGODB_PASSWORD"] not in caplog.text


async def test_a_refused_user_is_told_so_by_each_operation_and_soon(mongod: Mongod) -> None:
    database = connect(f"mongodb://reader:dummy@127.0.0.1:{mongod.port}/", "candles", timeout=60.0)
    fleet = MongoFleet(database)
    async with asyncio.timeout(20):
        for _ in range(4):
            with pytest.raises(DatabaseUnavailable, match="refuses our user name or password"):
                await fleet.leave(Member("nobody", "", 1.0, works=True))
    await disconnect(database)


async def test_a_user_who_is_made_later_is_let_in(mongod: Mongod) -> None:
    async with service_with(settings_of(mongod, "late")) as service:
        await until_trouble_is(service, STRANGER)
        with MongoClient[dict[str, object]](mongod.uri, username="root", password=PASSWORD) as client:
            roles = [{"role": "readWrite", "db": "candles"}]
            client["admin"].command("createUser", "late", pwd=PASSWORD, roles=roles)
        await until_trouble_is(service, "")


async def test_a_user_who_may_only_read_makes_the_service_not_ready(mongod: Mongod) -> None:
    async with service_with(settings_of(mongod, "reader")) as service:
        assert await service.running.database_answers()
        await until_trouble_is(service, MAY_NOT)


async def test_a_full_disk_makes_it_not_ready_until_there_is_room(tmp_path: Path) -> None:
    with running_mongod(tmp_path) as mongod:
        async with service_with({"MONGODB_URI": mongod.uri}) as service:
            await until_trouble_is(service, "")
            mongod.fail(["findAndModify"], errorCode=OUT_OF_DISK_SPACE)
            await until_trouble_is(service, FULL)
            mongod.recover()
            await until_trouble_is(service, "")


async def test_a_database_that_is_frozen_makes_it_not_ready_until_it_wakes(tmp_path: Path) -> None:
    with running_mongod(tmp_path) as mongod:
        async with service_with({"MONGODB_URI": mongod.uri}) as service:
            await until_trouble_is(service, "")
            mongod.freeze()
            await until_trouble_is(service, AWAY)
            mongod.thaw()
            await until_trouble_is(service, "")


async def test_those_who_ask_at_once_are_told_of_one_try(tmp_path: Path) -> None:
    with running_mongod(tmp_path) as mongod:
        async with service_with({"MONGODB_URI": mongod.uri}) as service:
            await until_trouble_is(service, "")
            before = writes(mongod)
            assert set(await asyncio.gather(*(service.running.database_trouble() for _ in range(100)))) == {
                ""
            }
            assert writes(mongod) - before <= 1


def writes(mongod: Mongod) -> int:
    """How often the server was asked to find and write a document."""
    with MongoClient[dict[str, dict[str, dict[str, dict[str, int]]]]](mongod.uri) as client:
        status = client.admin.command("serverStatus")
    return int(status["metrics"]["commands"]["findAndModify"]["total"])


def test_over_http_a_wrong_password_is_503_with_the_sentence(mongod: Mongod, tmp_path: Path) -> None:
    settings = settings_of(mongod, "nobody")
    with running_service(tmp_path / "log", answers_at="/health/live", **settings) as service:
        status, body = service.call("/health/ready")
    assert (status, body["database"], body["troubles"]) == (503, "disconnected", [STRANGER])
    assert PASSWORD not in (tmp_path / "log").read_text()


async def test_a_server_that_comes_back_is_found_although_an_attempt_to_connect_hangs(tmp_path: Path) -> None:
    """A connection stays open and silent, as one to a machine that lost its power."""
    port = free_port()
    with socket.create_server(("127.0.0.1", port)) as silent:
        database = connect(f"mongodb://127.0.0.1:{port}/", "candles", timeout=2.0)
        assert not await is_connected(database, seconds=0.5)
        half, _ = silent.accept()
    with half, running_mongod(tmp_path, port=port):
        async with asyncio.timeout(12):
            while not await is_connected(database, seconds=0.5):
                await SystemClock().sleep(0.05)
    await disconnect(database)


@pytest.mark.parametrize(
    ("query", "timeout", "waits"),
    [
        ("", 10.0, (5.0, 2)),
        ("", 1.5, (1.5, 2)),
        ("?CONNECTTIMEOUTMS=9000&heartbeatFrequencyMS=7000", 1.5, (9.0, 7)),
    ],
)
async def test_what_a_uri_says_of_its_connections_counts(
    query: str, timeout: float, waits: tuple[float, int]
) -> None:
    database = connect(f"mongodb://127.0.0.1:9/{query}", "candles", timeout)
    options: Any = database.client.options
    assert (options.pool_options.connect_timeout, options.heartbeat_frequency) == waits
    await disconnect(database)
