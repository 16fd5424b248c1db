"""One look after a follow: what it fetches, what it leaves alone, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from backend.clock import SystemClock
from backend.core.coverage import Coverage
from backend.core.follow import Follow
from backend.core.series import Series
from backend.core.windows import HOUR, MINUTE, WEEK, Window
from backend.errors import Cancelled, DatabaseUnavailable, ExchangeUnavailable, Interrupted
from backend.precedence import Precedence
from backend.services.following.append import Appender, Edge
from backend.services.following.visits import NOT_NOW, Outcome, Visitor
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.markets import Markets
from backend.services.syncing.stop_signal import StopSignal
from backend.services.syncing.sync import SyncService
from backend.telemetry.metrics import Metrics
from tests.fakes import (
    BTC,
    START,
    FakeClock,
    MemoryCandles,
    MemoryCoverage,
    ScriptedSource,
    minute,
    minutes,
    minutes_of,
)

RECHECK = 2
EVER = 3600.0


class MemoryFollows:
    """As much of a follow store as a visit needs."""

    def __init__(self) -> None:
        self.reports: list[object] = []
        self.failure: Exception | None = None

    async def report(self, _series: Series, visit: object) -> None:
        if self.failure:
            raise self.failure
        self.reports.append(visit)


class World:
    """An exchange whose minutes up to number `closed` are over, and a follow of one of its symbols."""

    def __init__(self, closed: int = 200, *, held: Iterable[Window] = ()) -> None:
        self.clock = FakeClock(minute(closed) + 30_000)
        self.source = ScriptedSource(minutes_of([minutes(-1000, closed)]), self.clock, page_size=100)
        self.candles, self.coverage, self.store = MemoryCandles(), MemoryCoverage(), MemoryFollows()
        known = Coverage().with_listing(minute(-1000), minute(0) + 1000 * WEEK).with_held(held)
        spans = known.held
        if spans:
            known = known.asked(Window(spans[0].start, spans[-1].end))
        self.coverage.entries[BTC] = known
        self.ledgers = Ledgers(store=self.coverage, clock=SystemClock(), owner="tests", seconds=3600)
        markets = Markets({"binance": {"spot": self.source}})
        self.appender = Appender(self.candles, self.coverage, lambda: None)
        self.visitor = Visitor(
            store=self.store,  # type: ignore[arg-type]
            ledgers=self.ledgers,
            syncs=SyncService(
                markets, self.candles, sync_start=START, pages_in_flight=2, precedence=Precedence()
            ),
            markets=markets,
            appender=self.appender,
            clock=self.clock,
            settle_seconds=0,
            recheck_minutes=RECHECK,
            metrics=Metrics([("binance", "spot")]),
        )

    async def visit(
        self, stop_signal: StopSignal | None = None, seconds: float = EVER, since: int | None = START
    ) -> Outcome:
        return await self.visitor.visit(
            Follow(BTC, since, created=START), stop_signal or StopSignal(), seconds
        )

    @property
    def held(self) -> set[int]:
        return minutes_of(self.coverage.known().held)


async def test_a_visit_fetches_what_is_missing_and_says_so() -> None:
    world = World(held=[minutes(0, 190)])
    outcome = await world.visit()
    assert (world.held, outcome.failure, outcome.more) == (minutes_of([minutes(0, 200)]), None, False)
    assert outcome.now == world.clock.now()
    assert len(world.store.reports) == 1


async def test_the_newest_hour_is_fetched_before_older_minutes() -> None:
    world = World(held=[minutes(0, 1)])
    await world.visit()
    assert world.source.asked[0] == Window(minute(200) - HOUR, minute(200))
    assert world.held == minutes_of([minutes(0, 200)])


async def test_older_minutes_end_with_their_turn_and_are_told_as_more_to_do() -> None:
    world = World(closed=2000, held=[minutes(0, 1)])

    async def slowly(_window: Window) -> None:
        await world.clock.sleep(5)

    world.source.delay = slowly
    outcome = await world.visit(seconds=8)
    assert (outcome.more, outcome.failure) == (True, None)
    assert minute(1999) in world.held
    assert minute(1000) not in world.held


async def test_a_hole_before_later_minutes_counts_as_healed() -> None:
    world = World(held=[minutes(0, 50), minutes(60, 190)])
    assert (await world.visit()).healed == 10


async def test_an_exchange_that_is_away_fails_the_visit_alone() -> None:
    world = World(held=[minutes(0, 190)])
    world.source.broken[minute(195)] = ExchangeUnavailable("away")
    outcome = await world.visit()
    assert outcome.name == "failed"
    assert outcome.failure is not None
    assert (outcome.failure.code, outcome.now) == ("exchange_unavailable", None)


@pytest.mark.parametrize("reason", [Interrupted("stopping"), Cancelled("enough")])
async def test_told_to_stop_it_does_nothing(reason: Interrupted | Cancelled) -> None:
    world, stop_signal = World(), StopSignal()
    stop_signal.stop(reason)
    assert await world.visit(stop_signal) == NOT_NOW
    assert (world.source.asked, world.store.reports) == ([], [])


async def test_a_series_that_somebody_works_on_is_left_alone() -> None:
    world = World()
    async with world.ledgers.hold(BTC):
        assert await world.visit() == NOT_NOW
    assert world.source.asked == []


async def test_a_database_that_is_away_is_no_failure_of_the_series() -> None:
    world = World(held=[minutes(0, 190)])
    world.store.failure = DatabaseUnavailable("away")
    assert await world.visit() == NOT_NOW


async def test_where_sockets_brought_all_that_is_closed_nothing_is_asked() -> None:
    world = World(held=[minutes(0, 200)])
    world.appender.visited(BTC, Edge(minute(200), minute(195), visited=world.clock.now(), since=START))
    outcome = await world.visit()
    assert (outcome.skipped, world.source.asked) == (True, [])


async def test_what_sockets_brought_is_read_once_more_in_time() -> None:
    world = World(held=[minutes(0, 200)])
    world.appender.visited(BTC, Edge(minute(200), minute(195), visited=0, since=START))
    outcome = await world.visit()
    assert outcome.skipped is False
    assert world.source.asked == [Window(minute(195) - RECHECK * MINUTE, minute(200))]
    edge = world.appender.edge(BTC)
    assert edge is not None
    assert (edge.end, edge.appended_from) == (minute(200), None)


async def test_a_follow_that_begins_before_the_listing_asks_for_it_anew_only_in_time() -> None:
    world = World(held=[minutes(0, 190)])
    for _ in range(3):
        await world.visit(since=minute(-5000))
        world.clock.advance(60)
    assert world.source.first_asked == 0
    world.coverage.entries[BTC] = world.coverage.known().with_listing(minute(-1000), minute(-900))
    await world.visit(since=minute(-5000))
    assert world.source.first_asked == 1


async def test_an_earlier_beginning_is_fetched_although_sockets_brought_all_that_is_closed() -> None:
    world = World(held=[minutes(0, 200)])
    world.appender.visited(BTC, Edge(minute(200), None, visited=world.clock.now(), since=START))
    await world.visit(since=START)
    assert world.source.asked == []
    await world.visit(since=minute(-50))
    assert minutes_of([minutes(-50, 200)]) <= world.held
