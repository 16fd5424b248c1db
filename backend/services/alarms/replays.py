"""Replays a strategy: its stored alarms against stored candles, as a task that goes on in this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import takewhile
from uuid import uuid4

from backend.clock import Clock
from backend.core.windows import DAY, MINUTE
from backend.errors import (
    AccountFrozen,
    ExchangeError,
    InvalidRequest,
    KeysSealed,
    MarketDataError,
    TooManyJobs,
    UnknownReplay,
)
from backend.services.accounts.accounts import Accounts
from backend.services.alarms.ports import AlarmStore, AlarmsWanted, ReplayStore
from backend.services.alarms.strategies import Strategies
from backend.services.paper.ports import PaperPrices
from backend.trading.alarms.alarm import Alarm
from backend.trading.alarms.replay import Replay, ReplayRun, in_order
from backend.trading.alarms.strategy import Strategy
from backend.trading.paper.paper_book import COINS, Instrument, Terms
from backend.trading.paper.paper_time import Bar

log = logging.getLogger(__name__)

MOST_ALARMS, LONGEST_DAYS, AT_ONCE = 5000, 400, 2
ALIVE_MS = 60_000
BREATH = 200
"""Candles after which others have their turn."""


class Replays:
    """May raise UnknownStrategy, UnknownAccount, ExchangeError and DatabaseUnavailable. `stop` ends what
    runs."""

    def __init__(
        self,
        *,
        store: ReplayStore,
        alarms: AlarmStore,
        strategies: Strategies,
        accounts: Accounts,
        prices: PaperPrices,
        clock: Clock,
    ) -> None:
        self._store = store
        self._alarms = alarms
        self._strategies = strategies
        self._accounts = accounts
        self._prices = prices
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()

    async def begin(
        self, strategy_id: str, start: int, end: int, balance: Decimal, *, caller: str
    ) -> ReplayRun:
        """Begin a replay of the alarms that came in `[start, end)`, with the present revision of the strategy
        and `balance` dollars. Raises InvalidRequest and TooManyJobs."""
        if len(self._running) >= AT_ONCE:
            raise TooManyJobs(f"{AT_ONCE} replays run already: try again when one is done", retry_after=5)
        if not 0 < end - start <= LONGEST_DAYS * DAY:
            raise InvalidRequest(
                f"a replay reaches over up to {LONGEST_DAYS} days", code="invalid_time_range"
            )
        strategy = await self._strategies.get(strategy_id)
        if strategy.product not in COINS:
            raise InvalidRequest(f"there are no stored candles of {strategy.product}", code="unknown_product")
        venue = (await self._accounts.get(strategy.account)).venue
        alarms = await self._alarms_of(strategy_id, start, end)
        now = self._clock.now()
        run = ReplayRun(
            id=uuid4().hex,
            strategy=strategy.id,
            revision=strategy.revision,
            venue=venue,
            start=start,
            end=min(end, now),
            caller=caller,
            created=now,
            until=now + ALIVE_MS,
            alarms_found=len(alarms),
        )
        markets = {
            symbol: await self._prices.instrument(venue, strategy.product, symbol)
            for symbol in dict.fromkeys(one.symbol for one in alarms)
        }
        await self._store.put(run)
        task = asyncio.create_task(
            self._run(run, strategy, alarms, markets, balance), name=f"replay {run.id}"
        )
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return run

    async def get(self, run_id: str) -> ReplayRun:
        """Raises UnknownReplay."""
        run = await self._store.load(run_id)
        if run is None:
            raise UnknownReplay("there is no such replay")
        if run.status == "running" and run.until < self._clock.now():
            return replace(run, status="failed", reason="the process that ran it is gone: begin it again")
        return run

    async def stop(self) -> None:
        """End what runs: it can be begun again."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _alarms_of(self, strategy_id: str, start: int, end: int) -> list[Alarm]:
        wanted = AlarmsWanted(strategy=strategy_id, start=start, end=end - 1)
        alarms = list(in_order(await self._alarms.list(wanted, MOST_ALARMS + 1)))
        if len(alarms) > MOST_ALARMS:
            raise InvalidRequest(f"a replay takes up to {MOST_ALARMS} alarms", code="invalid_time_range")
        return alarms

    async def _prepared(
        self,
        run: ReplayRun,
        strategy: Strategy,
        alarms: Sequence[Alarm],
        markets: Mapping[str, Instrument],
        balance: Decimal,
    ) -> Replay:
        """A replay at its beginning, with the fees and the funding of its markets."""
        if not alarms:
            return Replay(strategy, markets, balance, Terms())
        since = min(one.received for one in alarms)
        terms = await self._terms(strategy, alarms[0].symbol)
        funding = {
            symbol: await self._prices.funding_paid(run.venue, strategy.product, symbol, since, run.end)
            for symbol in markets
        }
        return Replay(strategy, markets, balance, terms, funding)

    async def _terms(self, strategy: Strategy, symbol: str) -> Terms:
        """What the strategy's account pays now; the usual rates where nothing tells."""
        try:
            _, source = await self._accounts.source(strategy.account)
            rates = await source.fees(strategy.product, symbol)
        except (ExchangeError, AccountFrozen, KeysSealed) as error:
            log.info("a replay of strategy %s has the usual fees: %s", strategy.id, error)
            return Terms()
        return Terms(spot=rates, perpetual=rates)

    async def _run(
        self,
        run: ReplayRun,
        strategy: Strategy,
        alarms: Sequence[Alarm],
        markets: Mapping[str, Instrument],
        balance: Decimal,
    ) -> None:
        try:
            replay = await self._prepared(run, strategy, alarms, markets, balance)
            done = await self._replayed(run, strategy, alarms, replay)
        except MarketDataError as error:
            log.warning("replay %s of strategy %s failed: %s", run.id, run.strategy, error)
            done = replace(run, status="failed", reason=str(error))
        await self._store.put(done)

    async def _replayed(
        self,
        run: ReplayRun,
        strategy: Strategy,
        alarms: Sequence[Alarm],
        replay: Replay,
    ) -> ReplayRun:
        markets = replay.markets
        left = list(alarms)
        before: dict[str, Bar] = {}
        first = min((one.received for one in left), default=run.end)
        for day in range(first - first % DAY, run.end, DAY):
            if not any(map(replay.holds, markets)) and not (left and left[0].received < day + DAY):
                continue
            bars = await self._bars(run.venue, strategy, markets, day, min(day + DAY, run.end))
            for number, (_, symbol, bar) in enumerate(bars):
                mine = (one for one in list(left) if one.symbol == symbol)
                for alarm in takewhile(partial(_came_before, bar.time - MINUTE), mine):
                    replay.carry_out(alarm, bar, before.get(symbol))
                    left.remove(alarm)
                if replay.holds(symbol):
                    replay.see(symbol, bar)
                before[symbol] = bar
                if number % BREATH == 0:
                    await self._clock.sleep(0)
            done = len(alarms) - len(left)
            run = replace(run, alarms_done=done, until=self._clock.now() + ALIVE_MS)
            await self._store.put(run)
        for alarm in left:
            replay.carry_out(alarm, None)
        return replace(run, status="done", alarms_done=len(alarms), result=replay.finish(run.end))

    async def _bars(
        self, venue: str, strategy: Strategy, markets: Iterable[str], start: int, end: int
    ) -> Sequence[tuple[int, str, Bar]]:
        """The candles of all markets, in the order of time."""
        bars = []
        for symbol in markets:
            async for bar in self._prices.bars(venue, strategy.product, symbol, start, end):
                bars.append((bar.time, symbol, bar))
        return sorted(bars)


def _came_before(moment: int, alarm: Alarm) -> bool:
    return alarm.received <= moment
