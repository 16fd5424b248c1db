"""The simulator's clock, and how texts become instants and windows."""

from __future__ import annotations

import time

import pytest

from tests.simulator import SimulatorClock
from tests.simulator.times import MINUTE, parse_instant, parse_window

INSTANT = 1_748_908_800_000


def test_by_default_it_is_the_machines_time() -> None:
    before = int(time.time() * 1000) - 1
    assert before <= SimulatorClock().now() <= int(time.time() * 1000) + 1


def test_a_clock_that_was_set_ticks_on_from_there() -> None:
    clock = SimulatorClock(INSTANT)
    assert INSTANT <= clock.now() < INSTANT + MINUTE
    assert not clock.frozen


def test_a_frozen_clock_stands_still_until_it_is_set() -> None:
    clock = SimulatorClock(INSTANT, frozen=True)
    assert (clock.now(), clock.now(), clock.frozen) == (INSTANT, INSTANT, True)
    clock.set(INSTANT + 5)
    assert clock.now() == INSTANT + 5
    clock.advance(MINUTE)
    assert clock.now() == INSTANT + 5 + MINUTE


def test_a_ticking_clock_may_be_frozen_where_it_is() -> None:
    clock = SimulatorClock(INSTANT)
    clock.freeze()
    assert INSTANT <= clock.now() < INSTANT + MINUTE
    clock.freeze(INSTANT + MINUTE)
    assert clock.now() == INSTANT + MINUTE


def test_a_clock_may_run_faster_than_real_time() -> None:
    clock = SimulatorClock(INSTANT, speed=1_000_000_000)
    deadline = time.monotonic() + 60
    while clock.now() < INSTANT + MINUTE:
        assert time.monotonic() < deadline


def test_it_shows_as_a_date_header() -> None:
    assert SimulatorClock(INSTANT, frozen=True).http_date() == "Tue, 03 Jun 2025 00:00:00 GMT"


@pytest.mark.parametrize(
    "text",
    [
        INSTANT,
        str(INSTANT),
        "2025-06-03",
        "2025-06-03T00:00",
        "2025-06-03T00:00Z",
        "2025-06-03T02:00:00.000+02:00",
    ],
)
def test_an_instant_is_iso_or_milliseconds(text: str | int) -> None:
    assert parse_instant(text) == INSTANT


def test_a_window_is_two_instants() -> None:
    assert parse_window("2025-06-03T00:00Z/2025-06-03T00:01Z") == (INSTANT, INSTANT + MINUTE)


@pytest.mark.parametrize("text", ["2025-06-03", "2025-06-03/2025-06-03", "2025-06-04/2025-06-03", "a/b"])
def test_a_window_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"window|isoformat"):
        parse_window(text)
