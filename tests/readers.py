"""Many clients at once that read days of candles and look whether each answer is the right one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

import aiohttp

from backend.core.windows import MINUTE
from tests.simulator.rows import Numbers

DAY = 1_440
FIELDS = "open_time,open,high,low,close,volume,quote_volume,trades,taker_buy_volume,taker_buy_quote_volume"


class Reading(NamedTuple):
    """The seconds of each answer, how long all of them took, and what was wrong with any."""

    seconds: Sequence[float]
    took: float
    errors: Sequence[str]

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.took

    def milliseconds(self, percent: int) -> float:
        """The time that so many of a hundred answers kept within."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1000


def day_path(start: int, symbol: str = "BTCUSDT") -> str:
    """Where the 1,440 candles of the day that begins at `start` (ms) are."""
    return f"/api/data/{symbol}?start_time={start}&end_time={start + (DAY - 1) * MINUTE}"


async def days_of(url: str, starts: Sequence[int]) -> Mapping[str, bytes]:
    """The answer for each day, read once by one client. Raises AssertionError for one that is not whole."""
    answers: dict[str, bytes] = {}
    async with aiohttp.ClientSession(url) as session:
        for path in map(day_path, starts):
            async with session.get(path) as answer:
                answers[path] = await answer.read()
                assert answer.status == 200, answers[path]
            assert answers[path].count(b'"open_time"') == DAY
    return answers


async def stored_day(url: str, start: int) -> list[Numbers]:
    """A day as the service tells it, in the shape of the simulator's history."""
    async with aiohttp.ClientSession(url) as session, session.get(day_path(start)) as answer:
        rows = (await answer.json())["data"]
    return [tuple(row[name] for name in FIELDS.split(",")) for row in rows]


async def read_days(
    url: str, days: Mapping[str, bytes], clients: int, until: asyncio.Event, seed: int = 1
) -> Reading:
    """Let `clients` read days at random, each the next as soon as it has one, until the event is set."""
    seconds: list[float] = []
    errors: list[str] = []

    async def client(session: aiohttp.ClientSession, chance: Random) -> None:
        paths = sorted(days)
        while not until.is_set():
            path, began = chance.choice(paths), time.perf_counter()
            try:
                async with session.get(path) as answer:
                    body = await answer.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                errors.append(f"{path}: {error!r}")
                continue
            seconds.append(time.perf_counter() - began)
            if (answer.status, body) != (200, days[path]):
                errors.append(f"{path}: {answer.status} {body[:200]!r}")

    connector = aiohttp.TCPConnector(limit=clients)
    began = time.perf_counter()
    async with aiohttp.ClientSession(url, connector=connector) as session:
        await asyncio.gather(*(client(session, Random(f"{seed} {one}")) for one in range(clients)))
    return Reading(seconds, time.perf_counter() - began, errors)
