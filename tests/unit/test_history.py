"""How a history stands: every moment is held, lost with its reason, or missing, and what is asked next."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.core.windows import DAY, HOUR, MINUTE, Window, normalise
from backend.trading.history import (
    OVERLAP,
    SETTLE,
    Kind,
    Offer,
    StreamLedger,
    StreamName,
    halves,
    ids_of,
    pieces,
    standing,
    to_ask,
)
from backend.trading.rows import Fill, Product
from tests.traded import traded

NOW = 200 * DAY
OFFER = Offer(span=30 * DAY, retention=90 * DAY, needs="nothing")
ENDLESS = replace(OFFER, retention=None)
HOURS = st.integers(0, 200 * 24)
WINDOWS = st.lists(st.tuples(HOURS, HOURS).map(lambda ends: Window(min(ends) * HOUR, max(ends) * HOUR)))
OFFERS = st.sampled_from([OFFER, ENDLESS, None])


def length(windows: object) -> int:
    return sum(window.end - window.start for window in windows)  # type: ignore[attr-defined]


@given(WINDOWS, OFFERS, HOURS)
def test_every_moment_is_held_lost_or_missing(held: list[Window], offer: Offer | None, first: int) -> None:
    ledger = StreamLedger(normalise(held))
    stands = standing(ledger, offer, first * HOUR, NOW)
    lost = [one.window for one in stands.lost]
    assert normalise([*stands.held, *lost, *stands.missing]) == normalise(
        [Window(stands.first, stands.until)]
    )
    assert length([*stands.held, *lost, *stands.missing]) == stands.until - stands.first
    assert stands.until == max(first * HOUR, NOW - SETTLE)


@given(WINDOWS)
def test_only_what_retention_took_is_lost(held: list[Window]) -> None:
    ledger = StreamLedger(normalise(held))
    for one in standing(ledger, OFFER, 0, NOW).lost:
        assert one.reason == "beyond_retention"
        assert one.window.end <= NOW - 90 * DAY + 2 * MINUTE
    assert standing(ledger, ENDLESS, 0, NOW).lost == ()
    assert {one.reason for one in standing(StreamLedger(), None, 0, NOW).lost} == {"not_offered"}


def test_what_was_held_before_retention_took_it_stays_held() -> None:
    ledger = StreamLedger((Window(0, 150 * DAY),))
    stands = standing(ledger, OFFER, 0, NOW)
    assert (stands.held, stands.lost) == (ledger.held, ())
    assert stands.missing == (Window(150 * DAY, NOW - SETTLE),)


def test_windows_that_were_read_too_late_for_orders_without_a_fill_are_named() -> None:
    week = NOW - 7 * DAY
    first = StreamLedger().with_held(Window(0, NOW), None, forgotten=week)
    assert standing(first, ENDLESS, 0, NOW).filled_only == (Window(0, week),)
    later = first.with_held(Window(NOW - HOUR, NOW + 30 * DAY), None, forgotten=NOW + 23 * DAY)
    assert later.filled_only == (Window(0, week), Window(NOW, NOW + 23 * DAY))
    assert first.with_held(Window(0, NOW), None, forgotten=NOW).filled_only == (Window(0, week),)
    assert StreamLedger().with_held(Window(0, NOW), None).filled_only == ()


@given(HOURS)
def test_what_retention_takes_while_the_history_is_read_is_lost_and_not_missing(hours: int) -> None:
    """The last windows are asked for so many hours after the first ones."""
    later = NOW + hours * HOUR
    asked = to_ask(standing(StreamLedger(), OFFER, 0, later), OFFER, 0, later)
    ledger = StreamLedger()
    for window in asked:
        ledger = ledger.with_held(window, None)
    stands = standing(ledger, OFFER, 0, NOW, later)
    assert stands.missing == ()
    assert stands.until == NOW - SETTLE
    assert bool(standing(ledger, OFFER, 0, NOW).missing) == (hours > 0)


def test_emptiness_without_a_known_retention_is_not_proven() -> None:
    held = StreamLedger((Window(0, NOW),), oldest=120 * DAY)
    assert standing(held, ENDLESS, 0, NOW).unproven == (Window(0, 120 * DAY),)
    assert standing(replace(held, oldest=None), ENDLESS, 0, NOW).unproven == (Window(0, NOW - SETTLE),)
    assert standing(held, OFFER, 0, NOW).unproven == ()


@given(WINDOWS, st.sampled_from([OFFER, ENDLESS]), HOURS)
def test_what_is_asked_makes_all_held_that_can_be_had(held: list[Window], offer: Offer, since: int) -> None:
    ledger = StreamLedger(normalise(held))
    stands = standing(ledger, offer, 0, NOW)
    asked = to_ask(stands, offer, since * HOUR, NOW)
    assert all(0 < window.end - window.start <= offer.span for window in asked)
    for window in asked:
        ledger = ledger.with_held(window, None)
    begin = max(since * HOUR, 0 if offer.retention is None else NOW - offer.retention + MINUTE)
    assert all(window.end <= begin for window in standing(ledger, offer, 0, NOW).missing)


def test_a_top_up_asks_once_and_reads_the_newest_hour_again() -> None:
    newest = NOW - 6 * HOUR
    stands = standing(StreamLedger((Window(0, newest),)), OFFER, 0, NOW)
    assert to_ask(stands, OFFER, 0, NOW) == [Window(newest - OVERLAP, NOW - SETTLE)]


@pytest.mark.parametrize("span", [DAY, 7 * DAY - 1, 90 * DAY])
@given(st.integers(1, 800 * 24))
def test_pieces_are_the_window_and_no_wider_than_a_question(span: int, hours: int) -> None:
    window = Window(5, 5 + hours * HOUR)
    found = list(pieces(window, span))
    assert [one.end for one in found[:-1]] == [one.start for one in found[1:]]
    assert (found[0].start, found[-1].end) == window
    assert all(0 < one.end - one.start <= span for one in found)


@given(st.integers(0, 10**13), st.integers(1, 10**10))
def test_halves_are_the_window_until_there_are_none(start: int, size: int) -> None:
    parts = halves(Window(start, start + size))
    if size == 1:
        assert parts is None
    else:
        assert parts is not None
        assert (parts[0].start, parts[0].end, parts[1].end) == (start, parts[1].start, start + size)


def test_the_oldest_row_that_ever_came_is_remembered() -> None:
    ledger = StreamLedger().with_held(Window(5, 9), 7).with_held(Window(0, 5), None)
    assert (ledger.held, ledger.oldest) == ((Window(0, 9),), 7)
    assert ledger.with_held(Window(9, 12), 3).oldest == 3


def test_a_stream_has_one_name() -> None:
    assert StreamName(Kind.FILLS, Product.SPOT, "BTC-USDT").text == "fills/spot/BTC-USDT"
    assert StreamName(Kind.BILLS, Product.PERPETUAL_USDT).text == "bills/perpetual-usdt"


def test_rows_without_ids_are_told_apart_also_where_they_are_twins() -> None:
    fill: Fill = replace(traded(1, 30, 0, DAY).fills[0], fill_id="")
    found = ids_of([fill, fill, replace(fill, time=fill.time + 1)])
    assert len(found) == 3
    assert ids_of([fill, fill]) == dict(list(found.items())[:2])
