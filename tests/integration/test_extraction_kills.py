"""The service is killed again and again while it extracts a history; in the end it has all of it."""

from __future__ import annotations

import asyncio
import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from random import Random
from typing import Any

import pytest
from cryptography.fernet import Fernet

from backend.clock import SystemClock
from backend.store.mongo import Database
from tests.integration.processes import PATIENCE, RunningService
from tests.integration.test_extraction_of_simulated_accounts import HISTORIES, ids_of
from tests.simulator import SimulatorClock
from tests.simulator.private.book import Facts
from tests.simulator.private.generator import generated
from tests.simulator.private.rows import Product
from tests.simulator.private.running import PrivateSimulator, private_simulator
from tests.simulator.times import DAY, MINUTE
from tests.web.trading import ADMIN

pytestmark = pytest.mark.timeout(1200)

ROUNDS = int(os.environ.get("KILL_ROUNDS", "4"))
DAYS = 4 + ROUNDS
PRODUCTS = [Product.SPOT, Product.USDT]
UNDERWAY = ("queued", "running")


def ask(service: RunningService, path: str, body: object = None) -> Any:
    """What a GET, or a POST with a body, is answered with."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{service.port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"X-Api-Key": ADMIN},
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from None


def begin(service: RunningService, simulator: PrivateSimulator) -> str:
    """Add the account and begin its extraction, whose id this is."""
    key, secret, passphrase = simulator.keys
    keys = {"key": key, "secret": secret, "passphrase": passphrase}
    ask(service, "/accounts", {"venue": "bitget", "mode": "live", **keys})
    asked = ask(service, "/extract-orders", {"since": simulator.book.facts.registered, "products": PRODUCTS})
    begun: str = asked["extraction"]["id"]
    return begun


async def until_further(service: RunningService, extraction: str, steps: int) -> dict[str, Any]:
    """The extraction when it has asked `steps` questions more than now, or is over."""
    wanted: int | None = None
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await asyncio.to_thread(ask, service, f"/extract-orders/{extraction}")
            told: dict[str, Any] = found["extraction"]
            wanted = told["requests"] + steps if wanted is None else wanted
            if told["status"] not in UNDERWAY or told["requests"] >= wanted:
                return told
            await asyncio.sleep(0.02)


def ids(service: RunningService, path: str) -> list[str]:
    """The ids of all rows of a history."""
    rows, name = HISTORIES[path]
    found: list[str] = []
    after = ""
    while True:
        page = ask(service, f"{path}?limit=1000{after}")
        found += [row[name] for row in page[rows]]
        if page["next"] is None:
            return found
        after = f"&after={page['next']}"


async def test_killed_at_random_points_an_extraction_still_ends_with_the_whole_history(
    tmp_path: Path, mongod_uri: str, database: Database
) -> None:
    """kill -9 of the service, KILL_ROUNDS times (`make soak`: 50), each some questions after it went on."""
    chance, now = Random(7), SystemClock().now() - 10 * MINUTE
    facts = Facts(unified=False, registered=now - (DAYS + 1) * DAY)
    book = generated(seed=9, orders=30 * DAYS, days=DAYS, now=now, products=PRODUCTS, symbols=3, facts=facts)
    async with private_simulator(book, clock=SimulatorClock()) as simulator:
        settings = {
            "MONGODB_URI": mongod_uri,
            "MONGODB_DATABASE": database.name,
            "API_KEYS": f"admin:{ADMIN}:read+write+trade+admin",
            "MASTER_KEYS": Fernet.generate_key().decode(),
            "LEASE_SECONDS": "1",
            "BITGET_LIVE_ACCOUNT_URL": simulator.url,
        }

        service = await started(tmp_path, settings)
        try:
            extraction = await asyncio.to_thread(begin, service, simulator)
            for _ in range(ROUNDS):
                found = await until_further(service, extraction, chance.randint(1, 4))
                assert found["status"] == "running", found
                await asyncio.to_thread(service.kill)
                service = await started(tmp_path, settings)
            while (found := await until_further(service, extraction, 1))["status"] in UNDERWAY:
                pass
            assert (found["status"], found["error"]) == ("done", None)
            for path, expected in ids_of(book, "classic").items():
                told = await asyncio.to_thread(ids, service, path)
                assert len(set(told)) == len(told)
                still_open = set(map(str, book.open)) if path == "/orders/history" else set()
                assert set(told) | still_open == set(map(str, expected)) | still_open
        finally:
            await asyncio.to_thread(service.kill)


async def started(folder: Path, settings: dict[str, str]) -> RunningService:
    return await asyncio.to_thread(RunningService, folder / "log", settings)
