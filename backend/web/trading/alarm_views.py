"""The JSON of answers about alarms and strategies. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.clock import iso
from backend.services.alarms.operations import Operation
from backend.trading.alarms.alarm import Alarm
from backend.trading.alarms.replay import ReplayRun, Result
from backend.trading.alarms.signal import Signal
from backend.trading.alarms.strategy import Strategy
from backend.trading.money import plain
from backend.web.trading import account_views, history_views, order_views
from backend.web.trading import alarm_shapes as shapes
from backend.web.trading.account_views import moment, money

NOTHING_SAID = Signal(ticker="")


def alarm(alarm: Alarm) -> shapes.Alarm:
    said = alarm.signal or NOTHING_SAID
    return shapes.Alarm(
        id=alarm.id,
        strategy=alarm.strategy,
        revision=alarm.revision,
        account=alarm.account,
        symbol=alarm.symbol,
        ticker=said.ticker,
        exchange=said.exchange,
        interval=said.interval,
        action=said.action,
        quantity=money(said.quantity),
        entry_price=money(said.entry_price),
        exit_price=money(said.exit_price),
        position_before=money(said.before),
        position_after=money(said.after),
        order=said.order,
        bar_time=moment(said.bar_time),
        alarm_time=moment(said.fired_at),
        received=iso(alarm.received),
        sender=alarm.sender,
        deliveries=alarm.deliveries,
        state=alarm.state,
        reason=alarm.reason,
        missing_link=alarm.is_link_missing,
        finished=moment(alarm.finished),
        legs=[
            shapes.AlarmLeg(
                ticket=order_views.ticket(leg.ticket), intent=leg.intent, outcome=leg.outcome, said=leg.said
            )
            for leg in alarm.legs
        ],
        body=alarm.body,
    )


def operations(operations: Sequence[Operation]) -> list[shapes.Operation]:
    return [operation(one) for one in operations]


def operation(operation: Operation) -> shapes.Operation:
    leg, intent = operation.leg, operation.intent
    order = intent.order if intent else None
    return shapes.Operation(
        alarm=operation.alarm.id,
        strategy=operation.alarm.strategy,
        number=operation.number,
        order=order_views.intent(intent) if intent else None,
        filled=plain(order.filled) if order else "0",
        average_price=money(order.average_price) if order else None,
        fees=account_views.fees(order.fees) if order else [],
        profit=money(operation.profit),
        outcome=leg.outcome,
        said=leg.said,
    )


def replay(run: ReplayRun) -> shapes.ReplayRun:
    return shapes.ReplayRun(**_head(run), result=None if run.result is None else _result(run.result))


def replay_head(run: ReplayRun) -> shapes.ReplayHead:
    """A replay without its result, for a list."""
    return shapes.ReplayHead(**_head(run))


def _head(run: ReplayRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "strategy": run.strategy,
        "revision": run.revision,
        "status": run.status,
        "reason": run.reason,
        "start_time": iso(run.start),
        "end_time": iso(run.end),
        "balance": plain(run.balance),
        "alarms_found": run.alarms_found,
        "alarms_done": run.alarms_done,
        "created": iso(run.created),
    }


def _result(result: Result) -> shapes.ReplayResult:
    return shapes.ReplayResult(
        balance=plain(result.balance),
        equity=plain(result.equity[-1][1] if result.equity else result.balance),
        realised=plain(result.realised),
        fees=plain(result.fees),
        funding=plain(result.funding),
        drawdown=plain(result.drawdown),
        trades=len(result.fills),
        alarms=[
            shapes.ReplayedAlarm(
                alarm=one.alarm,
                time=iso(one.time),
                symbol=one.symbol,
                price=money(one.price),
                position=plain(one.position),
                reason=one.reason,
                really=one.really,
                differs=one.differs,
            )
            for one in result.alarms
        ],
        fills=[history_views.fill(one) for one in result.fills],
        curve=[shapes.EquityPoint(time=iso(time), equity=plain(worth)) for time, worth in result.equity],
    )


def strategy(strategy: Strategy) -> shapes.Strategy:
    return shapes.Strategy(
        id=strategy.id,
        revision=strategy.revision,
        label=strategy.label,
        enabled=strategy.enabled,
        account=strategy.account,
        product=strategy.product,
        kind=strategy.kind,
        symbols=dict(strategy.symbols),
        sizing=shapes.SizingShape(by=strategy.sizing.by, amount=plain(strategy.sizing.amount)),
        leverage=strategy.leverage,
        margin_mode=strategy.margin_mode,
        take_profit=money(strategy.take_profit),
        stop_loss=money(strategy.stop_loss),
        conditions=[
            shapes.ConditionShape(left=one.left, op=one.op, right=one.right) for one in strategy.conditions
        ],
        max_age_seconds=strategy.max_age // 1000,
        link_wait_seconds=strategy.link_wait // 1000,
        changed=iso(strategy.changed),
    )
