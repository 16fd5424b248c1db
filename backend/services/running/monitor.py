"""The current state of the service, read on request: for Prometheus and for orchestrators."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import product
from typing import Protocol, get_args

from backend.clock import Clock
from backend.core.coverage import Coverage
from backend.core.follow import Source, Standing, State
from backend.core.series import Series
from backend.core.statistics import statistics_of
from backend.errors import DatabaseUnavailable
from backend.services.jobs.worker import Worker
from backend.services.ports import CoverageStore, JobStore
from backend.telemetry.gauges import BudgetState, FollowLag, SeriesState, ServiceState

PATIENCE = 4.0
"""Seconds that the database has to answer. Prometheus itself waits for ten."""


class SpentBudget(Protocol):
    """One rate budget, to look at."""

    @property
    def blocked(self) -> float:
        """Seconds for which nothing may be sent."""

    def used(self) -> Mapping[str, float]:
        """For each of its limits, the part spent."""


class Monitor:
    """Takes snapshots with at most `most_series` series and follows.

    Never raises DatabaseUnavailable.
    """

    def __init__(
        self,
        *,
        ledger: CoverageStore,
        jobs: JobStore,
        worker: Worker,
        budgets: Mapping[str, SpentBudget],
        database_answers: Callable[[], Awaitable[bool]],
        follows: Callable[[], Awaitable[Sequence[Standing]]],
        clock: Clock,
        most_series: int,
        patience: float = PATIENCE,
    ) -> None:
        self._ledger = ledger
        self._jobs = jobs
        self._worker = worker
        self._budgets = budgets
        self._database_answers = database_answers
        self._follows = follows
        self._clock = clock
        self._most_series = most_series
        self._patience = patience

    async def picture(self) -> ServiceState:
        """The facts in memory, and those that the database answers in time."""
        try:
            async with asyncio.timeout(self._patience):
                if await self._database_answers():
                    return await self._whole_picture()
        except (DatabaseUnavailable, TimeoutError):
            pass
        return ServiceState(False, self._worker_up(), self._budget_states(), {})

    async def _whole_picture(self) -> ServiceState:
        ledgers = await self._ledger.newest(self._most_series)
        stored = await self._ledger.count()
        jobs = {"queued": await self._jobs.queued(), "running": await self._jobs.running()}
        now = self._clock.now()
        series = [state_of(one, known, now) for one, known in ledgers]
        follows = await self._follows()
        lags = follow_lags(follows, self._most_series)
        return ServiceState(
            True, self._worker_up(), self._budget_states(), jobs, stored, series, follow_counts(follows), lags
        )

    def _worker_up(self) -> bool:
        return self._worker.condition == "running"

    def _budget_states(self) -> dict[str, BudgetState]:
        return {name: BudgetState(budget.used(), budget.blocked) for name, budget in self._budgets.items()}


def state_of(series: Series, known: Coverage, now: int) -> SeriesState:
    """The state of a series at `now` (ms). A late machine clock makes no negative lag."""
    statistics = statistics_of(series, known)
    lag = max(0, now - known.held.end) / 1000 if known.held else None
    return SeriesState(
        series.exchange,
        series.market,
        series.symbol,
        lag,
        statistics.total_records,
        statistics.missing_records,
    )


def follow_counts(follows: Sequence[Standing]) -> dict[tuple[str, str], int]:
    """How many follows there are of each state and source, 0 included."""
    counts = Counter((one.state, one.follow.source) for one in follows)
    return {labels: counts[labels] for labels in product(get_args(State), get_args(Source))}


def follow_lags(follows: Sequence[Standing], most: int) -> list[FollowLag]:
    """The lag of `most` follows that have candles: those with trouble first, then always the same ones."""
    ordered = sorted(follows, key=lambda one: one.state == "live")
    lags = [(one.follow.series, one.lag) for one in ordered if one.lag is not None]
    return [FollowLag(one.exchange, one.market, one.symbol, lag / 1000) for one, lag in lags[:most]]
