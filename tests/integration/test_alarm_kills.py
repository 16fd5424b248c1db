"""Services are killed while they carry alarms out: each alarm leads to its orders once, and the last one
tells the position."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest

from backend.clock import SystemClock
from backend.store.mongo import Database
from tests.conftest import simulated_urls
from tests.integration.mongods import Mongod
from tests.integration.processes import PATIENCE
from tests.integration.test_order_kills import MANNERS, OUT_OF_REACH, POINTS, Desk, settings_of
from tests.ordering import book_of
from tests.simulator import SimulatorClock
from tests.simulator.private.faults import Met
from tests.simulator.private.rows import Pair
from tests.simulator.private.rows import Product as Simulated
from tests.simulator.private.running import PrivateSimulator, private_simulator

pytestmark = pytest.mark.timeout(1800)

ROUNDS = int(os.environ.get("KILL_ROUNDS", "12"))
RESENDS, RESEND_SECONDS = 3, 5.0
"""How the sender of alarms repeats one that was answered by a 5xx."""


class Sender:
    """Sends alarms that each tell a position, as the charts' service does."""

    def __init__(self, token: str) -> None:
        self._token = token
        self.position = 0
        self.stored: list[int] = []
        """The positions of the alarms that were answered by 200."""

    async def send(self, desk: Desk, target: int, number: int) -> None:
        """Send an alarm; a 5xx is answered by another try, a broken connection by none."""
        body = {
            "token": self._token,
            "ticker": "BTCUSDT.P",
            "action": "buy" if target > self.position else "sell",
            "position": "flat" if not target else "long" if target > 0 else "short",
            "position_size": abs(target),
            "entry_price": "30000",
            "id": str(number),
            "fired_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        self.position = target
        for _ in range(1 + RESENDS):
            try:
                status, _ = await desk.call("/webhook", body)
            except OUT_OF_REACH:
                return
            if status == 200:
                self.stored.append(target)
            if status < 500:
                return
            await asyncio.sleep(RESEND_SECONDS)


async def strategy(desk: Desk) -> str:
    body = {
        "id": "ema",
        "sizing": {"by": "alarm", "amount": "0.01"},
        "max_age_seconds": 600,
        "link_wait_seconds": 1,
    }
    status, reply = await desk.call("/strategies", body)
    assert status == 201, reply
    token: str = reply["token"]
    return token


async def all_over(desk: Desk) -> list[dict[str, Any]]:
    """The alarms, oldest first, once nothing is to be done any more."""
    async with asyncio.timeout(PATIENCE * 3):
        while True:
            try:
                _, told = await desk.call("/alarms?limit=1000")
                _, orders = await desk.call("/intents?limit=1000")
            except OUT_OF_REACH:
                await asyncio.sleep(0.5)
                continue
            is_open = any(one["state"] in ("received", "planned") for one in told["alarms"])
            if not is_open and not any(one["state"] in ("sending", "unknown") for one in orders["orders"]):
                return list(reversed(told["alarms"]))
            await asyncio.sleep(0.3)


def at_most_once(simulator: PrivateSimulator) -> None:
    assert max(simulator.book.accepted.values(), default=0) <= 1


def at(wanted: str, act: Callable[[], None], point: str) -> None:
    if point == wanted:
        act()


def strike(mongod: Mongod, struck: asyncio.Event) -> None:
    """SIGKILL of the database, once."""
    if not struck.is_set():
        mongod.kill()
        struck.set()


def settings_for(uri: str, database: str, simulator: PrivateSimulator) -> dict[str, str]:
    return {
        **settings_of(uri, database, simulator.url),
        **simulated_urls(simulator.url),
        "WEBHOOK_ADDRESSES": "127.0.0.1",
    }


async def test_killed_while_it_carries_alarms_out(
    tmp_path: Path, mongod_uri: str, database: Database
) -> None:
    """kill -9 of the process that places an order of an alarm, while another one lives; the venue itself does
    what it likes. KILL_ROUNDS times (`make soak`: 50)."""
    chance = Random(17)
    book = book_of("bingx", hedged=False)
    book.now = SystemClock().now() - 60_000
    async with private_simulator(book, clock=SimulatorClock()) as simulator:
        settings = settings_for(mongod_uri, database.name, simulator)
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
        desks = [Desk(folder, settings) for folder in folders]
        try:
            await desks[0].add_account(simulator)
            sender = Sender(await strategy(desks[0]))
            private = simulator.faults.private
            private.id_memory = -1
            for number in range(ROUNDS):
                struck = chance.choice(desks)
                private.placing = [Met(chance.choice(MANNERS), delay=chance.choice((500, 4000)))]
                private.on_placing = partial(at, POINTS[number % len(POINTS)], struck.strike)
                target = chance.choice([one for one in range(-2, 3) if one != sender.position])
                await sender.send(desks[number % 2], target, number)
                await asyncio.sleep(chance.random() * 2)
                private.on_placing = lambda _point: None
                for desk in desks:
                    if desk.is_struck:
                        await desk.restart()
                at_most_once(simulator)
            await all_over(desks[0])
            private.placing = []
            last = 1 if sender.position != 1 else 2
            await sender.send(desks[0], last, ROUNDS)
            found = await all_over(desks[1])
            at_most_once(simulator)
            assert len(found) >= len(sender.stored)
            assert {one["state"] for one in found} <= {"done", "failed", "ignored"}
            assert found[-1]["state"] == "done", found[-1]
            assert book.size_of(Simulated.USDT, Pair("BTC", "USDT"), "net") * 100 == last
        finally:
            for desk in desks:
                await asyncio.to_thread(desk.service.kill)


async def test_the_database_dies_while_alarms_come(tmp_path: Path) -> None:
    """kill -9 of mongod: an alarm is answered by a 5xx and sent again, and each stored one is carried out."""
    folder = tmp_path / "mongod"
    folder.mkdir()
    mongod = Mongod(folder)
    book = book_of("bingx", hedged=False)
    book.now = SystemClock().now() - 60_000
    async with private_simulator(book, clock=SimulatorClock()) as simulator:
        desk = Desk(tmp_path, settings_for(mongod.uri, "alarms", simulator))
        try:
            await desk.add_account(simulator)
            sender = Sender(await strategy(desk))
            private = simulator.faults.private
            private.id_memory = -1
            for number, point in enumerate(("received", "accepted", "answered")):
                struck = asyncio.Event()
                private.on_placing = partial(at, point, partial(strike, mongod, struck))
                await sender.send(desk, number + 1, number)
                await asyncio.wait_for(struck.wait(), PATIENCE)
                private.on_placing = lambda _point: None
                sending = asyncio.create_task(sender.send(desk, -number - 1, number + 100))
                await asyncio.sleep(1)
                mongod = await asyncio.to_thread(Mongod, folder, port=mongod.port)
                await sending
                await all_over(desk)
            assert len(sender.stored) == 6
            at_most_once(simulator)
            assert book.size_of(Simulated.USDT, Pair("BTC", "USDT"), "net") * 100 == -3
        finally:
            await asyncio.to_thread(desk.service.kill)
            mongod.kill()
