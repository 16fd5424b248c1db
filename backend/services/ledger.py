"""One series' coverage during a sync: changed in memory, saved durably, merged with other writers'."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Self

from backend.core.coverage import Coverage
from backend.core.series import Series
from backend.services.ports import CoverageStore, Entry


class Ledger:
    """The coverage of `series` as this process knows it; it runs ahead of what is saved by moments."""

    def __init__(self, store: CoverageStore, series: Series, entry: Entry) -> None:
        self._store = store
        self._series = series
        self._saved = entry
        self._saving = asyncio.Lock()
        self.coverage = entry.coverage

    @classmethod
    async def load(cls, store: CoverageStore, series: Series) -> Self:
        return cls(store, series, await store.load(series))

    async def record(self, change: Callable[[Coverage], Coverage]) -> None:
        """Apply `change` and return when it is on disk. Callers that come together share one write."""
        self.coverage = change(self.coverage)
        async with self._saving:
            while self.coverage != self._saved.coverage:
                await self._save(self.coverage)

    async def _save(self, coverage: Coverage) -> None:
        if await self._store.save(self._series, coverage, self._saved.version):
            self._saved = Entry(coverage, self._saved.version + 1)
        else:
            self._saved = await self._store.load(self._series)
            self.coverage = self._saved.coverage.united(self.coverage)
