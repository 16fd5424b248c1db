"""The service is killed while it places orders: afterwards each intent has one order at most, and both books
agree."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest
from cryptography.fernet import Fernet

from backend.clock import SystemClock
from backend.store.mongo import Database
from tests.integration.mongods import Mongod
from tests.integration.processes import PATIENCE, RunningService, command
from tests.integration.replicas import running_replica_set
from tests.ordering import book_of
from tests.simulator import SimulatorClock
from tests.simulator.private.faults import Manner, Met
from tests.simulator.private.running import PrivateSimulator, private_simulator
from tests.web.trading import ADMIN

pytestmark = pytest.mark.timeout(1800)

ROUNDS = int(os.environ.get("KILL_ROUNDS", "12"))
POINTS = ("received", "accepted", "answered", "never")
MANNERS: tuple[Manner, ...] = get_args(Manner)
OUT_OF_REACH = (ConnectionError, TimeoutError, urllib.error.URLError)


class Desk:
    """A service that may be killed, and what was asked of it."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self._folder = folder
        self._settings = settings
        self.asked: dict[str, dict[str, Any]] = {}
        self.is_struck = False
        self.service = self._started()

    def _started(self) -> RunningService:
        return RunningService(self._folder / "log", self._settings)

    async def restart(self) -> None:
        """Kill the service, if it lives, and start another one."""
        await asyncio.to_thread(self.service.kill)
        self.service = await asyncio.to_thread(self._started)
        self.is_struck = False

    def strike(self) -> None:
        """SIGKILL, at this very moment."""
        self.is_struck = True
        os.kill(self.service.process.pid, signal.SIGKILL)

    async def call(self, path: str, body: object = None, key: str = "", method: str | None = None) -> Any:
        return await asyncio.to_thread(self._call, path, body, key, method)

    def _call(self, path: str, body: object, key: str, method: str | None) -> tuple[int, Any]:
        headers = {"X-Api-Key": ADMIN} | ({"Idempotency-Key": key} if key else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.service.port}{path}", data=data, headers=headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    async def add_account(self, simulator: PrivateSimulator) -> None:
        key, secret, passphrase = simulator.keys
        keys = {"key": key, "secret": secret, "passphrase": passphrase}
        status, body = await self.call("/accounts", {"venue": "bingx", "mode": "live", **keys})
        assert status == 201, body

    async def place(self, key: str) -> tuple[int, Any] | None:
        """Place an order under a key; None where no answer came."""
        base = "BTC" if len(self.asked) % 2 else "ETH"
        wanted = {"symbol": f"{base}-USDT", "side": "buy", "size": "0.01", "position": "long"}
        wanted = self.asked.setdefault(key, wanted)
        try:
            found: tuple[int, Any] = await self.call("/orders", wanted, key)
        except OUT_OF_REACH:
            return None
        return found

    async def settled(self, key: str) -> dict[str, Any]:
        """The order of a key once its fate is known; where the request left no trace, of another try."""
        async with asyncio.timeout(PATIENCE * 2):
            while True:
                found = await self.place(key)
                if found is not None and found[0] == 502:
                    refused: str = found[1]["error"]["message"]
                    found = await self.call(f"/orders/{refused.split(' order ')[1].split(':')[0]}")
                order = (found[1] if found else {}).get("order")
                if order is not None and order["state"] not in ("sending", "unknown"):
                    told: dict[str, Any] = order
                    return told
                await asyncio.sleep(0.2)

    async def corrected(self, order_id: str) -> dict[str, Any]:
        """An order that was refused by a lie, once the service has seen it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                _, found = await self.call(f"/orders/{order_id}")
                told: dict[str, Any] = found["order"]
                if told["state"] == "accepted":
                    return told
                await asyncio.sleep(0.5)


def settings_of(uri: str, database: str, url: str) -> dict[str, str]:
    return {
        "MONGODB_URI": uri,
        "MONGODB_DATABASE": database,
        "API_KEYS": f"admin:{ADMIN}:read+write+trade+admin",
        "MASTER_KEYS": Fernet.generate_key().decode(),
        "LIVE_TRADING": "true",
        "BINGX_LIVE_ACCOUNT_URL": url,
    }


def _at(wanted: str, act: Callable[[], None], point: str) -> None:
    if point == wanted:
        act()


def agree(simulator: PrivateSimulator, orders: dict[str, dict[str, Any]]) -> None:
    """No intent has two orders; what the service takes for placed is placed, and nothing else is."""
    book = simulator.book
    assert max(book.accepted.values(), default=0) <= 1
    placed = {one["id"]: one["order_id"] for one in orders.values() if one["state"] == "accepted"}
    assert placed == {order.client_id: str(order.number) for order in book.orders}
    assert {one["state"] for one in orders.values()} <= {"accepted", "refused", "never_arrived"}


async def test_killed_while_it_places_orders_it_places_each_once_at_most(
    tmp_path: Path, mongod_uri: str, database: Database
) -> None:
    """kill -9 when the venue has received, accepted or answered an order, KILL_ROUNDS times (`make soak`:
    50), while the venue itself does what it likes with it."""
    chance = Random(16)
    book = book_of("bingx")
    book.now = SystemClock().now() - 60_000
    async with private_simulator(book, clock=SimulatorClock()) as simulator:
        desk = Desk(tmp_path, settings_of(mongod_uri, database.name, simulator.url))
        try:
            await desk.add_account(simulator)
            private = simulator.faults.private
            private.id_memory = -1
            orders: dict[str, dict[str, Any]] = {}
            for number in range(ROUNDS):
                point = POINTS[number % len(POINTS)]
                manner = chance.choice(MANNERS)
                private.placing = [Met(manner, delay=chance.choice((500, 4000)))]
                private.on_placing = partial(_at, point, desk.strike)
                key = f"round {number}"
                await desk.place(key)
                private.on_placing = lambda _point: None
                if desk.is_struck:
                    await desk.restart()
                orders[key] = await desk.settled(key)
                assert book.accepted[orders[key]["id"]] <= 1, (point, manner)
            for key, order in orders.items():
                if order["state"] == "refused" and book.accepted[order["id"]]:
                    orders[key] = await desk.corrected(order["id"])
            agree(simulator, orders)
        finally:
            await asyncio.to_thread(desk.service.kill)


async def test_the_database_dies_while_orders_are_placed(tmp_path: Path) -> None:
    """kill -9 of mongod when the venue has an order: the answer cannot be written down, and the order is
    found when the database is back."""
    folder = tmp_path / "mongod"
    folder.mkdir()
    mongod = Mongod(folder)
    book = book_of("bingx")
    book.now = SystemClock().now() - 60_000
    async with private_simulator(book, clock=SimulatorClock()) as simulator:
        desk = Desk(tmp_path, settings_of(mongod.uri, "orders", simulator.url))
        try:
            await desk.add_account(simulator)
            private = simulator.faults.private
            private.id_memory = -1
            orders: dict[str, dict[str, Any]] = {}
            for number, point in enumerate(("received", "accepted", "answered")):
                private.on_placing = partial(_at, point, mongod.kill)
                key = f"round {number}"
                await desk.place(key)
                private.on_placing = lambda _point: None
                mongod = await asyncio.to_thread(Mongod, folder, port=mongod.port)
                orders[key] = await desk.settled(key)
            agree(simulator, orders)
        finally:
            await asyncio.to_thread(desk.service.kill)
            mongod.kill()


async def test_a_primary_is_lost_while_orders_are_placed(tmp_path: Path) -> None:
    """kill -9 of the primary of a replica set when the venue has an order; another member takes over."""
    book = book_of("bingx")
    book.now = SystemClock().now() - 60_000
    folder = tmp_path / "replicas"
    folder.mkdir()
    with running_replica_set(folder) as replicas:
        async with private_simulator(book, clock=SimulatorClock()) as simulator:
            settings = settings_of(replicas.uri, "orders", simulator.url) | {"DATABASE_TIMEOUT": "5"}
            desk = Desk(tmp_path, settings)
            try:
                await desk.add_account(simulator)
                private = simulator.faults.private
                private.id_memory = -1
                orders: dict[str, dict[str, Any]] = {}
                for number, point in enumerate(("received", "accepted", "answered")):
                    primary = await asyncio.to_thread(replicas.primary)
                    private.on_placing = partial(_at, point, partial(replicas.kill, primary))
                    key = f"round {number}"
                    await desk.place(key)
                    private.on_placing = lambda _point: None
                    await asyncio.to_thread(replicas.start_member, primary)
                    orders[key] = await desk.settled(key)
                agree(simulator, orders)
            finally:
                await asyncio.to_thread(desk.service.kill)


async def test_the_kill_switch_is_a_command_too(tmp_path: Path, mongod_uri: str, database: Database) -> None:
    book = book_of("bingx")
    book.now = SystemClock().now() - 60_000
    async with private_simulator(book, clock=SimulatorClock()) as simulator:
        settings = settings_of(mongod_uri, database.name, simulator.url)
        desk = Desk(tmp_path, settings)
        try:
            await desk.add_account(simulator)
            _, listed = await desk.call("/accounts")
            account = listed["accounts"][0]["id"]
            resting = {
                "symbol": "BTC-USDT",
                "side": "buy",
                "size": "0.01",
                "position": "long",
                "price": "20000",
            }
            assert (await desk.call("/orders", resting))[0] == 201
            assert await desk.place("a position") is not None
            killing = command("accounts", "kill", account, "--step", "flatten", **settings)
            said = (await asyncio.to_thread(killing.communicate, timeout=PATIENCE))[0]
            assert (killing.returncode, "orders cancelled: 1, positions closed: 1" in said) == (0, True), said
            assert not book.open
            status, refused = await desk.call("/orders", resting)
            assert (status, refused["error"]["code"]) == (409, "risk_refused")
        finally:
            await asyncio.to_thread(desk.service.kill)
