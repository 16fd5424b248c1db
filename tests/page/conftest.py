"""One browser, one service and one set of simulated exchanges for the tests of a module.

They end with their module: while Playwright runs, no other event loop can, and other tests need theirs.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, Page
from pymongo import MongoClient

from tests.conftest import simulated_urls
from tests.integration.processes import RunningService, running_service, running_simulator
from tests.page.browser import Watch, opened, running_browser

NOW = "2025-06-03T01:00:30Z"
"""Where the exchanges' clock stands still."""

Opener = Callable[..., AbstractContextManager[tuple[Page, Watch]]]


@pytest.fixture(scope="module")
def exchanges() -> Iterator[str]:
    """The base URL of simulated exchanges."""
    with running_simulator("--now", NOW, "--frozen", "--no-limit") as url:
        yield url


@pytest.fixture(scope="module")
def service(
    exchanges: str, mongod_uri: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningService]:
    """A service with nothing stored."""
    name = f"page_{uuid4().hex}"
    log = tmp_path_factory.mktemp("page") / "log"
    settings = {**simulated_urls(exchanges), "MONGODB_URI": mongod_uri, "MONGODB_DATABASE": name}
    with running_service(log, **settings, LIVE="rest") as running:
        yield running
    with MongoClient[dict[str, object]](mongod_uri) as client:
        client.drop_database(name)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_browser() as found:
        yield found


@pytest.fixture
def open_page(browser: Browser, service: RunningService) -> Opener:
    """`with open_page(theme="dark", width=360) as (page, watch)`."""
    return partial(opened, browser, f"http://127.0.0.1:{service.port}")


def have(exchanges: str, path: str, **changes: object) -> None:
    """Change faults or the clock of the exchanges."""
    request = urllib.request.Request(exchanges + path, data=json.dumps(changes).encode(), method="POST")
    urllib.request.urlopen(request, timeout=10).close()
