"""Carries alarms out: decides what each means, writes that down, and places its orders, each at most once.

Alarms of one account and market are carried out one after the other, in the order that their positions tell.
The orders of an alarm are written down before the first is sent, and each has its own idempotency key. So
whoever goes on after a crash, in whichever process, places the same orders and none twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from backend.clock import Clock, wait_up_to
from backend.errors import (
    AccountContended,
    AccountFrozen,
    DatabaseUnavailable,
    EntryUndecided,
    ExchangeError,
    ExchangeUnavailable,
    KeysSealed,
    MarketDataError,
    RateLimited,
)
from backend.loops import Loops
from backend.services.alarms.ports import AlarmStore, Reached, StrategyStore
from backend.services.alarms.situations import Situations
from backend.services.orders.executor import Executor
from backend.services.orders.setups import Setups
from backend.services.orders.watch import OrderWatch
from backend.telemetry.metrics import Metrics
from backend.trading.alarms.alarm import Alarm, AlarmState, Leg
from backend.trading.alarms.decision import NotCarriedOut, legs_of
from backend.trading.alarms.order_of import Waiting, next_of
from backend.trading.alarms.strategy import Kind, Strategy
from backend.trading.intents import State
from backend.trading.notice import Topic
from backend.trading.rows import Product

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
LANES_AT_ONCE = 8
"""So many, so that alarms that come meanwhile are answered soon."""
LANE_MS = 60_000
"""A lane is given to others after so long, if its process died."""
AGAIN_MS = 500
"""Time until something that was not possible is tried again."""
PATIENCE_MS = 120_000
"""So long is an order tried that cannot be sent, and a market order waited for that was accepted."""
TEMPORARY = (AccountContended, EntryUndecided, ExchangeUnavailable, RateLimited)
"""Errors after which nothing was sent, and another try may do."""


class _Chosen(NamedTuple):
    """The alarm to carry out next, and how far its strategy is."""

    alarm: Alarm
    strategy: Strategy
    last: Reached | None
    is_link_missing: bool


class AlarmRunner:
    """`stop` ends the task that `start` begins."""

    def __init__(
        self,
        *,
        alarms: AlarmStore,
        strategies: StrategyStore,
        situations: Situations,
        executor: Executor,
        setups: Setups,
        watch: OrderWatch,
        clock: Clock,
        loops: Loops,
        metrics: Metrics,
        owner: str,
        tell: Callable[[Topic, str, str], None] = lambda _topic, _about, _said: None,
    ) -> None:
        self._alarms = alarms
        self._strategies = strategies
        self._situations = situations
        self._executor = executor
        self._setups = setups
        self._watch = watch
        self._clock = clock
        self._loops = loops
        self._metrics = metrics
        self._owner = owner
        self._tell = tell
        self._news = asyncio.Event()
        self._lanes: dict[str, asyncio.Task[None]] = {}
        self._places = asyncio.Semaphore(LANES_AT_ONCE)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = self._loops.start("alarms", self._step)

    async def stop(self) -> None:
        tasks = [one for one in (self._task, *self._lanes.values()) if one is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def hurry(self) -> None:
        """An alarm has come."""
        self._news.set()

    async def _step(self) -> None:
        self._news.clear()
        await self._begin()
        await wait_up_to(LOOK_SECONDS, self._news)

    async def run(self) -> None:
        """Carry out what is due now."""
        await self._begin()
        await asyncio.gather(*self._lanes.values())

    async def _begin(self) -> None:
        """Begin with each lane that is due and not under way: a slow one holds up no other."""
        oldest = await self._alarms.oldest_open()
        self._metrics.oldest_alarm(0.0 if oldest is None else (self._clock.now() - oldest) / 1000)
        for lane in await self._alarms.lanes(self._clock.now()):
            if lane not in self._lanes:
                task = asyncio.create_task(self._surviving_lane(lane), name=f"alarms of {lane}")
                self._lanes[lane] = task
                task.add_done_callback(partial(self._ended, lane))

    def _ended(self, lane: str, _: asyncio.Task[None]) -> None:
        self._lanes.pop(lane, None)

    async def _surviving_lane(self, lane: str) -> None:
        async with self._places:
            with self._loops.surviving("alarms"):
                await self._enter_lane(lane)

    async def _enter_lane(self, lane: str) -> None:
        now = self._clock.now()
        if not await self._alarms.enter(lane, self._owner, now, now + LANE_MS):
            return
        try:
            await self._run_lane(lane)
        finally:
            await self._alarms.leave(lane, self._owner)

    async def _run_lane(self, lane: str) -> None:
        """Carry out the alarms of a lane until there are none, or one has to wait."""
        began = self._clock.now()
        while self._clock.now() - began < LANE_MS // 2:
            waiting = await self._alarms.open(lane)
            planned = next((one for one in waiting if one.state is AlarmState.PLANNED), None)
            if planned is not None:
                if not await self._carried_out(planned):
                    return
                continue
            chosen = await self._chosen(waiting)
            if chosen is None or not await self._decided(chosen):
                return

    async def _chosen(self, waiting: Sequence[Alarm]) -> _Chosen | None:
        """The alarm to carry out next; the others wait for their time."""
        now = self._clock.now()
        for name in dict.fromkeys(one.strategy for one in waiting):
            mine = [one for one in waiting if one.strategy == name]
            strategy = await self._strategies.load(name)
            if strategy is None:
                for one in mine:
                    await self._finish(one, AlarmState.IGNORED, "the strategy was removed")
                continue
            known = await self._alarms.reached(mine[0].lane, name)
            following = next_of(
                [Waiting(id=one.id, signal=one.signal, received=one.received) for one in mine if one.signal],
                known.position if known else None,
                now,
                strategy.link_wait,
            )
            if following.waiting is None:
                for one in mine:
                    await self._alarms.change(one, replace(one, due=following.until))
                continue
            chosen = next(one for one in mine if one.id == following.waiting.id)
            strategy = await self._strategies.load(name, chosen.revision) or strategy
            return _Chosen(chosen, strategy, known, is_link_missing=following.is_missing)
        return None

    async def _decided(self, chosen: _Chosen) -> bool:
        """Write down what an alarm leads to. Returns whether the lane can go on."""
        alarm, strategy, last = chosen.alarm, chosen.strategy, chosen.last
        signal = alarm.signal
        assert signal is not None
        now = self._clock.now()
        is_behind = (
            last is not None and last.fired_at is not None and (signal.fired_at or now) < last.fired_at
        )
        if chosen.is_link_missing and is_behind and strategy.kind is Kind.TARGET:
            await self._finish(alarm, AlarmState.IGNORED, "a later alarm was carried out already")
            return True
        if chosen.is_link_missing:
            log.warning("alarm %s of strategy %s: one before it is missing", alarm.id, alarm.strategy)
            self._metrics.alarm("link_missing")
        sent = alarm.received if signal.fired_at is None else signal.fired_at
        is_old = now - sent > strategy.max_age
        if is_old:
            self._metrics.alarm("late")
        try:
            meets = await self._situations.of(alarm.account, strategy, alarm.symbol, signal)
            tickets = legs_of(signal, strategy, alarm.symbol, meets, is_old=is_old)
            if any(not ticket.closes for ticket in tickets):
                await self._set_leverage(alarm, strategy)
        except NotCarriedOut as error:
            after = self._over(alarm, AlarmState.IGNORED, str(error))
        except DatabaseUnavailable:
            raise
        except MarketDataError as error:
            if isinstance(error, TEMPORARY) and now - alarm.received < PATIENCE_MS:
                log.info("alarm %s waits: %s", alarm.id, error)
                await self._alarms.change(alarm, replace(alarm, due=now + AGAIN_MS))
                return False
            after = self._over(alarm, AlarmState.FAILED, str(error))
        else:
            legs = tuple(Leg(ticket=ticket) for ticket in tickets)
            after = replace(alarm, state=AlarmState.PLANNED, legs=legs)
        number = now if last is None else max(now, last.decided + 1)
        after = replace(after, decided=number, is_link_missing=chosen.is_link_missing)
        if await self._alarms.change(alarm, after) and after.state is not AlarmState.PLANNED:
            self._metrics.alarm(after.state.value)
        return True

    async def _set_leverage(self, alarm: Alarm, strategy: Strategy) -> None:
        if strategy.leverage is None or strategy.product is Product.SPOT:
            return
        where = (alarm.account, strategy.product, alarm.symbol)
        setup = await self._setups.read(*where)
        if {setup.long, setup.short} - {None} != {Decimal(strategy.leverage)}:
            caller = f"strategy {strategy.id}"
            await self._setups.leverage(*where, "net", strategy.leverage, caller=caller)

    async def _carried_out(self, alarm: Alarm) -> bool:
        """Place the orders of an alarm, each when the one before it is over. Returns whether it is done."""
        now = self._clock.now()
        for number, leg in enumerate(alarm.legs):
            if leg.outcome:
                continue
            after = await self._leg_placed(alarm, number, leg)
            legs = (*alarm.legs[:number], after, *alarm.legs[number + 1 :])
            changed = replace(alarm, legs=legs)
            if not after.outcome:
                await self._alarms.change(alarm, replace(changed, due=now + AGAIN_MS))
                return False
            if after.outcome != State.ACCEPTED and not await self._is_closed(alarm, leg):
                await self._alarms.change(alarm, self._over(changed, AlarmState.FAILED, after.said))
                self._metrics.alarm(AlarmState.FAILED.value)
                return True
            if not await self._alarms.change(alarm, changed):
                return False
            alarm = changed
        await self._finish(alarm, AlarmState.DONE, "")
        return True

    async def _is_closed(self, alarm: Alarm, leg: Leg) -> bool:
        """Whether a leg that was not placed has nothing left to do: the position is closed already."""
        if not leg.ticket.closes:
            return False
        try:
            held = await self._situations.held(alarm.account, leg.ticket.product, alarm.symbol)
        except (ExchangeError, AccountFrozen, KeysSealed):
            return False
        return not (held.short if leg.ticket.side == "buy" else held.long)

    async def _leg_placed(self, alarm: Alarm, number: int, leg: Leg) -> Leg:
        """A leg after another try. Its outcome is empty while it has to be waited for."""
        now = self._clock.now()
        is_late = now - alarm.received > PATIENCE_MS
        try:
            intent = await self._executor.place(
                alarm.account,
                leg.ticket,
                caller=f"strategy {alarm.strategy}",
                key=alarm.key(number),
                source=f"alarm {alarm.id}",
            )
        except DatabaseUnavailable:
            raise
        except TEMPORARY as error:
            return replace(leg, outcome="not_sent", said=str(error)) if is_late else leg
        except MarketDataError as error:
            return replace(leg, outcome=State.REFUSED.value, said=str(error))
        if intent.state is State.ACCEPTED and not intent.finished:
            # Whatever hinders this look, the order is there: the next look tells more.
            with suppress(ExchangeError, AccountFrozen, KeysSealed):
                intent = await self._watch.look_at(intent)
        known = replace(leg, intent=intent.id)
        if intent.undecided:
            return known
        if intent.state is not State.ACCEPTED:
            return replace(known, outcome=intent.state.value, said=intent.reason or intent.state.value)
        if intent.finished or is_late:
            return replace(known, outcome=intent.state.value)
        return known

    async def _finish(self, alarm: Alarm, state: AlarmState, reason: str) -> None:
        if await self._alarms.change(alarm, self._over(alarm, state, reason)):
            self._metrics.alarm(state.value)

    def _over(self, alarm: Alarm, state: AlarmState, reason: str) -> Alarm:
        if state is AlarmState.FAILED:
            log.error("alarm %s of strategy %s failed: %s", alarm.id, alarm.strategy, reason)
            said = f"strategy {alarm.strategy}: {reason} (alarm {alarm.id})"
            self._tell(Topic.ALARM_FAILED, alarm.id, said)
        return replace(alarm, state=state, reason=reason, finished=self._clock.now())
