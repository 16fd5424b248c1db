"""How near to the exchange's limit an order history is extracted, and what a stored one costs to read.

`python -m benchmarks.history [orders]`, 100,000 unless another number is given: a simulated Bitget account of
80 days and 40 symbols, within the documented limits. The least time is that of the path which was asked most,
at its limit and our share of it. Then pages of what is stored are read, the first and those behind.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import time
from dataclasses import replace
from statistics import quantiles
from tempfile import TemporaryDirectory

from cryptography.fernet import Fernet

from backend.access.keys import read_keys
from backend.app import open_service
from backend.exchanges.bitget.account import BITGET_ACCOUNT
from backend.services.history.ports import Place, RowsWanted
from backend.services.service import Trading
from backend.settings import Settings, load_settings
from backend.trading.account import Account, Mode
from backend.trading.account_keys import Keys
from backend.trading.extraction import Extraction
from backend.trading.history import Kind
from tests.simulator.private.book import Facts
from tests.simulator.private.generator import NOW, generated
from tests.simulator.private.running import private_simulator
from tests.simulator.times import DAY

SHARE = 0.9
DAYS = 80
SYMBOLS = 10
PAGE = 100
READS = 200


async def main(orders: int) -> None:
    facts = Facts(registered=NOW - (DAYS + 1) * DAY)
    began = time.monotonic()
    book = generated(seed=3, orders=orders, days=DAYS, symbols=SYMBOLS, facts=facts)
    print(f"{len(book.orders):,} orders, {len(book.fills):,} fills, {len(book.bills):,} bills", end=" ")
    print(f"(made in {time.monotonic() - began:.0f} s)")
    with TemporaryDirectory(prefix="benchmark-") as folder:
        async with (
            private_simulator(book, limits=True) as simulator,
            open_service(_settings(folder, simulator.url)) as service,
        ):
            assert service.trading is not None
            keys = Keys(*simulator.keys)
            account = await service.trading.accounts.add("bitget", Mode.LIVE, "", keys)
            before = dict(simulator.requests.counts()["paths"])
            ended, seconds = await _extract(service.trading, account)
            counts = simulator.requests.counts()["paths"]
            asked = {path: count - before.get(path, 0) for path, count in counts.items()}
            await _tell(service.trading, account, ended, seconds, asked, len(book.orders))


def _settings(folder: str, url: str) -> Settings:
    settings = load_settings({"DATA_DIR": folder, "RATE_LIMIT_SHARE": str(SHARE)})
    return replace(
        settings,
        api_keys=read_keys("benchmark:dummy-key-of-the-benchmark:admin"),
        master_keys=(Fernet.generate_key().decode(),),
        account_urls=dict.fromkeys(settings.account_urls, url),
    )


async def _extract(trading: Trading, account: Account) -> tuple[Extraction, float]:
    began = time.monotonic()
    asked = await trading.extractions.submit(Extraction(id="", account=account.id, created=0))
    while not (found := await trading.extractions.wait(asked.id, 30)).over:
        print(
            f"  {time.monotonic() - began:4.0f} s: {found.rows:,} rows, {found.requests:,} requests",
            flush=True,
        )
    return found, time.monotonic() - began


async def _tell(
    trading: Trading,
    account: Account,
    ended: Extraction,
    seconds: float,
    asked: dict[str, int],
    orders: int,
) -> None:
    limits = {limit.unit: limit.capacity / limit.seconds * SHARE for limit in BITGET_ACCOUNT.limits}
    least = {path: count / limits[path] for path, count in asked.items() if path in limits}
    path = max(least, key=lambda one: least[one])
    print(f"{ended.status}: {ended.rows:,} rows, {ended.requests:,} requests in {seconds:.0f} s")
    print(f"least time by {path} ({asked[path]:,} questions): {least[path]:.0f} s")
    print(f"of the budget: {least[path] / seconds:.2f}")
    known = await trading.histories.completeness(account.id)
    assert known.proof is not None
    print(f"complete: {known.is_complete}, adds up: {known.proof.holds}, compared {known.proof.checked}")
    times, count = [], 0
    place: Place | None = None
    while True:
        began = time.monotonic()
        page = await trading.histories.page(Kind.ORDERS, RowsWanted(account=account.id), place, PAGE)
        times.append((time.monotonic() - began) * 1000)
        count += len(page)
        if not page:
            break
        place = page[-1][0]
    assert count == orders
    print(
        f"a page of {PAGE} of {count:,} orders: p50 {_part(times, 50):.1f} ms, p95 {_part(times, 95):.1f} ms"
    )
    print(f"memory of the process with the simulated exchange: {_megabytes():.0f} MB at most")


def _part(times: list[float], percent: int) -> float:
    return quantiles(times, n=100)[percent - 1]


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
