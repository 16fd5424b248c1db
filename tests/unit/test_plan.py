"""From wanted minutes to pages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.minutes import Minutes
from backend.core.plan import FEW, closed_until, pages, questions, rechecked, whole_minutes
from backend.core.windows import MINUTE, Spans, Window, normalise
from tests.fakes import minute, minutes, minutes_of

points = st.integers(0, 60)
span_sets = st.lists(st.builds(minutes, points, points), max_size=6).map(normalise)


@pytest.mark.parametrize(
    ("now", "end"),
    [
        (minute(5), minute(5)),
        (minute(5) + 1, minute(5)),
        (minute(6) - 1, minute(5)),
        (minute(6), minute(6)),
    ],
)
def test_a_minute_is_closed_when_the_next_one_has_begun(now: int, end: int) -> None:
    assert closed_until(now) == end


@pytest.mark.parametrize(
    ("start", "end", "window"),
    [
        (minute(2), minute(4), minutes(2, 5)),
        (minute(2), minute(2), minutes(2, 3)),
        (minute(2) + 1, minute(4), minutes(3, 5)),
        (minute(2) - 1, minute(4), minutes(2, 5)),
        (minute(2), minute(4) + 59_999, minutes(2, 5)),
        (minute(2), minute(5) - 1, minutes(2, 5)),
        (0, 0, Window(0, MINUTE)),
    ],
)
def test_both_bounds_on_open_times_are_inclusive(start: int, end: int, window: Window) -> None:
    assert whole_minutes(start, end) == window


def test_bounds_between_two_open_times_hold_no_minute() -> None:
    assert whole_minutes(minute(2) + 1, minute(3) - 1).minutes == 0


@given(st.integers(0, 10 * MINUTE), st.integers(0, 10 * MINUTE))
def test_a_window_holds_exactly_the_open_times_between_its_bounds(start: int, length: int) -> None:
    window = whole_minutes(start, start + length)
    assert minutes_of([window]) == {
        moment for moment in range(0, 21 * MINUTE, MINUTE) if start <= moment <= start + length
    }


sizes = st.lists(st.integers(1, 70), min_size=60, max_size=60).map(
    lambda found: {minute(number): size for number, size in enumerate(found)}
)
"""For each minute, how many minutes a page may have that begins with it."""


@given(span_sets, sizes)
def test_pages_are_the_missing_minutes_in_windows_of_bounded_size(
    missing: Spans, size: dict[int, int]
) -> None:
    cut = list(pages(missing, size.__getitem__))
    assert minutes_of(cut) == minutes_of(missing)
    assert sum(page.minutes for page in cut) == len(minutes_of(missing))
    assert all(1 <= page.minutes <= size[page.start] for page in cut)
    assert cut == sorted(cut)


@given(span_sets, sizes)
def test_a_page_is_cut_short_only_where_nothing_more_is_missing(missing: Spans, size: dict[int, int]) -> None:
    ends = {span.end for span in missing}
    cut = list(pages(missing, size.__getitem__))
    assert all(page.minutes == size[page.start] or page.end in ends for page in cut)


@given(span_sets, st.integers(1, 70))
def test_no_more_pages_are_cut_than_needed(missing: Spans, page_size: int) -> None:
    cut = list(pages(missing, lambda _start: page_size))
    assert len(cut) == sum(-(-span.minutes // page_size) for span in missing)


def test_the_size_of_a_page_is_that_of_its_first_minute() -> None:
    cut = pages((minutes(0, 20), minutes(30, 33)), lambda start: 4 if start < minute(10) else 7)
    assert list(cut) == [
        minutes(0, 4),
        minutes(4, 8),
        minutes(8, 12),
        minutes(12, 19),
        minutes(19, 20),
        minutes(30, 33),
    ]


def test_the_newest_stored_minutes_are_read_again_only_where_the_end_is_missing() -> None:
    held = Minutes.of([minutes(0, 20)])
    wanted = minutes(0, 30)
    assert rechecked((minutes(20, 30),), wanted, held, 5) == (minutes(15, 30),)
    hole = (minutes(3, 4),)
    assert rechecked(hole, minutes(0, 20), Minutes.of([minutes(0, 3), minutes(4, 20)]), 5) == hole
    assert rechecked((), wanted, held, 5) == ()


@given(span_sets, st.integers(1, 30))
def test_questions_ask_for_what_is_missing_once_and_fit_into_a_page(missing: Spans, page_size: int) -> None:
    asked = list(questions(missing, lambda _start: page_size))
    assert normalise(span for one in asked for span in one.wanted) == missing
    assert sum(len(minutes_of(one.wanted)) for one in asked) == len(minutes_of(missing))
    for one in asked:
        assert one.window.minutes <= page_size
        assert all(one.window.start <= start and end <= one.window.end for start, end in one.wanted)


def test_holes_that_end_with_a_page_are_asked_for_together_and_a_minute_later_not() -> None:
    holes = [minutes(2 * number, 2 * number + 1) for number in range(FEW + 1)]
    page_size = 2 * FEW + 1
    assert [one.window for one in questions(tuple(holes), lambda _start: page_size)] == [
        minutes(0, page_size)
    ]
    assert len(list(questions(tuple(holes), lambda _start: page_size - 1))) == FEW + 1
