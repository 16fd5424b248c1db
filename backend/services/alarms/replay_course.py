"""The course of one replay: stored alarms against stored candles, from its beginning to its result."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile

from backend.clock import Clock
from backend.core.windows import DAY, MINUTE
from backend.errors import AccountFrozen, ExchangeError, KeysSealed
from backend.services.accounts.accounts import Accounts
from backend.services.paper.ports import PaperPrices
from backend.trading.alarms.alarm import Alarm
from backend.trading.alarms.replay import Replay, ReplayRun
from backend.trading.alarms.strategy import Strategy
from backend.trading.paper.paper_book import Terms
from backend.trading.paper.paper_time import Bar

log = logging.getLogger(__name__)

BREATH = 200
"""Candles after which others have their turn."""

Report = Callable[[ReplayRun], Awaitable[None]]


class ReplayCourse:
    """Depends on what is stored and on what the exchange tells of rules, fees and funding. So whoever begins
    it again comes to the same result."""

    def __init__(self, *, accounts: Accounts, prices: PaperPrices, clock: Clock) -> None:
        self._accounts = accounts
        self._prices = prices
        self._clock = clock

    async def go(
        self, run: ReplayRun, strategy: Strategy, alarms: Sequence[Alarm], report: Report
    ) -> ReplayRun:
        """The run with its result. `report` gets it after each day. Raises MarketDataError."""
        replay = await self._prepared(run, strategy, alarms)
        left = list(alarms)
        before: dict[str, Bar] = {}
        first = min((one.received for one in left), default=run.end)
        for day in range(first - first % DAY, run.end, DAY):
            if not any(map(replay.holds, replay.markets)) and not (left and left[0].received < day + DAY):
                continue
            bars = await self._bars(run, strategy, replay.markets, day)
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
            run = replace(run, alarms_done=len(alarms) - len(left))
            await report(run)
        for alarm in left:
            replay.carry_out(alarm, None)
        return replace(run, status="done", alarms_done=len(alarms), result=replay.finish(run.end))

    async def _prepared(self, run: ReplayRun, strategy: Strategy, alarms: Sequence[Alarm]) -> Replay:
        """A replay at its beginning, with the rules, the fees and the funding of its markets."""
        if not alarms:
            return Replay(strategy, {}, run.balance, Terms())
        symbols = list(dict.fromkeys(one.symbol for one in alarms))
        since = min(one.received for one in alarms)
        markets = {
            symbol: await self._prices.instrument(run.venue, strategy.product, symbol) for symbol in symbols
        }
        terms = await self._terms(strategy, alarms[0].symbol)
        funding = {
            symbol: await self._prices.funding_paid(run.venue, strategy.product, symbol, since, run.end)
            for symbol in symbols
        }
        return Replay(strategy, markets, run.balance, terms, funding)

    async def _terms(self, strategy: Strategy, symbol: str) -> Terms:
        """What the strategy's account pays now; the usual rates where nothing tells."""
        try:
            _, source = await self._accounts.source(strategy.account)
            rates = await source.fees(strategy.product, symbol)
        except (ExchangeError, AccountFrozen, KeysSealed) as error:
            log.info("a replay of strategy %s has the usual fees: %s", strategy.id, error)
            return Terms()
        return Terms(spot=rates, perpetual=rates)

    async def _bars(
        self, run: ReplayRun, strategy: Strategy, symbols: Iterable[str], day: int
    ) -> Sequence[tuple[int, str, Bar]]:
        """The candles of all markets on a day, in the order of time."""
        bars = []
        for symbol in symbols:
            end = min(day + DAY, run.end)
            async for bar in self._prices.bars(run.venue, strategy.product, symbol, day, end):
                bars.append((bar.time, symbol, bar))
        return sorted(bars)


def _came_before(moment: int, alarm: Alarm) -> bool:
    return alarm.received <= moment
