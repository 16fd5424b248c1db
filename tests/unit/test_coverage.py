"""The arithmetic of minutes, checked against plain sets, and the rules of the ledger."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from backend.core.coverage import Coverage, Void, void_before_listing, void_without_data
from backend.core.windows import (
    HOUR,
    MINUTE,
    WEEK,
    Spans,
    Window,
    count_minutes,
    intersect,
    normalise,
    subtract,
)
from tests.fakes import minute, minutes, minutes_of, spans_of

NOW = minute(100_000)

points = st.integers(0, 40)
windows = st.builds(minutes, points, points)
whole_windows = windows.filter(lambda window: window.start < window.end)
window_lists = st.lists(windows, max_size=8)
span_sets = window_lists.map(normalise)
ask_agains = st.sampled_from([None, NOW - 1, NOW, NOW + 1, NOW + HOUR])
voids = st.builds(
    Void, whole_windows, st.sampled_from(["no_data", "before_listing"]), st.just(NOW), ask_agains
)
void_lists = st.lists(voids, max_size=5)


def build(held: list[Window], found: list[Void], asked: Window | None = None) -> Coverage:
    known = Coverage() if asked is None else Coverage().asked(asked)
    return known.with_held(held).with_voids(found)


coverages = st.builds(build, window_lists, void_lists, st.none() | whole_windows)


def is_normal(spans: Spans) -> bool:
    """Sorted, none empty, none touching the next."""
    return all(window.start < window.end for window in spans) and all(
        earlier.end < later.start for earlier, later in pairwise(spans)
    )


def void_minutes(coverage: Coverage) -> list[int]:
    """Every void minute, as often as it is void."""
    return [moment for void in voids_of(coverage) for moment in sorted(minutes_of([void.window]))]


def voids_of(coverage: Coverage) -> list[Void]:
    """What is known of each void minute."""
    return list(coverage.void_windows(Window(0, minute(1_000_000))))


def is_sound(coverage: Coverage) -> bool:
    """Held is normal, voids are sorted, none is empty, and no minute is claimed twice."""
    absent = void_minutes(coverage)
    return (
        is_normal(tuple(coverage.held))
        and all(void.window.start < void.window.end for void in coverage.voids)
        and absent == sorted(set(absent))
        and not set(absent) & minutes_of(coverage.held)
    )


@given(window_lists)
def test_normalising_keeps_the_minutes_and_sorts_and_joins_them(found: list[Window]) -> None:
    spans = normalise(found)
    assert minutes_of(spans) == minutes_of(found)
    assert is_normal(spans)


@given(window_lists)
def test_equal_sets_of_minutes_are_equal_spans(found: list[Window]) -> None:
    minute_by_minute = spans_of(minutes_of(found))
    assert normalise(reversed(found)) == normalise(found) == minute_by_minute


def test_windows_that_touch_are_one() -> None:
    assert normalise([minutes(3, 5), minutes(1, 3)]) == (minutes(1, 5),)


def test_a_window_inside_another_does_not_shorten_it() -> None:
    assert normalise([minutes(1, 9), minutes(2, 3)]) == (minutes(1, 9),)


@given(span_sets, span_sets)
def test_subtracting_is_the_difference_of_sets(spans: Spans, taken: Spans) -> None:
    left = subtract(spans, taken)
    assert minutes_of(left) == minutes_of(spans) - minutes_of(taken)
    assert is_normal(left)


@given(span_sets, windows)
def test_intersecting_is_the_intersection_of_sets(spans: Spans, window: Window) -> None:
    inside = intersect(spans, window)
    assert minutes_of(inside) == minutes_of(spans) & minutes_of([window])


@given(span_sets, whole_windows)
def test_an_intersection_stays_normal(spans: Spans, window: Window) -> None:
    assert is_normal(intersect(spans, window))


def test_an_intersection_with_no_time_at_all_is_nothing() -> None:
    assert intersect((minutes(0, 10),), minutes(5, 5)) == ()


@given(span_sets)
def test_counting_counts_each_minute_once(spans: Spans) -> None:
    assert count_minutes(spans) == len(minutes_of(spans))


@given(coverages, windows)
def test_missing_is_wanted_without_held_and_without_believed_voids(
    coverage: Coverage, wanted: Window
) -> None:
    believed = [void.window for void in voids_of(coverage) if void.ask_again is None or void.ask_again > NOW]
    missing = coverage.missing(wanted, NOW)
    assert minutes_of(missing) == minutes_of([wanted]) - minutes_of(coverage.held) - minutes_of(believed)
    assert is_normal(missing)


@given(coverages, whole_windows)
def test_absent_is_what_the_exchange_lacks_since_its_listing(coverage: Coverage, wanted: Window) -> None:
    lacking = [void.window for void in voids_of(coverage) if void.reason == "no_data"]
    absent = tuple(coverage.absent(wanted))
    assert coverage.count_absent(wanted) == count_minutes(tuple(absence.window for absence in absent))
    assert minutes_of(absence.window for absence in absent) == minutes_of(lacking) & minutes_of([wanted])
    assert is_normal(tuple(absence.window for absence in absent))
    assert {absence.reason for absence in absent} <= {"no_data"}


def test_a_void_is_believed_until_its_moment_and_not_at_it() -> None:
    coverage = Coverage().with_voids([Void(minutes(0, 5), "no_data", NOW, NOW + 1)])
    assert coverage.missing(minutes(0, 5), NOW) == ()
    assert coverage.missing(minutes(0, 5), NOW + 1) == (minutes(0, 5),)


@given(coverages, window_lists)
def test_adding_held_minutes_adds_exactly_those_and_ends_their_voids(
    coverage: Coverage, added: list[Window]
) -> None:
    after = coverage.with_held(added)
    assert minutes_of(after.held) == minutes_of(coverage.held) | minutes_of(added)
    assert set(void_minutes(after)) == set(void_minutes(coverage)) - minutes_of(added)
    assert is_sound(after)


@given(coverages, void_lists)
def test_adding_voids_never_touches_what_is_held(coverage: Coverage, added: list[Void]) -> None:
    after = coverage.with_voids(added)
    said = minutes_of(void.window for void in added)
    assert after.held == coverage.held
    assert set(void_minutes(after)) == (set(void_minutes(coverage)) | said) - minutes_of(coverage.held)
    assert is_sound(after)


def test_newer_word_of_a_void_replaces_the_older_where_they_overlap() -> None:
    older = Void(minutes(0, 10), "no_data", NOW, NOW + HOUR)
    newer = Void(minutes(4, 6), "no_data", NOW + 1, NOW + WEEK)
    after = Coverage().with_voids([older]).with_voids([newer])
    assert after.voids == (
        older._replace(window=minutes(0, 4)),
        newer,
        older._replace(window=minutes(6, 10)),
    )


def test_a_held_minute_cuts_the_void_around_it_in_two() -> None:
    void = Void(minutes(0, 3), "no_data", NOW, NOW + HOUR)
    after = Coverage().with_voids([void]).with_held([minutes(1, 2)])
    assert voids_of(after) == [void._replace(window=minutes(0, 1)), void._replace(window=minutes(2, 3))]


def test_a_void_whose_minutes_are_all_held_is_forgotten() -> None:
    void = Void(minutes(0, 3), "no_data", NOW, NOW + HOUR)
    assert Coverage().with_voids([void]).with_held([minutes(0, 3)]).voids == ()
    assert Coverage().with_held([minutes(0, 3)]).with_voids([void]).voids == ()


def test_held_minutes_that_are_lost_are_missing_and_not_void() -> None:
    void = Void(minutes(0, 10), "no_data", NOW, NOW + HOUR)
    known = Coverage().with_held([minutes(2, 4), minutes(6, 8)]).with_voids([void])
    after = known.holding((minutes(2, 4),))
    assert after.missing(minutes(0, 10), NOW) == (minutes(6, 8),)
    assert voids_of(after) == [void._replace(window=minutes(*part)) for part in ((0, 2), (4, 6), (8, 10))]


def test_old_voids_side_by_side_are_one_and_keep_the_older_date() -> None:
    one = Void(minutes(0, 10), "no_data", NOW, NOW + WEEK)
    two = Void(minutes(10, 20), "no_data", NOW + HOUR, NOW + HOUR + WEEK)
    for order in ([one, two], [two, one]):
        assert Coverage().with_voids(order).voids == (Void(minutes(0, 20), "no_data", NOW, NOW + WEEK),)


def test_voids_stay_apart_where_one_date_would_not_be_true_of_both() -> None:
    young = minute(20) + MINUTE // 2
    early = Void(minutes(0, 10), "no_data", minute(15), minute(16))
    late = Void(minutes(10, 20), "no_data", young, young + MINUTE)
    assert Coverage().with_voids([early, late]).voids == (early, late)
    far = Void(minutes(0, 10), "no_data", NOW, NOW + HOUR)
    later = Void(minutes(10, 20), "no_data", NOW + 3 * WEEK, NOW + 4 * WEEK)
    assert Coverage().with_voids([far, later]).voids == (far, later)


def test_all_that_was_ever_asked_for_is_remembered() -> None:
    coverage = Coverage().asked(minutes(5, 8))
    assert (coverage.since, coverage.until) == (minute(5), minute(8))
    assert coverage.asked(minutes(6, 7)) == coverage
    wider = coverage.asked(minutes(2, 3)).asked(minutes(6, 11))
    assert (wider.since, wider.until) == (minute(2), minute(11))


def ask_again_after(age: int) -> int | None:
    """How long after its confirmation a void is asked for again, given how long ago it ended."""
    void = void_without_data(Window(NOW - age - MINUTE, NOW - age), NOW)
    return None if void.ask_again is None else void.ask_again - NOW


def test_a_young_void_is_asked_for_again_soon() -> None:
    assert [ask_again_after(age) for age in (0, MINUTE, HOUR)] == [MINUTE, MINUTE, HOUR]


def test_an_old_void_is_asked_for_again_weekly() -> None:
    assert [ask_again_after(age) for age in (WEEK, WEEK + MINUTE, 500 * WEEK)] == [WEEK] * 3


def test_a_void_that_has_not_ended_yet_is_still_asked_for_again_later() -> None:
    assert ask_again_after(-10 * MINUTE) == MINUTE


def test_a_void_without_data_says_so_and_when() -> None:
    void = void_without_data(minutes(1, 2), NOW)
    assert (void.window, void.reason, void.confirmed) == (minutes(1, 2), "no_data", NOW)


def test_time_before_a_listing_of_long_ago_is_asked_for_again_after_a_week() -> None:
    void = void_before_listing(minute(50), minute(50) + 60 * WEEK)
    assert void == Void(Window(0, minute(50)), "before_listing", void.confirmed, void.confirmed + WEEK)


def test_a_listing_that_turns_out_to_be_earlier_leaves_the_time_between_to_be_asked_for() -> None:
    believed = Coverage().with_listing(minute(50), NOW).with_held([minutes(60, 70)])
    mended = believed.with_listing(minute(40), NOW)
    assert mended.first_candle == minute(40)
    assert mended.missing(minutes(30, 70), NOW) == (minutes(40, 60),)


def test_listing_inside_a_minute_leaves_that_minute_to_be_asked_for() -> None:
    assert void_before_listing(minute(50) + 14_789, NOW).window.end == minute(50)


def test_the_first_candle_is_where_listing_began() -> None:
    coverage = Coverage().with_voids(
        [void_without_data(minutes(60, 61), NOW), void_before_listing(minute(50), NOW)]
    )
    assert coverage.first_candle == minute(50)


def test_the_first_candle_is_unknown_until_it_was_asked_for() -> None:
    coverage = Coverage().with_voids([void_without_data(minutes(60, 61), NOW)]).with_held([minutes(0, 5)])
    assert coverage.first_candle is None


def test_minutes_that_are_forgotten_are_missing_whether_they_were_held_or_void() -> None:
    now = minute(1000)
    known = (
        Coverage()
        .asked(minutes(0, 100))
        .with_held([minutes(10, 100)])
        .with_voids([void_before_listing(minute(5), now), void_without_data(minutes(5, 10), now)])
    )
    found = known.without(minutes(2, 50))
    assert found.missing(minutes(0, 100), now) == (minutes(5, 50),)
    assert (tuple(found.held), found.first_candle) == ((minutes(50, 100),), minute(5))
    assert (found.since, found.until) == (known.since, known.until)
    assert known.without(minutes(200, 300)) == known


def test_what_is_expected_begins_with_the_first_candle_or_where_it_was_asked_for() -> None:
    asked = Coverage().asked(minutes(0, 50))
    assert asked.expected == minutes(0, 50)
    assert asked.with_listing(minute(20), NOW).expected == minutes(20, 50)
    assert asked.with_listing(minute(-20), NOW).expected == minutes(0, 50)
    assert asked.with_listing(minute(70), NOW).expected.minutes == 0
