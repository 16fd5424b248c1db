"""Sets of minutes in blocks: the same as plain sets, at whatever place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.minutes import BLOCK, FULL, LONG, NO_MINUTES, Minutes, bits_of, runs_of
from backend.core.windows import MINUTE, Spans, Window, normalise
from tests.fakes import minutes_of, spans_of

EDGE = 5 * LONG
"""Where a block begins."""

places = st.integers(-100, 100) | st.integers(BLOCK - 50, BLOCK + 50) | st.sampled_from([-BLOCK, 0, BLOCK])
windows = st.builds(
    lambda first, size: Window(EDGE + first * MINUTE, EDGE + (first + size) * MINUTE),
    places,
    st.integers(0, 60) | st.sampled_from([BLOCK, 2 * BLOCK + 1]),
)
window_lists = st.lists(windows, max_size=6)


def whole(windows: list[Window]) -> Spans:
    return normalise(windows)


@given(window_lists)
def test_it_is_the_sequence_of_its_windows(found: list[Window]) -> None:
    held = Minutes.of(found)
    assert tuple(held) == whole(found) == held
    assert (len(held), bool(held), held.count()) == (
        len(whole(found)),
        bool(whole(found)),
        len(minutes_of(found)),
    )
    if held:
        assert (held.start, held.end, held[0], held[-1]) == (
            held[0].start,
            held[-1].end,
            *(held[0:1]),
            held[-1],
        )


@given(window_lists, window_lists)
def test_uniting_and_reducing_are_those_of_sets(one: list[Window], two: list[Window]) -> None:
    held = Minutes.of(one)
    assert minutes_of(held.united(two)) == minutes_of(one) | minutes_of(two)
    assert minutes_of(held.reduced(two)) == minutes_of(one) - minutes_of(two)
    assert 0 not in held.reduced(two).blocks.values()


@given(window_lists, windows)
def test_a_part_of_it_is_what_lies_inside(found: list[Window], window: Window) -> None:
    held = Minutes.of(found)
    inside, gaps = held.within(window), tuple(held.gaps(window))
    assert minutes_of(inside) == minutes_of(found) & minutes_of([window])
    assert minutes_of(gaps) == minutes_of([window]) - minutes_of(found)
    assert (inside, gaps) == (whole(list(inside)), whole(list(gaps)))
    assert held.count(window) == len(minutes_of(inside))
    around = Window(gaps[0].start, gaps[-1].end) if gaps else None
    assert held.around_gaps(window) == around


@given(window_lists, window_lists)
def test_what_is_missing_of_spans_is_the_difference(found: list[Window], wanted: list[Window]) -> None:
    missing = Minutes.of(found).missing_from(whole(wanted))
    assert missing == spans_of(minutes_of(wanted) - minutes_of(found))


def test_what_is_missing_of_many_spans_is_the_difference_too() -> None:
    wanted = [Window(EDGE + number * 3 * MINUTE, EDGE + (number * 3 + 2) * MINUTE) for number in range(500)]
    found = [Window(EDGE + number * 5 * MINUTE, EDGE + (number * 5 + 1) * MINUTE) for number in range(300)]
    missing = Minutes.of(found).missing_from(whole(wanted))
    assert missing == spans_of(minutes_of(wanted) - minutes_of(found))


@given(window_lists, places)
def test_a_run_ends_where_the_next_minute_is_not_there(found: list[Window], place: int) -> None:
    held, there, moment = Minutes.of(found), minutes_of(found), EDGE + place * MINUTE
    end, start = held.run_end(moment), held.run_start(moment)
    assert all(one in there for one in range(moment, end, MINUTE))
    assert end not in there
    assert all(one in there for one in range(start, moment, MINUTE))
    assert start - MINUTE not in there


@pytest.mark.parametrize(
    ("bits", "runs"),
    [
        (0, []),
        (FULL, [(0, BLOCK)]),
        (bits_of(7, 9), [(7, 9)]),
        (bits_of(0, 1) | bits_of(BLOCK - 1, BLOCK), [(0, 1), (BLOCK - 1, BLOCK)]),
    ],
    ids=["none", "all", "one run", "both ends"],
)
def test_the_runs_of_a_block(bits: int, runs: list[tuple[int, int]]) -> None:
    assert runs_of(bits) == runs


def test_equal_sets_are_equal_and_hash_alike() -> None:
    one = Minutes.of([Window(EDGE, EDGE + 2 * MINUTE)])
    two = Minutes.of([Window(EDGE + MINUTE, EDGE + 2 * MINUTE), Window(EDGE, EDGE + MINUTE)])
    assert (one, hash(one)) == (two, hash(two))
    assert one != NO_MINUTES
    assert one != "something else"
