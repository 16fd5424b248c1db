"""How long the sender of an alarm waits: `python -m benchmarks.alarms [seconds]`.

20 alarms a second of 20 strategies on paper accounts arrive over HTTP, each a new position. Alone, and during
a sync of years of candles at the exchange's limit: by the same process, and by a worker beside it. At the
same time, the least that a true answer can cost: one durable insert of the same text into the same mongod.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
from cryptography.fernet import Fernet
from pymongo import MongoClient
from pymongo.write_concern import WriteConcern

from backend.store.embedded import EmbeddedMongod
from tests.conftest import simulated_urls
from tests.integration.processes import RunningService, running_simulator

ADMIN = "dummy-key-of-benchmarks"
STRATEGIES = 20
A_SECOND = 20
WANTED_MS, LONGEST_MS = 100.0, 3000.0
"""At p95, and the sender's patience."""

Send = Callable[[int], Awaitable[None]]


async def times_of(seconds: int, send: Send) -> list[float]:
    """Ms of each answer; the next alarm comes at its time, whether the one before is answered or not."""
    found: list[float] = []
    began = time.perf_counter()

    async def one(number: int) -> None:
        await asyncio.sleep(max(0.0, began + number / A_SECOND - time.perf_counter()))
        start = time.perf_counter()
        await send(number)
        found.append((time.perf_counter() - start) * 1000)

    await asyncio.gather(*(one(number) for number in range(seconds * A_SECOND)))
    return found


def told(name: str, times: list[float]) -> float:
    parts = quantiles(times, n=100)
    print(
        f"  {name}: p50 {parts[49]:.1f} ms, p95 {parts[94]:.1f} ms, longest {max(times):.0f} ms", flush=True
    )
    assert max(times) < LONGEST_MS, "the sender would have given up"
    return parts[94]


async def main(seconds: int) -> None:
    with TemporaryDirectory(prefix="benchmark-") as folder, running_simulator() as exchanges:
        mongod = EmbeddedMongod(Path(folder))
        settings = {
            "MONGODB_URI": mongod.start(),
            "API_KEYS": f"bench:{ADMIN}:read+write+trade+admin",
            "MASTER_KEYS": Fernet.generate_key().decode(),
            "WEBHOOK_ADDRESSES": "127.0.0.1",
            **simulated_urls(exchanges),
            "BITGET_LIVE_ACCOUNT_URL": exchanges,
        }
        try:
            for name, roles in (("one process", ("all",)), ("api and worker", ("api", "worker"))):
                settings["MONGODB_DATABASE"] = name.replace(" ", "_")
                print(f"{name}:")
                busy = await in_processes(Path(folder), settings, roles, seconds)
                print(f"  wanted: p95 under {WANTED_MS:.0f} ms: {'met' if busy < WANTED_MS else 'not met'}")
        finally:
            mongod.stop()


async def in_processes(
    folder: Path, settings: Mapping[str, str], roles: Sequence[str], seconds: int
) -> float:
    """The p95 during a sync, where the first of some processes takes the alarms."""
    services = [RunningService(folder / f"log-{role}", {**settings, "ROLE": role}) for role in roles]
    try:
        address = f"http://127.0.0.1:{services[0].port}"
        async with aiohttp.ClientSession(address, headers={"X-Api-Key": ADMIN}) as session:
            return await measure(session, settings["MONGODB_URI"], seconds)
    finally:
        for service in services:
            service.kill()


async def measure(session: aiohttp.ClientSession, uri: str, seconds: int) -> float:
    tokens = [await strategy(session, number) for number in range(STRATEGIES)]
    positions = [0] * STRATEGIES

    def body(number: int) -> str:
        place = number % STRATEGIES
        before, after = positions[place], 1 - positions[place]
        positions[place] = after
        fields = {
            "token": tokens[place],
            "ticker": "BTCUSDT.P",
            "action": "buy" if after else "sell",
            "position": "long" if after else "flat",
            "position_size": after,
            "prev_position": "long" if before else "flat",
            "prev_position_size": before,
            "id": f"{time.time_ns()}",
            "fired_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return json.dumps(fields)

    async def send(number: int) -> None:
        async with session.post("/webhook", data=body(number)) as answer:
            assert answer.status == 200, await answer.text()

    client: MongoClient[Any] = MongoClient(uri)
    plain = client["benchmark"].get_collection("alarms", write_concern=WriteConcern(w="majority", j=True))

    async def insert(number: int) -> None:
        await asyncio.to_thread(plain.insert_one, {"body": body(number)})

    await times_of(2, send)
    least = told("a durable insert", await times_of(seconds, insert))
    positions[:] = [await position(session, number) for number in range(STRATEGIES)]
    alone = told("the webhook, alone", await times_of(seconds, send))
    job = {"symbol": "BTCUSDT", "start_time": "2018-01-01", "wait": False}
    async with session.post("/api/sync", json=job) as answer:
        assert answer.status == 202, await answer.text()
    await asyncio.sleep(2)
    busy = told("the webhook, during a sync", await times_of(seconds, send))
    worst = told("a durable insert, during a sync", await times_of(seconds, insert))
    print(f"  p95: {alone / least:.1f} times an insert alone, {busy / worst:.1f} times during a sync")
    return busy


async def strategy(session: aiohttp.ClientSession, number: int) -> str:
    async with session.post("/accounts", json={"venue": "bitget", "balance": "100000"}) as answer:
        account = (await answer.json())["account"]["id"]
    wanted = {
        "id": f"s{number}",
        "account": account,
        "sizing": {"by": "alarm", "amount": "0.01"},
        "link_wait_seconds": 1,
    }
    async with session.post("/strategies", json=wanted) as answer:
        token: str = (await answer.json())["token"]
    return token


async def position(session: aiohttp.ClientSession, number: int) -> int:
    """The position that the strategy's last stored alarm told."""
    async with session.get(f"/alarms?strategy=s{number}&limit=1") as answer:
        found = (await answer.json())["alarms"]
    return int(found[0]["position_after"]) if found else 0


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
