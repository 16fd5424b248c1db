"""What the service adds to Extended's answers: `python -m benchmarks.extended [rounds]`.

50 clients at once read `/extended/v1` and place orders on a simulated account. Beside it, in the same run:
for reads a bare aiohttp pass-through that sends each on to the same simulator, with the API key and nothing
else; for orders a bare signed request. The share of the service is its time less what the simulator itself
takes of 50 clients: it checks each signature in plain Python, which is most of an order's time.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from itertools import count
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import aiohttp
from aiohttp import web
from cryptography.fernet import Fernet

from backend.exchanges.base import Answer
from backend.exchanges.extended.account import ACCOUNT, EXTENDED_ACCOUNT
from backend.exchanges.private.venue import Prepared
from backend.store.embedded import EmbeddedMongod
from backend.trading.account_keys import Keys
from backend.trading.rows import Product
from backend.trading.tickets import Ticket
from tests.conftest import simulated_urls
from tests.integration.processes import RunningService, free_port, until
from tests.ordering import PRICE, book_of
from tests.simulator import SimulatorClock
from tests.simulator.private.extended_rows import market_row
from tests.simulator.private.rows import Pair
from tests.simulator.private.running import STARK_KEYS, PrivateSimulator, private_simulator

ADMIN = "dummy-key-of-benchmarks"
CLIENTS = 50
WANTED_MS = 100.0
ORDERS = 4
"""Of each client: Extended lets an address send 1,000 requests a minute, and an order takes some of them."""
READS = {
    "markets/BTC-USD/stats": "/info/markets/BTC-USD/stats",
    "markets/BTC-USD/orderbook": "/info/markets/BTC-USD/orderbook",
    "account/balance": "/user/balance",
    "account/positions": "/user/positions",
    "account/fees?market=BTC-USD": "/user/fees?market=BTC-USD",
    "orders": "/user/orders",
}
"""Paths below `/extended/v1`, and the exchange's own."""

Ask = Callable[[], Awaitable[None]]


async def p95_of(rounds: int, ask: Ask) -> float:
    """Ms within which 95 % of the answers came, of all clients at once, one question after the other."""
    found: list[float] = []

    async def client() -> None:
        for _ in range(rounds):
            start = time.perf_counter()
            await ask()
            found.append((time.perf_counter() - start) * 1000)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return quantiles(found, n=100)[94]


async def get(session: aiohttp.ClientSession, url: str) -> None:
    async with session.get(url) as answer:
        assert answer.status == 200, await answer.text()
        await answer.read()


def pass_through(port: int, exchange: str) -> None:
    """A process that sends each read on."""

    async def forward(request: web.Request) -> web.Response:
        session: aiohttp.ClientSession = request.app["session"]
        headers = {"X-Api-Key": STARK_KEYS.key, "User-Agent": "pass-through"}
        async with session.get(exchange + request.raw_path, headers=headers) as answer:
            return web.Response(body=await answer.read(), content_type="application/json")

    async def session(app: web.Application) -> None:
        app["session"] = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS))

    async def close(app: web.Application) -> None:
        await app["session"].close()

    app = web.Application()
    app.on_startup.append(session)
    app.on_cleanup.append(close)
    app.router.add_get("/{path:.*}", forward)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


@contextmanager
def passing(exchange: str) -> Iterator[str]:
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(
        target=pass_through, args=(port, exchange), daemon=True
    )
    process.start()
    until(lambda: _is_taken(port), "the pass-through")
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.join()


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def main(rounds: int) -> None:
    book = book_of("extended")
    book.now = SimulatorClock().now() - 1000
    with TemporaryDirectory(prefix="benchmark-") as folder:
        mongod = EmbeddedMongod(Path(folder))
        uri = mongod.start()
        try:
            async with private_simulator(book, clock=SimulatorClock()) as simulator:
                settings = {
                    "MONGODB_URI": uri,
                    "API_KEYS": f"bench:{ADMIN}:read+trade+admin",
                    "MASTER_KEYS": Fernet.generate_key().decode(),
                    "LIVE_TRADING": "true",
                    **simulated_urls(simulator.url),
                    "EXTENDED_LIVE_ACCOUNT_URL": simulator.extended_url,
                }
                service = await asyncio.to_thread(RunningService, Path(folder) / "log", settings)
                try:
                    with passing(simulator.extended_url) as bare:
                        await measure(simulator, f"http://127.0.0.1:{service.port}", bare, rounds)
                finally:
                    await asyncio.to_thread(service.kill)
        finally:
            mongod.stop()


async def measure(simulator: PrivateSimulator, service: str, bare: str, rounds: int) -> None:
    connector = aiohttp.TCPConnector(limit=CLIENTS)
    async with aiohttp.ClientSession(connector=connector, headers={"X-Api-Key": ADMIN}) as session:
        key, secret, passphrase = STARK_KEYS
        account = {"venue": "extended", "mode": "live", "label": "bench", "key": key, "secret": secret}
        async with session.post(f"{service}/accounts", json=account | {"passphrase": passphrase}) as answer:
            assert answer.status == 201, await answer.text()
        own = {"X-Api-Key": STARK_KEYS.key, "User-Agent": "benchmark"}
        async with aiohttp.ClientSession(headers=own) as direct:
            print(
                f"{CLIENTS} clients, p95 in ms      service  bare  exchange  share of the service", flush=True
            )
            worst = 0.0
            for path, theirs in READS.items():
                ways = (
                    partial(get, session, f"{service}/extended/v1/{path}"),
                    partial(get, session, bare + theirs),
                    partial(get, direct, simulator.extended_url + theirs),
                )
                ours, plain, there = [await p95_of(rounds, way) for way in ways]
                worst = max(worst, ours - there)
                print(f"{path:30} {ours:8.1f} {plain:5.1f} {there:9.1f} {ours - there:10.1f}", flush=True)
        numbers = count()
        bodies = await signed_orders(simulator, CLIENTS * ORDERS)

        async def order() -> None:
            body = {"market": "BTC-USD", "side": "BUY", "qty": "0.001", "price": "29000"}
            own = {"id": f"n{next(numbers)}"}
            async with session.post(f"{service}/extended/v1/orders", json=body | own) as answer:
                assert answer.status == 200, await answer.text()

        async def bare_order() -> None:
            async with session.post(
                f"{simulator.extended_url}/user/order", data=bodies.pop(), headers=own
            ) as answer:
                assert answer.status == 200, await answer.text()

        entry, there = await p95_of(ORDERS, order), await p95_of(ORDERS, bare_order)
        worst = max(worst, entry - there)
        print(f"{'order entry':30} {entry:8.1f} {there:15.1f} {entry - there:10.1f}", flush=True)
        reached = "met" if worst < WANTED_MS else "not met"
        print(f"wanted: the share of everything under {WANTED_MS:.0f} ms: {reached}")


async def signed_orders(simulator: PrivateSimulator, number: int) -> list[bytes]:
    """Bodies that the exchange takes as they are."""
    place, sign = ACCOUNT.placing.place, EXTENDED_ACCOUNT.sign(Keys(*STARK_KEYS))
    assert isinstance(place, Prepared)
    ticket = Ticket(
        product=Product.PERPETUAL_USD,
        symbol="BTC-USD",
        side="buy",
        size=Decimal("0.001"),
        price=Decimal(29_000),
    )
    row = json.dumps({"status": "OK", "data": [market_row(Pair("BTC", "USDC"), PRICE)]}).encode()
    made = place.ask(ticket).parse(Answer(200, {}, row))
    now = simulator.clock.now()
    return [sign(made(ticket, f"bare{one}").request, now).body for one in range(number)]


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
