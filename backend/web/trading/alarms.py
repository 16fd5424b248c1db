"""`/strategies`, `/alarms` and `/operations`: what alarms lead to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from itertools import chain

from backend.errors import InvalidRequest, UnknownAlarm
from backend.services.alarms.ports import AlarmsWanted
from backend.trading.account import Mode
from backend.trading.alarms.alarm import OPEN, Alarm
from backend.trading.alarms.signal import InvalidAlarm, fields_of
from backend.trading.alarms.strategy import TEMPLATE
from backend.web.server.parameters import Values
from backend.web.streams.long_answer import wait_for_any
from backend.web.trading import alarm_shapes, alarm_views
from backend.web.trading.handler import ACCOUNT, TradingHandler
from backend.web.trading.order_parameters import AFTER, LIMIT
from backend.web.trading.strategy_parameters import (
    ADDING,
    ALARM,
    ALARMS,
    BALANCE,
    BEGIN,
    CHANGEABLE,
    END,
    FROM,
    ONLY_STRATEGY,
    ONLY_TICKER,
    REPLAYING,
    REPLAYS,
    STATE,
    TESTING,
    TO,
    changed,
    new_strategy,
)

TEST_LOOKS, TEST_STEP_SECONDS = 150, 0.1
"""How often a test alarm is looked at until it is told as far as it is."""


class StrategiesHandler(TradingHandler):
    async def get(self) -> None:
        self.query(())
        strategies = await self.trading.alarms.strategies.all()
        rows = [alarm_views.strategy(one) for one in strategies]
        self.answer(alarm_shapes.StrategiesAnswer(count=len(rows), strategies=rows))

    async def post(self) -> None:
        """Make a strategy. The answer has its token, which is never told again."""
        self.query(())
        values = self.json_object(ADDING)
        wanted = new_strategy(values, await self.account_id(values))
        made, token = await self.trading.alarms.strategies.add(wanted)
        self.set_header("Location", f"{self.base_path}/strategies/{made.id}")
        self.answer(
            alarm_shapes.NewStrategyAnswer(strategy=alarm_views.strategy(made), token=token),
            HTTPStatus.CREATED,
        )


class StrategyHandler(TradingHandler):
    async def get(self, strategy_id: str) -> None:
        self.query(())
        strategy = await self.trading.alarms.strategies.get(strategy_id)
        self.answer(alarm_shapes.StrategyAnswer(strategy=alarm_views.strategy(strategy)))

    async def patch(self, strategy_id: str) -> None:
        """Change what is given. Each change is a revision."""
        self.query(())
        values = self.json_object(CHANGEABLE)
        strategy = await self.trading.alarms.strategies.change(strategy_id, lambda one: changed(one, values))
        self.answer(alarm_shapes.StrategyAnswer(strategy=alarm_views.strategy(strategy)))

    async def delete(self, strategy_id: str) -> None:
        self.query(())
        strategy = await self.trading.alarms.strategies.remove(strategy_id)
        self.answer(alarm_shapes.StrategyAnswer(strategy=alarm_views.strategy(strategy)))


class StrategyRevisionsHandler(TradingHandler):
    async def get(self, strategy_id: str) -> None:
        self.query(())
        revisions = await self.trading.alarms.strategies.revisions(strategy_id)
        rows = [alarm_views.strategy(one) for one in revisions]
        self.answer(alarm_shapes.StrategyRevisionsAnswer(revisions=rows))


class NewTokenHandler(TradingHandler):
    async def post(self, strategy_id: str) -> None:
        """Give a strategy another token. The old one is worth nothing from now on."""
        self.query(())
        strategy, token = await self.trading.alarms.strategies.new_token(strategy_id)
        self.answer(alarm_shapes.NewStrategyAnswer(strategy=alarm_views.strategy(strategy), token=token))


class AlertTemplateHandler(TradingHandler):
    async def get(self, strategy_id: str) -> None:
        """What to paste into an alert on the chart."""
        self.query(())
        await self.trading.alarms.strategies.get(strategy_id)
        host = self.request.headers.get("Host", "localhost")
        self.answer(
            alarm_shapes.AlertTemplateAnswer(
                url=f"{self.request.protocol}://{host}{self.base_path}/webhook",
                message=json.dumps(dict(TEMPLATE), indent=1),
                content_type="application/json",
            )
        )


class StrategyTestHandler(TradingHandler):
    async def post(self, strategy_id: str) -> None:
        """Send an alarm through the whole way, on a paper account."""
        self.query(())
        values = self.json_object(TESTING)
        alarms = self.trading.alarms
        strategy = await alarms.strategies.get(strategy_id)
        account = await self.trading.accounts.get(values[ACCOUNT] or strategy.account)
        if account.mode is not Mode.PAPER:
            raise InvalidRequest(
                "a test runs on a paper account: name one with `account`", code="not_a_paper_account"
            )
        try:
            fields = fields_of(json.dumps(values[ALARM]).encode())
        except (InvalidAlarm, ValueError) as error:
            raise InvalidRequest(str(error), code="invalid_alarm") from None
        alarm, _ = await alarms.intake.accept(strategy, fields, sender="test", account=account)
        done = await self._carried_out(alarm)
        operations = await alarms.operations.of(done)
        self.answer(
            alarm_shapes.AlarmAnswer(
                alarm=alarm_views.alarm(done), operations=alarm_views.operations(operations)
            )
        )

    async def _carried_out(self, alarm: Alarm) -> Alarm:
        """The alarm when it is carried out, or as far as it is after a while."""
        for _ in range(TEST_LOOKS):
            if alarm.state not in OPEN or self.gone.done():
                break
            await wait_for_any((), self.gone, TEST_STEP_SECONDS)
            alarm = await self.trading.alarms.store.load(alarm.id) or alarm
        return alarm


class StrategyReplayHandler(TradingHandler):
    async def post(self, strategy_id: str) -> None:
        """Begin a replay: the stored alarms against the stored candles."""
        self.query(())
        values = self.json_object(REPLAYING)
        start, end = values[BEGIN], values[END]
        run = await self.trading.alarms.replays.begin(
            strategy_id,
            start,
            self.trading.now() if end is None else end,
            values[BALANCE],
            caller=self.caller,
        )
        self.set_header("Location", f"{self.base_path}/replays/{run.id}")
        self.answer(alarm_shapes.ReplayAnswer(replay=alarm_views.replay(run)), HTTPStatus.ACCEPTED)


class ReplaysHandler(TradingHandler):
    async def get(self) -> None:
        """The newest replays, without their results."""
        values = self.query(REPLAYS)
        runs = await self.trading.alarms.replays.newest(values[LIMIT], values[ONLY_STRATEGY])
        heads = [alarm_views.replay_head(run) for run in runs]
        self.answer(alarm_shapes.ReplaysAnswer(count=len(heads), replays=heads))


class ReplayHandler(TradingHandler):
    async def get(self, run_id: str) -> None:
        """A replay with its result."""
        self.query(())
        run = await self.trading.alarms.replays.get(run_id)
        self.answer(alarm_shapes.ReplayAnswer(replay=alarm_views.replay(run)))

    async def delete(self, run_id: str) -> None:
        """Cancel a replay; one that is over stays as it is."""
        self.query(())
        run = await self.trading.alarms.replays.cancel(run_id)
        self.answer(alarm_shapes.ReplayAnswer(replay=alarm_views.replay(run)))


class AlarmsHandler(TradingHandler):
    async def get(self) -> None:
        values = self.query(ALARMS)
        alarms = await self.trading.alarms.store.list(_wanted(values), values[LIMIT])
        self.answer(
            alarm_shapes.AlarmsAnswer(
                count=len(alarms),
                next=_next(alarms, values[LIMIT]),
                alarms=[alarm_views.alarm(one) for one in alarms],
            )
        )


class AlarmHandler(TradingHandler):
    async def get(self, alarm_id: str) -> None:
        """An alarm with everything that followed from it."""
        self.query(())
        alarm = await self.trading.alarms.store.load(alarm_id)
        if alarm is None:
            raise UnknownAlarm("there is no such alarm")
        operations = await self.trading.alarms.operations.of(alarm)
        self.answer(
            alarm_shapes.AlarmAnswer(
                alarm=alarm_views.alarm(alarm), operations=alarm_views.operations(operations)
            )
        )


class OperationsHandler(TradingHandler):
    async def get(self) -> None:
        """The orders of alarms, those of the newest alarm first."""
        values = self.query(ALARMS)
        alarms = await self.trading.alarms.store.list(_wanted(values), values[LIMIT])
        each = [await self.trading.alarms.operations.of(one) for one in alarms]
        rows = alarm_views.operations(list(chain.from_iterable(each)))
        self.answer(
            alarm_shapes.OperationsAnswer(count=len(rows), next=_next(alarms, values[LIMIT]), operations=rows)
        )


def _wanted(values: Values) -> AlarmsWanted:
    return AlarmsWanted(
        strategy=values[ONLY_STRATEGY] or None,
        ticker=values[ONLY_TICKER] or None,
        state=values[STATE],
        start=values[FROM],
        end=values[TO],
        before=values[AFTER],
    )


def _next(alarms: Sequence[Alarm], limit: int) -> str | None:
    return f"{alarms[-1].received}~{alarms[-1].id}" if len(alarms) == limit else None
