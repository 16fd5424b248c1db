"""Gauges: a snapshot of the current state, and its text for Prometheus.

Nothing of it is kept. Every label has few values; symbols are labels only for the series in the snapshot.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

SERIES = ("exchange", "market", "symbol")


class SeriesState(NamedTuple):
    """One series: seconds from the end of its newest stored minute until now, and minutes by their state.

    `lag` is None when nothing is stored.
    """

    exchange: str
    market: str
    symbol: str
    lag: float | None
    stored: int
    missing: int


class FollowLag(NamedTuple):
    """One follow: seconds from the end of its known minutes until now."""

    exchange: str
    market: str
    symbol: str
    lag: float


class BudgetState(NamedTuple):
    """One rate budget: the spent part of each limit, and the seconds without requests."""

    used: Mapping[str, float]
    blocked: float


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A snapshot of the service. Without a database it has no series, jobs and follows.

    `follows` counts them by state and source.
    """

    database_up: bool
    worker_up: bool
    budgets: Mapping[str, BudgetState]
    jobs: Mapping[str, int]
    series_stored: int | None = None
    series: Sequence[SeriesState] = ()
    follows: Mapping[tuple[str, str], int] = field(default_factory=dict)
    follow_lags: Sequence[FollowLag] = ()


class Gauges(Collector):
    """A snapshot in the form that Prometheus' library needs."""

    def __init__(self, picture: ServiceState) -> None:
        self._picture = picture

    def collect(self) -> Iterator[GaugeMetricFamily]:
        picture = self._picture
        yield _gauge("database_up", "Whether the database answers.", value=picture.database_up)
        yield _gauge("worker_up", "Whether this process runs jobs.", value=picture.worker_up)
        yield _jobs(picture.jobs)
        yield from _budgets(picture.budgets)
        if picture.series_stored is not None:
            yield _gauge("series", "Series in the ledger.", value=picture.series_stored)
        yield from _series(picture.series)
        yield from _follows(picture)


def _gauge(
    name: str, help: str, labels: Sequence[str] | None = None, value: float | None = None
) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"market_data_{name}", help, value=value, labels=labels)


def _jobs(jobs: Mapping[str, int]) -> GaugeMetricFamily:
    family = _gauge("jobs", "Jobs that are not over, of all processes together.", ["status"])
    for status, count in jobs.items():
        family.add_metric([status], count)
    return family


def _budgets(budgets: Mapping[str, BudgetState]) -> Iterator[GaugeMetricFamily]:
    used = _gauge("budget_used_ratio", "Spent part of the budget.", ["budget", "unit"])
    blocked = _gauge("budget_blocked_seconds", "Seconds without requests after a refusal.", ["budget"])
    for name, state in budgets.items():
        blocked.add_metric([name], state.blocked)
        for unit, part in state.used.items():
            used.add_metric([name, unit], part)
    yield from (used, blocked)


def _series(series: Sequence[SeriesState]) -> Iterator[GaugeMetricFamily]:
    lag = _gauge("series_lag_seconds", "Time from the end of the newest stored minute until now.", SERIES)
    stored = _gauge("series_stored_minutes", "Minutes that are stored.", SERIES)
    missing = _gauge("series_missing_minutes", "Requested minutes that are missing.", SERIES)
    complete = _gauge(
        "series_completeness_ratio", "Stored part of the minutes that the exchange should have.", SERIES
    )
    for one in series:
        labels = [one.exchange, one.market, one.symbol]
        if one.lag is not None:
            lag.add_metric(labels, one.lag)
        stored.add_metric(labels, one.stored)
        missing.add_metric(labels, one.missing)
        expected = one.stored + one.missing
        complete.add_metric(labels, one.stored / expected if expected else 1.0)
    yield from (lag, stored, missing, complete)


def _follows(picture: ServiceState) -> Iterator[GaugeMetricFamily]:
    follows = _gauge("follows", "Followed series by state and source of candles.", ["state", "source"])
    for labels, count in picture.follows.items():
        follows.add_metric(labels, count)
    lag = _gauge("follow_lag_seconds", "Time from the end of the known minutes until now.", SERIES)
    for one in picture.follow_lags:
        lag.add_metric([one.exchange, one.market, one.symbol], one.lag)
    yield from (follows, lag)
