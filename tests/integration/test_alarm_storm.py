"""Alarms of twenty strategies storm at two services that are killed, on a database that is killed, at a venue
that does what it likes: the operations are those that plain reading of the alarms gives, each once."""

from __future__ import annotations

import asyncio
import json
import os
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from backend.clock import SystemClock
from tests.conftest import simulated_urls
from tests.integration.mongods import Mongod
from tests.integration.processes import PATIENCE
from tests.integration.test_order_kills import MANNERS, OUT_OF_REACH, Desk, settings_of
from tests.ordering import book_of
from tests.simulator import SimulatorClock
from tests.simulator.private.faults import Met
from tests.simulator.private.rows import Pair
from tests.simulator.private.rows import Product as Simulated
from tests.simulator.private.running import PrivateSimulator, private_simulator

pytestmark = [pytest.mark.long, pytest.mark.timeout(1800)]

ALARMS = int(os.environ.get("STORM_ALARMS", "200"))
STRATEGIES = 20
LIVE = {"s0": "BTC", "s1": "ETH"}
"""These trade at the venue; the others have a paper account each."""
KILLED_EACH = 40
A_SECOND = 10.0
SENDER_WAITS = aiohttp.ClientTimeout(total=3.0)
TRIES, RESEND_SECONDS = 4, 5.0
"""The sender of alarms gives up after three seconds, and repeats three times what was answered by a 5xx."""


