"""What the service adds to an order on its way to the exchange: `python -m benchmarks.orders [orders]`.

From the call to the first byte at the exchange: judged by the account's limits, written to a real mongod,
signed and sent; beside a bare signed request of aiohttp in the same run. Alone, and during a sync of years of
candles at full speed: by the same process, and by a worker beside it. Orders come one after the other, as
often as the exchange allows.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory

import aiohttp
from cryptography.fernet import Fernet
from yarl import URL

from backend.app import open_service
from backend.clock import SystemClock, parse_time
from backend.core.series import Series
from backend.exchanges.bitget.account import BITGET_ACCOUNT, CLASSIC
from backend.exchanges.private.venue import Prepared
from backend.services.service import Service
from backend.settings import load_settings
from backend.store.embedded import EmbeddedMongod
from backend.trading.account import Mode
from backend.trading.account_keys import Keys
from backend.trading.risk import Limits
from backend.trading.rows import Product
from backend.trading.tickets import Ticket
from tests.integration.processes import RunningService, running_simulator
from tests.ordering import book_of
from tests.simulator import SimulatorClock
from tests.simulator.private.running import KEYS, PrivateSimulator, private_simulator
from tests.syncing import run_job

TICKET = Ticket(
    product=Product.PERPETUAL_USDT,
    symbol="BTCUSDT",
    side="buy",
    size=Decimal("0.01"),
    price=Decimal(20_000),
    held="long",
)
LIMITS = Limits(max_order_value=Decimal(10_000), entries_per_minute=600)
BETWEEN = 0.12
"""Seconds between two orders: the exchange takes ten a second."""
SYNC_SINCE = parse_time("2018-01-01")

Send = Callable[[int], Awaitable[object]]


async def times_of(simulator: PrivateSimulator, orders: int, send: Send) -> list[float]:
    """Ms from each call to its arrival."""
    arrived: list[float] = []

    def note(point: str) -> None:
        if point == "received":
            arrived.append(time.perf_counter())

    simulator.faults.private.on_placing = note
    found = []
    for number in range(orders):
        began = time.perf_counter()
        await send(number)
        found.append((arrived[-1] - began) * 1000)
        await asyncio.sleep(BETWEEN)
    return found


def told(name: str, times: list[float]) -> tuple[float, float]:
    parts = quantiles(times, n=100)
    print(f"{name}: p50 {parts[49]:.1f} ms, p95 {parts[94]:.1f} ms", flush=True)
    return parts[49], parts[94]


async def bare(simulator: PrivateSimulator, orders: int) -> list[float]:
    """What one writes first: sign, send, read the answer."""
    sign, place = BITGET_ACCOUNT.sign(Keys(*KEYS)), CLASSIC.placing.place
    assert not isinstance(place, Prepared)
    async with aiohttp.ClientSession() as session:

        async def send(number: int) -> None:
            call = place(TICKET, f"bare{number}")
            signed = sign(call.request, SystemClock().now())
            url = URL(simulator.url + signed.target, encoded=True)
            async with session.post(url, headers=signed.headers, data=signed.body) as answer:
                await answer.read()

        return await times_of(simulator, orders, send)


@asynccontextmanager
async def syncing(service: Service) -> AsyncIterator[None]:
    """A sync that does not end by itself."""
    series = Series("binance", "spot", "BTCUSDT")
    task = asyncio.create_task(run_job(service, series, SYNC_SINCE, SystemClock().now()))
    await asyncio.sleep(2)
    try:
        yield
        assert not task.done(), "the sync ended before the orders did"
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def main(orders: int) -> None:
    clock = SimulatorClock()
    book = book_of("classic")
    book.now = clock.now() - 1000
    with TemporaryDirectory(prefix="benchmark-") as folder, running_simulator() as candles:
        mongod = EmbeddedMongod(Path(folder))
        try:
            async with private_simulator(book, clock=clock) as simulator:
                texts = {
                    "MONGODB_URI": mongod.start(),
                    "BINANCE_SPOT_URL": candles,
                    "BITGET_URL": candles,
                    "BITGET_LIVE_ACCOUNT_URL": simulator.url,
                    "LIVE_TRADING": "true",
                    "MASTER_KEYS": Fernet.generate_key().decode(),
                    "API_KEYS": "bench:dummy-key-of-benchmarks:trade",
                }
                print("one process:")
                async with open_service(load_settings(texts)) as service:
                    await measure(service, simulator, orders)
                print("a worker beside it syncs:")
                texts |= {"MONGODB_DATABASE": "beside"}
                worker = RunningService(Path(folder) / "log", texts | {"ROLE": "worker"})
                try:
                    async with open_service(load_settings(texts | {"ROLE": "api"})) as service:
                        await measure(service, simulator, orders)
                finally:
                    worker.kill()
        finally:
            mongod.stop()


async def measure(service: Service, simulator: PrivateSimulator, orders: int) -> None:
    assert service.trading is not None
    trading = service.trading
    account = await trading.accounts.add("bitget", Mode.LIVE, "benchmark", Keys(*KEYS))
    await trading.accounts.change(account.id, label=None, frozen=None, limits=LIMITS)

    async def send(_: int) -> None:
        await trading.orders.executor.place(account.id, TICKET, caller="benchmark")

    await times_of(simulator, 10, send)
    plain = told("bare signed request", await bare(simulator, orders))
    alone = told("the service, alone", await times_of(simulator, orders, send))
    async with syncing(service):
        busy = told("the service, during a sync", await times_of(simulator, orders, send))
    ratios = alone[1] / plain[1], busy[1] / alone[1]
    print(f"p95 alone beside bare: {ratios[0]:.1f}; during a sync beside alone: {ratios[1]:.1f}")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200))
