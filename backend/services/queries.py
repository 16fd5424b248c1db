"""Reading what is stored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from backend.core.candles import Candle
from backend.core.coverage import MINUTE, Coverage, Window, count_minutes
from backend.core.series import Series
from backend.errors import SeriesNotStored
from backend.services.ports import CandleStore, CoverageStore


@dataclass(frozen=True, slots=True)
class Statistics:
    """What is stored of a series; first and last are open times in ms, None when nothing is stored."""

    series: Series
    total_records: int
    first_record: int | None
    last_record: int | None


def statistics_of(series: Series, coverage: Coverage) -> Statistics:
    """Read from the ledger, so that the cost does not grow with what is stored."""
    held = coverage.held
    return Statistics(
        series,
        total_records=count_minutes(held),
        first_record=held[0].start if held else None,
        last_record=held[-1].end - MINUTE if held else None,
    )


class Queries:
    """Both raise SeriesNotStored for a series of which nothing is held, and DatabaseUnavailable."""

    def __init__(self, candles: CandleStore, coverage: CoverageStore) -> None:
        self._candles = candles
        self._coverage = coverage

    async def statistics(self, series: Series) -> Statistics:
        found = statistics_of(series, (await self._coverage.load(series)).coverage)
        if not found.total_records:
            raise SeriesNotStored(
                f"nothing is stored of {series.symbol} ({series.exchange} {series.market}): sync it first"
            )
        return found

    async def candles(
        self, series: Series, window: Window, limit: int | None = None
    ) -> AsyncIterator[list[Candle]]:
        """The stored candles that open in `window` (the first `limit`), ascending, in batches."""
        await self.statistics(series)
        return self._candles.batches(series, window, limit)
