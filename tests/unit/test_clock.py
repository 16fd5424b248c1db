"""Time as milliseconds inside, as text at the edges."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backend.clock import LATEST, SystemClock, iso, parse_time, wait_up_to
from tests.fakes import START, FakeClock

moments = st.integers(0, LATEST)


def test_a_moment_is_written_with_its_offset() -> None:
    assert iso(1_748_736_000_000) == "2025-06-01T00:00:00+00:00"


def test_milliseconds_are_written_when_there_are_any() -> None:
    assert iso(1_748_736_000_007) == "2025-06-01T00:00:00.007000+00:00"


@pytest.mark.parametrize(
    "text",
    [
        "1748736000000",
        "+1748736000000",
        "  1748736000000\n",
        "2025-06-01T00:00:00Z",
        "2025-06-01T00:00:00+00:00",
        "2025-06-01T02:00:00+02:00",
        "2025-05-31T18:30:00-05:30",
        "2025-06-01T00:00:00.000Z",
        "2025-06-01 00:00:00",
        "2025-06-01T00:00",
        "2025-06-01",
    ],
)
def test_one_moment_is_understood_in_many_spellings(text: str) -> None:
    assert parse_time(text) == 1_748_736_000_000


@pytest.mark.parametrize(
    "text",
    [
        "2025-06-01T02:00:00 02:00",
        "2025-06-01 02:00:00 02:00",
        "2025-06-01T02:00:00.000 02:00",
        "2025-06-01T02:00 0200",
    ],
)
def test_a_space_before_the_offset_is_a_plus_that_a_url_ate(text: str) -> None:
    assert parse_time(text) == 1_748_736_000_000


def test_a_time_of_day_after_a_space_is_no_offset() -> None:
    assert parse_time("2025-06-01 10:00") == 1_748_772_000_000


def test_a_part_of_a_millisecond_is_dropped() -> None:
    assert parse_time("2025-06-01T00:00:00.0019Z") == 1_748_736_000_001


def test_zero_means_from_the_beginning() -> None:
    assert parse_time("0") == 0


@pytest.mark.parametrize("text", ["1748736000", "1", "-1", "99999999999", "20250601"])
def test_a_small_number_is_refused_because_it_is_seconds_by_mistake(text: str) -> None:
    with pytest.raises(ValueError, match="looks like seconds"):
        parse_time(text)


def test_the_smallest_number_that_is_taken_for_milliseconds() -> None:
    assert parse_time("100000000000") == 100_000_000_000


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (str(LATEST), LATEST),
        ("9999-12-31T23:59:59.999Z", LATEST),
        ("1970-01-01", 0),
    ],
)
def test_both_ends_of_time_are_inside(text: str, moment: int) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        str(LATEST + 1),
        "9" * 20,
        "-100000000000",
        "1969-12-31T23:59:59Z",
        "1970-01-01T00:00:00+00:01",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-00:01",
    ],
)
def test_a_time_outside_1970_to_9999_is_out_of_range(text: str) -> None:
    with pytest.raises(ValueError, match="out of range"):
        parse_time(text)


@pytest.mark.parametrize(
    "text",
    ["", " ", "now", "9" * 21, "9" * 5000, "2025-13-01", "2025-06-01T25:00Z", "1e12", "1748736000000.5"],
)
def test_what_is_no_time_is_named_in_the_refusal(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time: use Unix milliseconds or ISO-8601"):
        parse_time(text)


def test_a_refusal_does_not_repeat_a_long_text_in_full() -> None:
    with pytest.raises(ValueError, match="is not a time") as caught:
        parse_time("x" * 10_000)
    assert len(str(caught.value)) < 120


@given(moments)
@example(0)
@example(LATEST)
def test_what_is_written_is_read_back(moment: int) -> None:
    if moment == 0 or moment >= 100_000_000_000:
        assert parse_time(str(moment)) == moment
    assert parse_time(iso(moment)) == moment
    assert parse_time(iso(moment).replace("+", " ")) == moment


@given(st.text() | st.from_regex(r"[+-]?\d{1,25}|\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d)?)?([+ -]\d\d:\d\d|Z)?"))
def test_any_text_is_a_moment_in_range_or_a_value_error(text: str) -> None:
    try:
        moment = parse_time(text)
    except ValueError:
        return
    assert 0 <= moment <= LATEST


def test_the_system_clock_reads_unix_milliseconds() -> None:
    before = time.time()
    now = SystemClock().now()
    assert before * 1000 - 1 <= now <= time.time() * 1000 + 1


def test_the_fake_clock_wakes_sleepers_in_the_order_of_their_moments() -> None:
    async def story() -> list[tuple[int, float, int]]:
        clock = FakeClock()
        woken = []

        async def nap(number: int, seconds: float) -> None:
            for _ in range(2):
                await clock.sleep(seconds)
                woken.append((number, clock.monotonic(), clock.now() - START))

        await asyncio.gather(nap(1, 5), nap(2, 2), nap(3, 3.5))
        return woken

    assert asyncio.run(story()) == [
        (2, 2.0, 2_000),
        (3, 3.5, 3_500),
        (2, 4.0, 4_000),
        (1, 5.0, 5_000),
        (3, 7.0, 7_000),
        (1, 10.0, 10_000),
    ]


async def test_waiting_for_an_event_ends_with_it_or_after_its_time() -> None:
    event = asyncio.Event()
    await wait_up_to(0.001, event)
    event.set()
    await wait_up_to(60, event)


async def test_a_wait_that_is_cancelled_in_the_moment_of_its_event_is_cancelled() -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(wait_up_to(60, event))
    await asyncio.sleep(0)
    event.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
