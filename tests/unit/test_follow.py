"""Follows as values: who keeps them, when they are visited, how they stand, how far they are known."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from backend.core.contiguous import known_to, live_from
from backend.core.coverage import Coverage, void_before_listing, void_without_data
from backend.core.follow import (
    LONGEST_PAUSE,
    SILENT_MS,
    Follow,
    beginnings,
    healed,
    is_silent,
    keeper_of,
    pause_after,
    reach_of,
    standing,
    until_next_visit,
)
from backend.core.minutes import Minutes
from backend.core.series import Series
from backend.core.windows import MINUTE
from tests.fakes import BTC, START, minute, minutes

MANY = [Series("binance", "spot", f"COIN{number}USDT") for number in range(300)]
FOLLOW = Follow(BTC, None, created=START)


def test_follows_are_shared_out_evenly() -> None:
    kept = [keeper_of(series, ("one", "two", "three")) for series in MANY]
    assert all(70 < kept.count(name) < 130 for name in ("one", "two", "three"))


def test_when_a_keeper_goes_only_its_own_follows_move() -> None:
    for series in MANY:
        before = keeper_of(series, ("one", "two", "three"))
        after = keeper_of(series, ("one", "two"))
        assert after == before or before == "three"


def test_without_a_keeper_nobody_looks_after_a_follow() -> None:
    assert keeper_of(BTC, ()) is None


@given(st.integers(START, START + 10 * MINUTE), st.integers(0, 59_000), st.integers(1, 100_000))
def test_the_next_visit_is_after_the_end_of_a_minute_and_within_one(
    now: int, settle: int, follows: int
) -> None:
    pause = until_next_visit(BTC, now, settle, follows)
    assert 0 < pause <= MINUTE
    following = until_next_visit(BTC, now + pause, settle, follows)
    assert following == MINUTE


def test_few_follows_are_visited_soon_after_the_minute_and_many_all_over_it() -> None:
    few = [until_next_visit(series, START, 2000, 10) for series in MANY]
    assert all(2000 <= pause < 4000 for pause in few)
    many = [until_next_visit(series, START, 2000, 1000) for series in MANY]
    seconds = {pause // 1000 for pause in many}
    assert len(seconds) > 30


def test_the_pause_after_failures_doubles_up_to_a_limit() -> None:
    assert [pause_after(failures) for failures in (1, 2, 3)] == [5, 10, 20]
    assert pause_after(1000) == LONGEST_PAUSE
    assert pause_after(1, retry_after=30.0) == 30.0


def test_a_follow_is_live_behind_failing_or_waiting() -> None:
    known = Coverage(since=START, held=Minutes.of((minutes(0, 10),)), until=minute(10))
    assert standing(FOLLOW, reach_of(Coverage()), minute(10)).state == "waiting"
    found = standing(FOLLOW, reach_of(known), minute(10) + 4000)
    assert (found.state, found.last_minute, found.lag) == ("live", minute(9), 4000)
    assert standing(FOLLOW, reach_of(known), minute(20)).state == "behind"
    assert standing(replace(FOLLOW, failures=1), reach_of(known), minute(10)).state == "failing"


def test_who_lacks_more_than_an_hour_gets_the_newest_hour_first() -> None:
    known = Coverage(since=START, held=Minutes.of((minutes(0, 100),)), until=minute(100))
    assert beginnings(FOLLOW, known, minute(160) + 59_999) == [None]
    assert beginnings(FOLLOW, known, minute(161)) == [minute(101), None]
    earlier = replace(FOLLOW, since=minute(-61))
    assert beginnings(earlier, known, minute(100)) == [minute(40), minute(-61)]
    assert beginnings(earlier, Coverage(), minute(100)) == [minute(40), minute(-61)]


def test_a_series_of_which_nobody_said_where_it_begins_is_fetched_from_there() -> None:
    assert beginnings(FOLLOW, Coverage(), minute(500)) == [None]


def test_a_follow_that_begins_in_the_future_waits() -> None:
    assert beginnings(replace(FOLLOW, since=minute(600)), Coverage(), minute(500)) == [minute(600)]


def test_minutes_that_the_exchange_does_not_have_are_no_lag() -> None:
    known = Coverage(since=START, held=Minutes.of((minutes(0, 5),)), until=minute(10))
    quiet = known.with_voids([void_without_data(minutes(5, 10), minute(12))])
    assert standing(FOLLOW, reach_of(quiet), minute(10) + 1).lag == 1


def test_minutes_between_held_ones_are_healed_and_others_are_not() -> None:
    before = Coverage(held=Minutes.of((minutes(0, 5), minutes(8, 10))))
    after = Coverage(held=Minutes.of((minutes(-5, 7), minutes(8, 15))))
    assert healed(before, after) == 2
    assert healed(Coverage(), after) == 0


def test_a_series_is_known_to_its_first_gap() -> None:
    known = Coverage(since=START, held=Minutes.of((minutes(0, 5), minutes(8, 10))), until=minute(10))
    assert known_to(known, START) == minute(5)
    assert known_to(known, minute(5)) == minute(5)
    assert known_to(known, minute(9)) == minute(10)
    assert known_to(known, minute(10)) == minute(10)


def test_a_young_minute_without_data_may_be_late_and_an_old_one_is_believed() -> None:
    known = Coverage(since=START, held=Minutes.of((minutes(0, 5), minutes(6, 7))), until=minute(7))
    young = known.with_voids([void_without_data(minutes(5, 6), minute(6) + 2000)])
    assert known_to(young, START) == minute(5)
    believed = known.with_voids([void_without_data(minutes(5, 6), minute(7) + 2000)])
    assert known_to(believed, START) == minute(7)


def test_time_before_the_listing_is_known() -> None:
    known = Coverage(since=0, held=Minutes.of((minutes(0, 5),)), until=minute(5))
    assert known_to(known.with_voids([void_before_listing(START, minute(5))]), 0) == minute(5)


def test_what_is_new_begins_after_the_last_held_minute() -> None:
    assert live_from(Coverage(held=Minutes.of((minutes(0, 5),))), minute(9)) == minute(5)
    assert live_from(Coverage(), minute(9) + 1) == minute(9)


def test_what_has_ended_has_a_last_minute_and_no_lag() -> None:
    ended = replace(FOLLOW, ended=True)
    known = Coverage().asked(minutes(0, 9)).with_held([minutes(0, 9)])
    assert standing(ended, reach_of(known), minute(9000)) == (ended, "ended", minute(8), None)
    assert standing(ended, reach_of(Coverage()), minute(9000)).state == "waiting"


def test_a_series_is_silent_when_nothing_came_for_a_day() -> None:
    known = Coverage().with_held([minutes(0, 9)])
    assert not is_silent(known, minute(9) + SILENT_MS - 1)
    assert is_silent(known, minute(9) + SILENT_MS)
    assert not is_silent(Coverage(), minute(9) + SILENT_MS)
