"""One plausible lie of an exchange, at any single question: it may cost requests, never a minute.

Over real HTTP, for every market; the stores are those in memory, which pass the real ones' contract tests.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from backend.clock import SystemClock, parse_time
from backend.core.job import SyncRequest
from backend.core.series import Series
from backend.core.windows import HOUR, MINUTE, Spans, Window
from backend.exchanges import EXCHANGES, QUOTES
from backend.net.rest.client import MarketClient
from backend.net.rest.requester import open_session
from backend.net.rest.throttle import Throttle
from backend.precedence import Precedence
from backend.services.syncing.ledger import Ledgers
from backend.services.syncing.markets import Markets
from backend.services.syncing.stop_signal import StopSignal
from backend.services.syncing.sync import SyncResult, SyncService, result_of
from backend.telemetry.metrics import Metrics
from tests.conftest import simulated_urls
from tests.contract.test_markets import every_market
from tests.fakes import MemoryCandles, MemoryCoverage
from tests.simulator import BingxRules, Lie, Simulator, SimulatorClock, synthetic_market
from tests.simulator.lies import KINDS, Kind
from tests.syncing import no_progress

LISTED = parse_time("2021-03-04T05:06:00Z")
NOW = parse_time("2022-02-02T02:02:30Z")
CLOSED = NOW - NOW % MINUTE
MOST_QUESTIONS = 100


class World:
    """A service that was started just now, beside an exchange."""

    def __init__(self, client: MarketClient, series: Series) -> None:
        self._series = series
        self._candles = MemoryCandles()
        self._coverage = MemoryCoverage()
        self._ledgers = Ledgers(store=self._coverage, clock=SystemClock(), owner="tests", seconds=3600)
        markets = Markets({series.exchange: {series.market: client}})
        self._syncs = SyncService(
            markets, self._candles, sync_start=LISTED, pages_in_flight=1, precedence=Precedence()
        )

    async def sync(self, window: Window, *, refresh: bool = False) -> SyncResult:
        async with self._ledgers.hold(self._series) as ledger:
            request = SyncRequest(self._series, window.start, window.end, refresh)
            end = await self._syncs.sync(ledger, request, no_progress, StopSignal())
            return result_of(self._series, ledger.coverage, end)

    def stored(self) -> list[int]:
        return sorted(self._candles.moments(self._series))

    def held(self, window: Window) -> Spans:
        return self._coverage.known(self._series).held.within(window)


@asynccontextmanager
async def begun(simulator: Simulator, series: Series) -> AsyncIterator[World]:
    market = EXCHANGES[series.exchange].markets[series.market]
    clock = SystemClock()
    async with open_session(10, "the-tests/1") as session:
        client = MarketClient(
            precedence=Precedence(),
            exchange=series.exchange,
            market=market,
            quotes=QUOTES.get((series.exchange, series.market)),
            base_url=simulated_urls(simulator.url)[market.url_setting],
            session=session,
            throttle=Throttle(
                [replace(limit, capacity=1_000_000) for limit in market.budget.limits], 1.0, clock
            ),
            clock=clock,
            metrics=Metrics([(series.exchange, series.market)]),
        )
        try:
            yield World(client, series)
        finally:
            await client.stop()


@asynccontextmanager
async def simulated(series: Series) -> AsyncIterator[Simulator]:
    """An exchange that listed the symbol at LISTED and whose clock stands still at NOW."""
    base, quote = ("BTC", "USD") if series.exchange == "extended" else ("BTC", "USDT")
    traded = [
        synthetic_market(base, quote, LISTED, price=100.0, volume=5.0, decimals=(2, 5), kind=kind)
        for kind in ("spot", "perpetual")
    ]
    async with Simulator(markets=traded, clock=SimulatorClock(NOW, frozen=True), limits=False) as simulator:
        simulator.faults.quirks.bingx = BingxRules(limit=None, spot_retention={})
        yield simulator


WINDOWS = {
    "the newest minutes": Window(CLOSED - 2 * HOUR, CLOSED),
    "minutes on both sides of the listing": Window(LISTED - HOUR, LISTED + HOUR),
}


@every_market
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("window", WINDOWS.values(), ids=WINDOWS)
async def test_a_plausible_lie_at_any_question_costs_requests_and_no_minute(
    series: Series, kind: Kind, window: Window
) -> None:
    there = Window(max(window.start, LISTED), window.end)
    async with simulated(series) as simulator:
        for position in range(MOST_QUESTIONS):
            lie = Lie(kind, position, until=there.start + there.minutes // 2 * MINUTE)
            simulator.faults.lie = lie
            async with begun(simulator, series) as world:
                first = await world.sync(window)
                found = (first.window, world.held(there), first.missing, first.absent, first.error)
                assert found == (window, (there,), (), (), None), f"a lie at question {position}"
                assert world.stored() == list(range(there.start, there.end, MINUTE))
            if not lie.was_told:
                return
    raise AssertionError(f"there were over {MOST_QUESTIONS} questions")


@pytest.mark.parametrize("exchange", ["bitget", "bingx"])
async def test_one_empty_answer_in_a_search_hides_no_history(exchange: str) -> None:
    """The window is some months after the listing; each question of the search is answered so in turn."""
    series = Series(exchange, "perpetual", "BTCUSDT")
    window = Window(parse_time("2021-06-10"), parse_time("2021-06-10T03:00:00Z"))
    async with simulated(series) as simulator:
        for position in range(MOST_QUESTIONS):
            simulator.faults.lie = lie = Lie("empty", position, until=0)
            async with begun(simulator, series) as world:
                result = await world.sync(window)
                assert (result.error, result.absent, result.missing) == (None, (), ())
                assert len(world.stored()) == window.minutes
            if not lie.was_told:
                return


async def test_an_empty_answer_to_the_question_for_the_earliest_candle_makes_nothing_void() -> None:
    series = Series("binance", "spot", "BTCUSDT")
    async with simulated(series) as simulator, begun(simulator, series) as world:
        simulator.faults.lie = Lie("empty", 2, until=0)
        result = await world.sync(WINDOWS["the newest minutes"])
        assert (result.absent, result.missing, len(world.stored())) == ((), (), 120)
