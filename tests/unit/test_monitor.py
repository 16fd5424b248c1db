"""Pictures of the moment: what a series' ledger tells, and what is told when the database does not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

import pytest

from backend.core.coverage import Coverage, Void, void_before_listing
from backend.core.follow import Follow, Standing
from backend.core.minutes import Minutes
from backend.core.series import Series
from backend.core.windows import Window
from backend.errors import DatabaseUnavailable
from backend.services.jobs.worker import Condition, Worker
from backend.services.ports import JobStore
from backend.services.running.monitor import Monitor, state_of
from backend.telemetry.gauges import BudgetState, FollowLag, SeriesState
from tests.fakes import BTC, START, FakeClock, MemoryCoverage, minute, minutes

LABELS = ("binance", "spot", "BTCUSDT")
ETH = Series("binance", "spot", "ETHUSDT")


def known(*held: Window, voids: tuple[Void, ...] = (), until: int = 50) -> Coverage:
    """A ledger of a series that was asked for from START to a minute."""
    return Coverage(since=START, until=minute(until), held=Minutes.of(held), voids=voids)


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        (known(minutes(0, 50)), SeriesState(*LABELS, 90.0, 50, 0)),
        (known(minutes(0, 20), minutes(30, 50)), SeriesState(*LABELS, 90.0, 40, 10)),
        (known(minutes(0, 20)), SeriesState(*LABELS, 30 * 60 + 90.0, 20, 30)),
        (
            known(minutes(0, 20), voids=(Void(minutes(20, 50), "no_data", minute(50), None),)),
            SeriesState(*LABELS, 30 * 60 + 90.0, 20, 0),
        ),
        (known(), SeriesState(*LABELS, None, 0, 50)),
        (
            known(minutes(40, 50), voids=(void_before_listing(minute(40), minute(50)),)),
            SeriesState(*LABELS, 90.0, 10, 0),
        ),
    ],
)
def test_a_ledger_tells_lag_and_completeness(coverage: Coverage, expected: SeriesState) -> None:
    assert state_of(BTC, coverage, minute(51) + 30_000) == expected


def test_a_clock_that_is_behind_makes_no_negative_lag() -> None:
    assert state_of(BTC, known(minutes(0, 50)), minute(3)).lag == 0


class OneOfEach:
    """As much of a job store as a monitor asks."""

    async def queued(self) -> int:
        return 2

    async def running(self) -> int:
        return 1


class Lazybones:
    """As much of a worker as a monitor asks."""

    condition: Condition = "none"


class HalfSpent:
    """A budget of which half is spent."""

    blocked = 7.0

    def used(self) -> dict[str, float]:
        return {"weight": 0.5}


async def yes() -> bool:
    return True


async def no() -> bool:
    return False


async def never() -> bool:
    return await asyncio.Event().wait()


FOLLOW = Follow(BTC, START, START)
LIVE = Standing(FOLLOW, "live", minute(49), 4000)
BEHIND = Standing(replace(FOLLOW, series=ETH, source="socket"), "behind", minute(9), 2_400_000)
WAITING = Standing(replace(FOLLOW, series=Series("bingx", "spot", "BTCUSDT")), "waiting", None, None)


async def one_of_each_state() -> list[Standing]:
    return [LIVE, BEHIND, WAITING]


def monitor(
    ledger: MemoryCoverage, database_answers: Callable[[], Awaitable[bool]] = yes, most_series: int = 10
) -> Monitor:
    """A monitor with the least patience there is."""
    return Monitor(
        ledger=ledger,
        jobs=cast(JobStore, OneOfEach()),
        worker=cast(Worker, Lazybones()),
        budgets={"binance-spot": HalfSpent()},
        database_answers=database_answers,
        follows=one_of_each_state,
        clock=FakeClock(minute(50)),
        most_series=most_series,
        patience=0.05,
    )


async def test_a_picture_has_the_newest_series_only() -> None:
    ledger = MemoryCoverage()
    ledger.entries = {BTC: known(minutes(0, 10), until=10), ETH: known(minutes(0, 50))}
    picture = await monitor(ledger, most_series=1).picture()
    assert (picture.database_up, picture.worker_up, picture.series_stored) == (True, False, 2)
    assert picture.series == [SeriesState("binance", "spot", "ETHUSDT", 0.0, 50, 0)]
    assert picture.jobs == {"queued": 2, "running": 1}


async def test_a_picture_counts_follows_and_has_the_lags_of_those_with_trouble_first() -> None:
    picture = await monitor(MemoryCoverage(), most_series=1).picture()
    assert {labels for labels, count in picture.follows.items() if count} == {
        ("live", "rest"),
        ("behind", "socket"),
        ("waiting", "rest"),
    }
    assert len(picture.follows) == 10
    assert picture.follow_lags == [FollowLag("binance", "spot", "ETHUSDT", 2400.0)]
    both = await monitor(MemoryCoverage()).picture()
    assert [one.lag for one in both.follow_lags] == [2400.0, 4.0]


@pytest.mark.parametrize("database_answers", [no, never])
async def test_without_a_database_the_rest_is_told_in_time(
    database_answers: Callable[[], Awaitable[bool]],
) -> None:
    picture = await monitor(MemoryCoverage(), database_answers).picture()
    assert not picture.database_up
    assert picture.series_stored is None
    assert (picture.follows, picture.follow_lags) == ({}, ())
    assert picture.budgets == {"binance-spot": BudgetState({"weight": 0.5}, 7.0)}


async def test_a_database_that_fails_in_the_middle_counts_as_away() -> None:
    ledger = MemoryCoverage()
    ledger.failure = DatabaseUnavailable("away")
    assert not (await monitor(ledger).picture()).database_up
