"""When the states of a candle are shown: cadence, the end, catching up, what the faults leave of it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import pytest

from tests.simulator import Faults, SimulatorClock, SocketFaults, synthetic_market
from tests.simulator.archive import Archive
from tests.simulator.asking_sockets import NOON
from tests.simulator.intervals import GRIDS
from tests.simulator.sockets import binance, bingx, bitget
from tests.simulator.sockets.dialect import Dialect, Shown
from tests.simulator.sockets.feed import Feed
from tests.simulator.sockets.session import Topic
from tests.simulator.times import HOUR, MINUTE

BUSY = synthetic_market("BUSY", "USDT", 0, price=100, volume=90, decimals=(2, 3), flat_share=0)
QUIET = synthetic_market("QUIET", "USDT", 0, price=100, volume=90, decimals=(2, 3), flat_share=1)
DIALECTS = [binance.SPOT, binance.PERPETUAL, bitget.BITGET, bingx.SPOT, bingx.SWAP]
ALL = pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)


def archive_of(faults: Faults | None = None) -> Archive:
    return Archive([BUSY, QUIET], SimulatorClock(NOON, frozen=True), faults or Faults())


def feed_of(dialect: Dialect, archive: Archive, market: str = "BUSYUSDT", interval: str = "1m") -> Feed:
    subject = archive.market(market)
    assert subject is not None
    return Feed(Topic("a topic", subject, "spot", interval, GRIDS[interval]), subject, dialect, archive)


def stepped(feed: Feed, instants: Iterable[int]) -> list[Shown]:
    return [shown for instant in instants for shown in feed.step(instant)]


@pytest.mark.parametrize(
    ("dialect", "cadence"), list(zip(DIALECTS, (2000, 250, 1000, 1000, 1000), strict=True))
)
def test_states_come_at_the_venues_cadence(dialect: Dialect, cadence: int) -> None:
    shown = stepped(feed_of(dialect, archive_of()), range(NOON, NOON + MINUTE, 50))
    gaps = {later.instant - earlier.instant for earlier, later in pairwise(shown[1:])}
    assert gaps == {cadence}


def test_the_cadence_may_be_changed() -> None:
    archive = archive_of(Faults(sockets=SocketFaults(frames_per_minute=4)))
    shown = stepped(feed_of(binance.PERPETUAL, archive), range(NOON, NOON + MINUTE, 50))
    assert len(shown) == 4


@ALL
def test_each_minute_ends_once_with_its_whole_candle(dialect: Dialect) -> None:
    archive = archive_of()
    shown = stepped(feed_of(dialect, archive), range(NOON, NOON + 10 * MINUTE, 100))
    ends = [state.row for state in shown if state.closing]
    assert ends == archive.candles("BUSYUSDT", GRIDS["1m"], NOON, NOON + 9 * MINUTE)


@ALL
def test_the_last_state_comes_just_after_the_end_and_before_the_next_candle(dialect: Dialect) -> None:
    shown = stepped(feed_of(dialect, archive_of()), range(NOON, NOON + 2 * MINUTE, 10))
    (end,) = [number for number, state in enumerate(shown) if state.closing]
    assert NOON + MINUTE <= shown[end].instant <= NOON + MINUTE + 100
    assert [state.row.open_time for state in shown[end:]][:2] == [NOON, NOON + MINUTE]
    assert {state.row.open_time for state in shown[end + 1 :]} == {NOON + MINUTE}


def test_the_last_state_may_come_later() -> None:
    archive = archive_of(Faults(sockets=SocketFaults(closing_lag=430)))
    shown = stepped(feed_of(bitget.BITGET, archive), range(NOON, NOON + 2 * MINUTE, 10))
    assert [state.instant for state in shown if state.closing] == [NOON + MINUTE + 430]


@ALL
def test_a_slow_clockwork_ends_every_minute_all_the_same(dialect: Dialect) -> None:
    archive = archive_of()
    shown = stepped(feed_of(dialect, archive), [NOON + 1000, NOON + HOUR + 30_000])
    ends = [state.row for state in shown if state.closing]
    assert ends == archive.candles("BUSYUSDT", GRIDS["1m"], NOON, NOON + HOUR)
    assert (shown[-1].row.open_time, shown[-1].closing) == (NOON + HOUR, False)


@ALL
def test_minutes_that_the_clock_jumped_over_are_not_replayed(dialect: Dialect) -> None:
    archive = archive_of()
    feed = feed_of(dialect, archive)
    archive.clock.advance(HOUR + 30_000)
    shown = stepped(feed, [archive.clock.now()])
    assert [(state.row.open_time, state.closing) for state in shown] == [(NOON + HOUR, False)]


@ALL
def test_a_jump_into_the_next_minute_ends_this_one(dialect: Dialect) -> None:
    archive = archive_of()
    feed = feed_of(dialect, archive)
    archive.clock.advance(MINUTE + 30_000)
    shown = stepped(feed, [archive.clock.now()])
    assert [(state.row.open_time, state.closing) for state in shown] == [(NOON, True), (NOON + MINUTE, False)]


@ALL
def test_the_clock_may_be_set_back(dialect: Dialect) -> None:
    archive = archive_of()
    feed = feed_of(dialect, archive)
    archive.clock.set(NOON - HOUR + 30_000)
    shown = stepped(feed, [archive.clock.now()])
    assert [(state.row.open_time, state.closing) for state in shown] == [(NOON - HOUR, False)]


@ALL
def test_a_clock_set_back_within_the_minute_goes_on_at_once(dialect: Dialect) -> None:
    archive = archive_of()
    archive.clock.advance(50_000)
    feed = feed_of(dialect, archive)
    archive.clock.set(NOON + 10_000)
    shown = stepped(feed, range(NOON + 10_000, NOON + 13_000, 100))
    assert shown
    assert {state.row.open_time for state in shown} == {NOON}


def quiet_states(dialect: Dialect) -> list[Shown]:
    """The states of nine minutes without trades."""
    archive = archive_of()
    whole = archive.candles("QUIETUSDT", GRIDS["1m"], NOON, NOON + HOUR)
    start = next(
        row.open_time
        for row, *others in zip(*(whole[n:] for n in range(10)), strict=False)
        if not any(other.trades for other in (row, *others))
    )
    archive.clock.set(start)
    return stepped(feed_of(dialect, archive, "QUIETUSDT"), range(start, start + 9 * MINUTE, 500))


def test_binance_shows_a_minute_without_trades_when_it_ends() -> None:
    shown = quiet_states(binance.SPOT)
    assert len(shown) == 8
    assert all(state.closing for state in shown)


@pytest.mark.parametrize("dialect", DIALECTS[2:], ids=lambda dialect: dialect.name)
def test_others_show_a_minute_without_trades_when_it_opens(dialect: Dialect) -> None:
    shown = quiet_states(dialect)
    assert len({state.row.open_time for state in shown}) == len(shown) == 9
    assert not any(state.closing for state in shown)


@ALL
def test_nothing_is_shown_of_an_outage(dialect: Dialect) -> None:
    archive = archive_of(Faults(outages=[(NOON, NOON + 2 * MINUTE)]))
    shown = stepped(feed_of(dialect, archive), range(NOON, NOON + 4 * MINUTE, 100))
    assert {state.row.open_time for state in shown} == {NOON + 2 * MINUTE, NOON + 3 * MINUTE}


@ALL
def test_the_last_state_is_as_it_traded_whatever_is_revised_later(dialect: Dialect) -> None:
    archive = archive_of()
    (traded,) = archive.candles("BUSYUSDT", GRIDS["1m"], NOON, NOON + MINUTE)
    archive.faults.revisions = {("BUSYUSDT", NOON): {"volume": "1.00000000"}}
    shown = stepped(feed_of(dialect, archive), [NOON + 1000, NOON + MINUTE + 1000])
    (revised,) = archive.candles("BUSYUSDT", GRIDS["1m"], NOON, NOON + MINUTE)
    assert [state.row for state in shown if state.closing] == [traded]
    assert revised == traded._replace(volume="1.00000000")


def test_hours_are_made_of_their_minutes() -> None:
    archive = archive_of()
    feed = feed_of(bitget.BITGET, archive, interval="1h")
    shown = stepped(feed, [NOON + 30_000, NOON + HOUR + 30_000])
    assert [state.row for state in shown if state.closing] == archive.candles(
        "BUSYUSDT", GRIDS["1h"], NOON, NOON + HOUR
    )


def test_a_market_that_ended_shows_nothing_more() -> None:
    market = BUSY.until(NOON + MINUTE)
    archive = Archive([market], SimulatorClock(NOON, frozen=True), Faults())
    shown = stepped(feed_of(binance.SPOT, archive), range(NOON, NOON + 5 * MINUTE, 1000))
    assert {state.row.open_time for state in shown} == {NOON}
