"""The coverage of one series while somebody works on it: leased, changed in memory, saved durably.

Only the holder of a series' lease can write its ledger, in any process. While nobody holds the lease, pushed
candles may extend the ledger's end (`append.py`). A lease runs out if it is not renewed. Its token becomes
invalid when another process takes the lease or the ledger grows, so that an owner that slept cannot write.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from backend.clock import Clock
from backend.core.coverage import Coverage
from backend.core.series import Series
from backend.errors import DatabaseUnavailable, LeaseLost, SeriesBusy
from backend.loops import Loops
from backend.services.ports import CoverageStore, Lease

log = logging.getLogger(__name__)

RENEWALS = 3
"""Number of renewals during the length of a lease."""

ANOTHER_TRY = 0.5
FAREWELL_SECONDS = 2.0
"""Longest time to release a lease. If that fails, the lease runs out by itself."""


class Ledger:
    """The coverage of a leased series in this process. It is a few moments ahead of the saved one."""

    def __init__(self, store: CoverageStore, lease: Lease) -> None:
        self._store = store
        self._lease = lease
        self._saved = lease.coverage
        self._rewrites = self._told = 0
        self._saving = asyncio.Lock()
        self.coverage = lease.coverage

    @property
    def series(self) -> Series:
        return self._lease.series

    @property
    def token(self) -> str:
        """The proof of the right to write."""
        return self._lease.token

    async def record(self, change: Callable[[Coverage], Coverage], *, rewritten: bool = False) -> None:
        """Apply `change` and return when it is on disk. Callers that come together share one write.

        `rewritten`: candles were replaced or deleted. Then the ledger is written even if it is the same, so
        that it gets a new mark.

        Raises LeaseLost when another process works on the series by now.
        """
        self.coverage = change(self.coverage)
        self._rewrites += rewritten
        async with self._saving:
            if (self.coverage, self._rewrites) != (self._saved, self._told):
                saving, told = self.coverage, self._rewrites
                if not await self._store.save(self._lease, saving, self._saved):
                    raise LeaseLost(f"another process works on {self.series.name} now")
                self._saved, self._told = saving, told


class Ledgers:
    """Lends out ledgers, one holder a series. `owner` names this process; `seconds` is a lease's length."""

    def __init__(
        self, *, store: CoverageStore, clock: Clock, owner: str, seconds: float, loops: Loops | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._owner = owner
        self._seconds = seconds
        self._loops = loops or Loops(clock)
        self._held: set[Series] = set()

    @asynccontextmanager
    async def hold(self, series: Series, patience: float = 0.0) -> AsyncIterator[Ledger]:
        """The ledger of `series` for as long as the block lasts.

        Raises SeriesBusy when somebody else still holds it after `patience` seconds.
        """
        lease = await self._acquire(series, patience)
        keeper = asyncio.create_task(self._keep(lease))
        try:
            yield Ledger(self._store, lease)
        finally:
            keeper.cancel()
            self._loops.forget(lease.token)
            try:
                await self._release(lease)
            finally:
                self._held.discard(series)

    async def free(self, series: list[Series]) -> set[Series]:
        """Those of `series` that nobody holds."""
        unheld = [one for one in series if one not in self._held]
        return set(unheld) - await self._store.leased(unheld, self._owner)

    async def _acquire(self, series: Series, patience: float) -> Lease:
        deadline = self._clock.monotonic() + patience
        while True:
            if series not in self._held:
                self._held.add(series)
                try:
                    if lease := await self._store.acquire(series, self._owner, self._seconds):
                        return lease
                except BaseException:
                    self._held.discard(series)
                    raise
                self._held.discard(series)
            if self._clock.monotonic() >= deadline:
                raise SeriesBusy(f"a job of {series.name} is running: wait for its end, or cancel it")
            await self._clock.sleep(ANOTHER_TRY)

    async def _keep(self, lease: Lease) -> None:
        """Renew the lease until another process has taken it. After a failure try again, even after its end:
        each write proves the lease with its token, so nothing wrong can be claimed meanwhile."""
        held = True
        while held:
            await self._clock.sleep(self._seconds / RENEWALS)
            with self._loops.surviving("renewals of leases", lease.token):
                held = await self._store.renew(lease, self._seconds)
        log.warning("%s: another process has its lease now", lease.series.name)

    async def _release(self, lease: Lease) -> None:
        try:
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._store.release(lease)
        except (DatabaseUnavailable, TimeoutError) as error:
            why = str(error) or f"the database took over {FAREWELL_SECONDS:g} seconds"
            log.warning("%s: the lease could not be released and will run out: %s", lease.series.name, why)
