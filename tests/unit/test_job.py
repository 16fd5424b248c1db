"""Jobs as values: what covers what, whose turn it is, how long the rest takes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.job import Job, SyncRequest, Tally, next_jobs
from backend.core.series import Series
from tests.fakes import BTC, START, minute

ETH = Series("binance", "spot", "ETHUSDT")


@pytest.mark.parametrize(
    ("doing", "asked", "covered"),
    [
        (SyncRequest(BTC), SyncRequest(BTC), True),
        (SyncRequest(BTC), SyncRequest(ETH), False),
        (SyncRequest(BTC, 5, 9), SyncRequest(BTC, 5, 9), True),
        (SyncRequest(BTC, 5, 9), SyncRequest(BTC, 6, 8), True),
        (SyncRequest(BTC, 5, 9), SyncRequest(BTC, 4, 8), False),
        (SyncRequest(BTC, 5, 9), SyncRequest(BTC, 6, 10), False),
        (SyncRequest(BTC, 5), SyncRequest(BTC, 6, 10), True),
        (SyncRequest(BTC, 5, 9), SyncRequest(BTC, 6), False),
        (SyncRequest(BTC, 5), SyncRequest(BTC), False),
        (SyncRequest(BTC), SyncRequest(BTC, 5), False),
        (SyncRequest(BTC, None, 9), SyncRequest(BTC, None, 8), True),
        (SyncRequest(BTC, 5, 9, refresh=True), SyncRequest(BTC, 6, 8, refresh=True), True),
        (SyncRequest(BTC, 5, 9, refresh=True), SyncRequest(BTC, 6, 8), False),
        (SyncRequest(BTC, 5, 9), SyncRequest(BTC, 6, 8, refresh=True), False),
    ],
)
def test_a_request_covers_what_it_does_anyway(doing: SyncRequest, asked: SyncRequest, covered: bool) -> None:
    assert doing.covers(asked) is covered


def job(name: str, series: Series, created: int) -> Job:
    return Job(name, SyncRequest(series), created)


series = st.builds(
    Series, st.sampled_from(["binance", "bitget", "bingx"]), st.just("spot"), st.sampled_from("ABCDE")
)
jobs = st.lists(series, max_size=12).map(
    lambda found: [job(str(number), one, minute(number)) for number, one in enumerate(found)]
)


@given(jobs, jobs, st.integers(0, 6))
def test_chosen_jobs_fit_the_room_and_never_work_on_one_series_twice(
    waiting: list[Job], running: list[Job], room: int
) -> None:
    chosen = next_jobs(waiting, running, room)
    names = [one.request.series for one in chosen]
    busy = {one.request.series for one in running}
    free = {one.request.series for one in waiting} - busy
    assert len(names) == len(set(names)) == min(room, len(free))
    assert not busy & set(names)


@given(jobs)
def test_of_one_series_the_oldest_job_comes_first(waiting: list[Job]) -> None:
    for one in next_jobs(waiting, [], 100):
        same = [other for other in waiting if other.request.series == one.request.series]
        assert one == min(same, key=lambda other: other.created)


def test_a_busy_exchange_lets_the_others_pass() -> None:
    waiting = [
        job("one", Series("binance", "spot", "A"), 1),
        job("two", Series("binance", "spot", "B"), 2),
        job("three", Series("bitget", "spot", "A"), 3),
        job("four", Series("bitget", "spot", "B"), 4),
    ]
    running = [job("none", Series("binance", "perpetual", "A"), 0)]
    assert [one.id for one in next_jobs(waiting, running, 3)] == ["three", "one", "four"]


def test_the_rest_takes_as_long_as_the_rate_says() -> None:
    running = replace(job("one", BTC, START), status="running", tally=Tally(100, 400), rate=50.0)
    assert running.seconds_left == 6.0
    assert replace(running, rate=0.0).seconds_left is None
    assert replace(running, status="done").seconds_left is None


def test_tallies_add_up() -> None:
    assert Tally(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0.5) + Tally(
        10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 1.0
    ) == Tally(11, 22, 33, 44, 55, 66, 77, 88, 99, 110, 1.5)
