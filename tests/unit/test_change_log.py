"""The log of changes: who goes on from a place in it is told exactly what came after, or that it is gone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.services.streaming.change_log import ChangeLog, Health


def health(number: int) -> Health:
    return Health(str(number), "none", ())


def filled(number: int, most: int = 1000) -> ChangeLog:
    log = ChangeLog(most)
    log.begin()
    for one in range(number):
        log.add("health", health(one))
    return log


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 10))
def test_after_a_place_come_all_later_changes_or_nothing_at_all(first: int, more: int, most: int) -> None:
    log = filled(first, most)
    place = log.end
    for one in range(more):
        log.add("health", health(first + one))
    found = log.after(place)
    if more > most:
        assert found is None
    else:
        assert found is not None
        assert [one.about for one in found] == [health(first + one) for one in range(more)]
        assert log.end == (found[-1].id if found else place)
        for before, change in enumerate(found):
            assert log.after(change.id) == found[before + 1 :]


def test_a_log_holds_no_more_than_its_most() -> None:
    log = filled(5000, most=100)
    assert log.after(filled(0).end) is None
    first = log.after(log.end.partition("-")[0] + "-4900")
    assert first is not None
    assert len(first) == 100


@pytest.mark.parametrize("number", ["", "-1", "1.0", "\u0663", "1 ", "9" * 16, "9" * 5000, "4"])
def test_what_is_no_place_of_this_log_cannot_be_gone_on_from(number: str) -> None:
    log = filled(3)
    run = log.end.partition("-")[0]
    assert log.after(f"{run}-{number}") is None
    assert log.after(f"{run}-3") == []


def test_nothing_goes_on_over_a_new_beginning() -> None:
    log = filled(3)
    place = log.end
    log.begin()
    for one in range(5):
        log.add("health", health(one))
    assert log.after(place) is None
    assert log.after("") is None
    assert ChangeLog().after("") is None
