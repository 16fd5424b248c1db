"""What a small read costs beside the least that it can cost: `python -m benchmarks.small_reads`.

8 clients read days of minutes as JSON without a pause: 1,440 candles, 380 kB, not compressed. The least is a
bare Tornado handler that asks a real mongod once by `find_raw_batches`, throws that away, and sends the same
bytes, which it has ready. Both servers are processes of their own on one mongod, and take turns. `again` are
few days, read again and again; `once` are so many days that the service has forgotten each before it is
asked for anew.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from tornado.httpserver import HTTPServer
from tornado.web import Application, RequestHandler

from backend.app.memory import calm_garbage_collector
from backend.core.windows import MINUTE
from backend.store.embedded import EmbeddedMongod
from backend.store.mongo import connect
from benchmarks.read import CLIENTS, DATABASE, DAY, SERIES, START, YEAR, Collection, service, store
from tests.readers import day_path, days_of

ROUNDS = 10
TURN = 250
"""Requests before it is the other server's turn."""

DAYS = [START + number * DAY * MINUTE for number in range(YEAR // DAY - 1)]
KINDS = {"once": DAYS, "again": DAYS[:30]}
WANTED = 1.5
"""At most so many times the bare handler's p95."""


class BareHandler(RequestHandler):
    def initialize(self, candles: Collection, bodies: dict[str, bytes]) -> None:
        self.candles = candles
        self.bodies = bodies

    async def get(self) -> None:
        first, last = int(self.get_argument("start_time")), int(self.get_argument("end_time"))
        cursor = self.candles.find_raw_batches({"_id": {"$gte": first, "$lte": last}}, batch_size=DAY + 1)
        assert sum([len(raw) async for raw in cursor])
        self.set_header("Content-Type", "application/json; charset=UTF-8")
        self.finish(self.bodies[day_path(first)])


async def serve_bare(uri: str, bodies: dict[str, bytes]) -> None:
    calm_garbage_collector()
    given = {"candles": connect(uri, DATABASE)[SERIES.name], "bodies": bodies}
    server = HTTPServer(Application([(f"/api/data/{SERIES.symbol}", BareHandler, given)]))
    server.listen(0, "127.0.0.1")
    print(next(iter(server._sockets.values())).getsockname()[1], flush=True)
    await asyncio.Event().wait()


@contextmanager
def bare(uri: str, bodies: Path) -> Iterator[int]:
    """The port of a bare server that sends what a file has."""
    command = [sys.executable, "-m", "benchmarks.small_reads", "--bare", uri, str(bodies)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.communicate()


async def read(url: str, paths: Iterator[str], bodies: dict[str, bytes]) -> list[float]:
    """The seconds of each of TURN answers; a client asks for the next as soon as it has one."""
    seconds: list[float] = []
    wanted = iter([next(paths) for _ in range(TURN)])

    async def client(session: aiohttp.ClientSession) -> None:
        for path in wanted:
            began = time.perf_counter()
            async with session.get(path) as answer:
                body = await answer.read()
            seconds.append(time.perf_counter() - began)
            assert body == bodies[path]

    async with aiohttp.ClientSession(url, headers={"Accept-Encoding": "identity"}) as session:
        await asyncio.gather(*(client(session) for _ in range(CLIENTS)))
    return seconds


async def compare(urls: dict[str, str], bodies: dict[str, bytes], rounds: int) -> None:
    for kind, days in KINDS.items():
        paths = {name: cycle(map(day_path, days)) for name in urls}
        seconds: dict[str, list[float]] = {name: [] for name in urls}
        for name, url in urls.items():
            await read(url, paths[name], bodies)  # a warm-up
        for _ in range(rounds):
            for name, url in urls.items():
                seconds[name] += await read(url, paths[name], bodies)
        report(kind, seconds)


def report(kind: str, seconds: dict[str, list[float]]) -> None:
    late = {}
    for name, found in seconds.items():
        middle, late[name] = (sorted(found)[len(found) * part // 100] * 1000 for part in (50, 95))
        print(f"{kind:5} {name:12} p50 {middle:5.1f} ms, p95 {late[name]:5.1f} ms")
    ours, least = late.values()
    print(f"{kind:5} p95 {ours / least:.2f} times the bare handler's; wanted: at most {WANTED}")


def main(rounds: int) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")))
        mongod = EmbeddedMongod(folder / "database")
        stack.callback(mongod.stop)
        uri = mongod.start()
        asyncio.run(store(uri))
        url = f"http://127.0.0.1:{stack.enter_context(service(uri)).port}"
        bodies = dict(asyncio.run(days_of(url, DAYS)))
        (folder / "bodies").write_bytes(pickle.dumps(bodies))
        least = f"http://127.0.0.1:{stack.enter_context(bare(uri, folder / 'bodies'))}"
        print(f"{CLIENTS} clients, {os.cpu_count()} cores, days of {len(bodies[day_path(START)]):,} bytes")
        asyncio.run(compare({"service": url, "bare handler": least}, bodies, rounds))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--bare", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        asyncio.run(serve_bare(options.bare[0], pickle.loads(Path(options.bare[1]).read_bytes())))
    else:
        main(options.rounds)
