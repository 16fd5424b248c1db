"""When an answer about stored candles is still the right one."""

from __future__ import annotations

import pytest

from backend.core.coverage import Coverage, void_without_data
from backend.core.selection import Selection
from backend.core.windows import Window
from backend.services.ports import RevisionState
from backend.services.reading.validators import OpenSelection, Validator, closed_window
from tests.fakes import BTC, minute, minutes

WINDOW = minutes(0, 10)
ALL = Coverage().asked(WINDOW).with_held([WINDOW])


def opened(known: Coverage, window: Window = WINDOW) -> OpenSelection:
    return OpenSelection(BTC, Selection(window), known)


def test_a_range_is_closed_when_each_minute_is_held_or_void() -> None:
    assert closed_window(opened(ALL)) == WINDOW
    half = Coverage().asked(WINDOW).with_held([minutes(0, 5)])
    assert closed_window(opened(half)) is None
    void = half.with_voids([void_without_data(minutes(5, 10), minute(100))])
    assert closed_window(opened(void)) == WINDOW


def test_a_range_is_not_closed_beyond_what_was_asked_for() -> None:
    assert closed_window(opened(ALL, minutes(5, 11))) is None


@pytest.mark.parametrize(
    ("held", "shortfalls", "at", "changed"),
    [
        ((WINDOW,), 0, 0, WINDOW.end),
        ((WINDOW,), 0, minute(77), minute(77)),
        ((WINDOW,), 1, 0, None),
        ((minutes(0, 5),), 0, 0, None),
    ],
)
def test_the_moment_of_the_last_change_is_told_where_it_is_known(
    held: tuple[Window, ...], shortfalls: int, at: int, changed: int | None
) -> None:
    state = RevisionState(1 if at else 0, "", at)
    assert Validator(BTC, WINDOW, held, state, shortfalls).changed == changed


def test_less_than_the_ledger_claims_does_not_agree() -> None:
    validator = Validator(BTC, WINDOW, (WINDOW,), RevisionState(), 0)
    assert validator.agrees_with(10, minute(9))
    assert not validator.agrees_with(9, minute(9))
    assert not validator.agrees_with(10, minute(10))
