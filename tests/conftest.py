"""Shared fixtures: a real mongod for the whole run, a simulated exchange and a service for each test.

Async tests are plain coroutines that pytest-tornasync runs on the `io_loop` fixture; fixtures stay
synchronous and use `io_loop.run_sync`. Examples of property tests may take as long as a busy machine takes;
`make test` draws few of them, `make test-all` all (`--hypothesis-profile=thorough`).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from urllib.parse import quote_plus
from uuid import uuid4

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pymongo import MongoClient
from tornado.ioloop import IOLoop
from tornado.web import Application

from backend.app import open_service
from backend.clock import Clock, SystemClock, parse_time
from backend.services.service import Service
from backend.settings import Settings, load_settings
from backend.store.embedded import EmbeddedMongod
from backend.store.mongo import Database, connect, disconnect
from backend.web.routes import make_application
from tests.examples import QUICK, THOROUGH
from tests.simulator import Simulator, SimulatorClock

hypothesis_settings.register_profile(
    "thorough", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=THOROUGH
)
hypothesis_settings.register_profile("quick", hypothesis_settings.get_profile("thorough"), max_examples=QUICK)
hypothesis_settings.load_profile("quick")

NOW = parse_time("2025-06-02T01:00:30Z")
"""What the simulated exchange's clock shows: 1,500 closed minutes after the default start of a sync."""


LONG = ("tests/integration/", "tests/page/", "tests/contract/test_lies.py")
"""What drives processes or a browser, or asks for minutes of work: `make test-all` runs it."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where a test lies says whether it is long, so that no test has to say it."""
    root = Path(__file__).parents[1]
    for item in items:
        if str(item.path.relative_to(root)).startswith(LONG):
            item.add_marker(pytest.mark.long)


class ImpatientClock(SystemClock):
    """Real time, but a wait before another try takes a twentieth of it."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / 20)


@pytest.fixture(scope="session")
def mongod_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real MongoDB server: the one that TEST_MONGODB_HOST names, or one that is started once a run."""
    if named := os.environ.get("TEST_MONGODB_HOST"):
        user, password = (quote_plus(os.environ[f"TEST_MONGODB_{part}"]) for part in ("USERNAME", "PASSWORD"))
        yield f"mongodb://{user}:{password}@{named}:27017/?authSource=admin"
        return
    mongod = EmbeddedMongod(tmp_path_factory.mktemp("mongod"))
    uri = mongod.start()
    with MongoClient[dict[str, object]](uri) as client:
        # Tests live at past times. The server knows only today's, and would now and then remove what they
        # wrote as too old.
        client.admin.command("setParameter", 1, ttlMonitorEnabled=False)
    yield uri
    mongod.stop()


@pytest.fixture
def io_loop() -> Iterator[IOLoop]:
    """The loop that pytest-tornasync runs a test's coroutine on."""
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        asyncio.set_event_loop(loop)

        async def current() -> IOLoop:
            return IOLoop.current()

        yield loop.run_until_complete(current())
        asyncio.set_event_loop(None)


@pytest.fixture
def database(mongod_uri: str, io_loop: IOLoop) -> Iterator[Database]:
    """An empty database of the test's own."""
    found = connect(mongod_uri, f"test_{uuid4().hex}")
    yield found
    io_loop.run_sync(lambda: _drop(found))


@pytest.fixture
def simulator(io_loop: IOLoop) -> Iterator[Simulator]:
    """Exchanges whose clock stands still at NOW."""
    simulated = Simulator(clock=SimulatorClock(NOW, frozen=True))
    io_loop.run_sync(simulated.start)
    yield simulated
    io_loop.run_sync(simulated.stop)


def simulated_urls(url: str) -> dict[str, str]:
    """Settings that point every exchange at the simulator."""
    names = ("BINANCE_SPOT_URL", "BINANCE_PERPETUAL_URL", "BITGET_URL", "BINGX_URL")
    return {**dict.fromkeys(names, url), "EXTENDED_URL": f"{url}/api/v1"}


@pytest.fixture
def settings(mongod_uri: str, database: Database, simulator: Simulator, tmp_path: Path) -> Settings:
    """Settings that point at the simulated exchange and the test's own database."""
    return load_settings(
        {
            "MONGODB_URI": mongod_uri,
            "MONGODB_DATABASE": database.name,
            **simulated_urls(simulator.url),
            "DATA_DIR": str(tmp_path / "data"),
        }
    )


@pytest.fixture
def clock() -> Clock:
    """The service's clock."""
    return ImpatientClock()


@pytest.fixture
def service(settings: Settings, clock: Clock, io_loop: IOLoop) -> Iterator[Service]:
    """The service itself, composed as in production."""
    stack = AsyncExitStack()
    yield io_loop.run_sync(lambda: stack.enter_async_context(open_service(settings, clock)))
    io_loop.run_sync(stack.aclose)


@pytest.fixture
def app(service: Service) -> Application:
    """What pytest-tornasync's `http_server_client` talks to."""
    return make_application(service)


async def _drop(database: Database) -> None:
    await database.client.drop_database(database.name)
    await disconnect(database)