@dataclass
class Wanted:
    """A strategy, and what plain reading of its alarms gives."""

    name: str
    token: str
    target: int = 0
    told: dict[str, Decimal] = field(default_factory=dict)
    """Size by the alarm's id, negative to sell, of alarms that say what to do."""
    stored: set[str] = field(default_factory=set)
    """The service's ids of the alarms that were answered by 200."""

    @property
    def aims(self) -> bool:
        """Whether its alarms tell a position and not an order."""
        return self.name in LIVE or int(self.name[1:]) % 2 == 0

    def next(self, number: int, chance: Random) -> dict[str, object]:
        """Its next alarm."""
        body: dict[str, object] = {
            "token": self.token,
            "ticker": f"{LIVE.get(self.name, 'BTC')}USDT.P",
            "id": str(number),
            "fired_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        if self.aims:
            before = self.target
            self.target = chance.choice([one for one in range(-2, 3) if one != before])
            return body | {
                "action": "buy" if self.target > before else "sell",
                **_position("", self.target),
                **_position("prev_", before),
            }
        signed = chance.choice((-3, -2, -1, 1, 2, 3))
        self.told[str(number)] = Decimal(signed) / 100
        return body | {"action": "buy" if signed > 0 else "sell", "quantity": str(abs(signed))}


def _position(which: str, size: int) -> dict[str, object]:
    word = "flat" if not size else "long" if size > 0 else "short"
    return {f"{which}position": word, f"{which}position_size": str(abs(size))}


class Senders:
    """Sends alarms through a proxy before two services, whose answer to a broken connection is a 502."""

    def __init__(self, desks: list[Desk], chance: Random) -> None:
        self._desks = desks
        self._chance = chance
        self.longest = 0.0

    async def send(self, session: aiohttp.ClientSession, wanted: Wanted, body: dict[str, object]) -> None:
        """Send one; some are delivered twice."""
        for _ in range(self._chance.choice((1,) * 9 + (2,))):
            for _ in range(TRIES):
                status, answer = await self._try(session, body)
                assert status == 200 or status >= 500, answer
                if status == 200:
                    wanted.stored.add(answer["alarm"])
                    break
                await asyncio.sleep(RESEND_SECONDS)

    async def _try(self, session: aiohttp.ClientSession, body: dict[str, object]) -> tuple[int, Any]:
        """Status 502 where no answer came: the alarm may be stored all the same."""
        kind = self._chance.choice(("text/plain; charset=utf-8", "application/json"))
        for desk in self._chance.sample(self._desks, len(self._desks)):
            url = f"http://127.0.0.1:{desk.service.port}/webhook"
            try:
                async with session.post(url, data=json.dumps(body), headers={"Content-Type": kind}) as answer:
                    return answer.status, await answer.json()
            except aiohttp.ClientConnectorError:
                continue
            except (aiohttp.ClientError, TimeoutError):
                return 502, None
        return 502, None


async def strategies(desk: Desk, simulator: PrivateSimulator) -> list[Wanted]:
    await desk.add_account(simulator)
    _, told = await desk.call("/accounts")
    live = told["accounts"][0]["id"]
    made = []
    for number in range(STRATEGIES):
        name = f"s{number}"
        wanted = Wanted(name, "")
        account = live
        if name not in LIVE:
            status, reply = await desk.call("/accounts", {"venue": "bingx", "balance": "1000000"})
            assert status == 201, reply
            account = reply["account"]["id"]
        body = {
            "id": name,
            "account": account,
            "kind": "target" if wanted.aims else "as_told",
            "sizing": {"by": "alarm", "amount": "0.01"},
            "max_age_seconds": 1200,
            "link_wait_seconds": 1,
        }
        status, reply = await desk.call("/strategies", body)
        assert status == 201, reply
        wanted.token = reply["token"]
        made.append(wanted)
    return made


async def of_strategy(desk: Desk, path: str, name: str) -> list[dict[str, Any]]:
    """Everything that a list tells of a strategy, through restarts."""
    while True:
        try:
            status, told = await desk.call(f"/{path}?strategy={name}&limit=1000")
        except OUT_OF_REACH:
            status = 503
        if status == 200:
            assert told["next"] is None
            rows: list[dict[str, Any]] = told[path]
            return rows
        await asyncio.sleep(0.5)


async def all_over(desk: Desk, wanted: list[Wanted]) -> None:
    """Wait until nothing is to be done any more."""
    left = [one.name for one in wanted]
    async with asyncio.timeout(PATIENCE * 5):
        while left:
            states = {alarm["state"] for alarm in await of_strategy(desk, "alarms", left[-1])}
            if states & {"received", "planned"}:
                await asyncio.sleep(0.5)
            else:
                left.pop()


def signed_sizes(operations: list[dict[str, Any]]) -> dict[str, Decimal]:
    """What the orders of each alarm add up to, negative to sell."""
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for one in operations:
        ticket = one["order"]["ticket"]
        sums[one["alarm"]] += Decimal(ticket["size"]) * (1 if ticket["side"] == "buy" else -1)
    return dict(sums)


async def check(desk: Desk, one: Wanted, simulator: PrivateSimulator) -> int:
    """The operations of a strategy are those of its alarms, each once; how many there are."""
    alarms = {alarm["id"]: alarm for alarm in await of_strategy(desk, "alarms", one.name)}
    operations = await of_strategy(desk, "operations", one.name)
    assert one.stored <= alarms.keys()
    assert len({(row["alarm"], row["number"]) for row in operations}) == len(operations)
    placed = [row for row in operations if row["order"]]
    assert len({row["order"]["id"] for row in placed}) == len(placed)
    assert {alarm["state"] for alarm in alarms.values()} <= {"done", "failed", "ignored"}
    # Where an order was refused, given up or never sent, what was to follow it is not placed: that is told.
    failed = {alarm["id"] for alarm in alarms.values() if alarm["state"] == "failed"}
    assert {row["alarm"] for row in operations if not row["order"]} <= failed
    if one.name in LIVE:
        held = simulator.book.size_of(Simulated.USDT, Pair(LIVE[one.name], "USDT"), "net")
        assert held * 100 == one.target, alarms
        return len(operations)
    # On paper nothing is refused. A process that dies between writing an order down and sending it leaves an
    # order that never arrived: it is not sent again, and its alarm says so.
    reasons = {leg["outcome"] for alarm_id in failed for leg in alarms[alarm_id]["legs"]}
    assert reasons <= {"accepted", "never_arrived", ""}, [alarms[alarm_id] for alarm_id in failed]
    assert {row["order"]["state"] for row in placed} <= {"accepted", "never_arrived"}
    sent = [row for row in placed if row["order"]["state"] == "accepted"]
    assert all(Decimal(row["filled"]) == Decimal(row["order"]["ticket"]["size"]) for row in sent)
    if one.aims:
        assert sum(signed_sizes(sent).values(), Decimal(0)) * 100 == one.target
    else:
        told = {alarm_id: one.told[json.loads(alarm["body"])["id"]] for alarm_id, alarm in alarms.items()}
        sizes = signed_sizes(placed)
        assert sizes.keys() <= told.keys()
        assert told.keys() - sizes.keys() <= failed
        assert all(size == told[alarm_id] for alarm_id, size in sizes.items() if alarm_id not in failed)
    return len(operations)


async def last_alarms(
    senders: Senders, session: aiohttp.ClientSession, wanted: list[Wanted], chance: Random
) -> None:
    """One more of each that aims, at a quiet venue: what was refused or lost before is made good."""
    for number, one in enumerate(wanted, start=ALARMS):
        if one.aims:
            await senders.send(session, one, one.next(number, chance))


async def test_each_alarm_of_a_storm_leads_to_its_operations_once(tmp_path: Path) -> None:
    """STORM_ALARMS alarms (`make soak`: 1,000)."""
    chance = Random(20)
    folder = tmp_path / "mongod"
    folder.mkdir()
    mongod = Mongod(folder)
    book = book_of("bingx", hedged=False)
    book.now = SystemClock().now() - 60_000
    async with (
        private_simulator(book, clock=SimulatorClock()) as simulator,
        aiohttp.ClientSession(timeout=SENDER_WAITS) as session,
    ):
        settings = {
            **settings_of(mongod.uri, "storm", simulator.url),
            **simulated_urls(simulator.url),
            "WEBHOOK_ADDRESSES": "127.0.0.1",
        }
        desks = []
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            desks.append(Desk(tmp_path / name, settings))
        try:
            wanted = await strategies(desks[0], simulator)
            private = simulator.faults.private
            private.id_memory = -1
            senders = Senders(desks, chance)
            async with asyncio.TaskGroup() as sending:
                waiting: list[tuple[Wanted, dict[str, object]]] = []
                for number in range(ALARMS):
                    one = wanted[number % STRATEGIES]
                    waiting.append((one, one.next(number, chance)))
                    if chance.random() < 0.5 or number == ALARMS - 1:
                        # What was held back goes after what came later.
                        for each, body in reversed(waiting):
                            sending.create_task(senders.send(session, each, body))
                        waiting.clear()
                    if number % 5 == 0:
                        private.placing = [Met(chance.choice(MANNERS), delay=chance.choice((500, 4000)))]
                    alive = [desk for desk in desks if not desk.is_struck]
                    if alive and number % KILLED_EACH == KILLED_EACH - 1:
                        struck = chance.choice(alive)
                        struck.strike()
                        sending.create_task(struck.restart())
                    if number == ALARMS // 2:
                        mongod.kill()
                        mongod = await asyncio.to_thread(Mongod, folder, port=mongod.port)
                    await asyncio.sleep(1 / A_SECOND)
            private.placing = []
            await all_over(desks[0], wanted)
            await last_alarms(senders, session, wanted, chance)
            await all_over(desks[1], wanted)
            assert max(book.accepted.values(), default=0) <= 1
            operations = sum([await check(desks[0], one, simulator) for one in wanted])
            assert operations >= ALARMS * 0.9
        finally:
            for desk in desks:
                await asyncio.to_thread(desk.service.kill)
            mongod.kill()
