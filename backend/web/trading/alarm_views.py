"""The JSON of answers about alarms and strategies. Pure."""

from __future__ import annotations

from collections.abc import Sequence

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


def alarm(found: Alarm) -> shapes.Alarm:
    said = found.signal or NOTHING_SAID
    return shapes.Alarm(
        id=found.id,
        strategy=found.strategy,
        revision=found.revision,
        account=found.account,
        symbol=found.symbol,
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
        received=iso(found.received),
        sender=found.sender,
        deliveries=found.deliveries,
        state=found.state,
        reason=found.reason,
        missing_link=found.is_link_missing,
        finished=moment(found.finished),
        legs=[
            shapes.AlarmLeg(
                ticket=order_views.ticket(leg.ticket), intent=leg.intent, outcome=leg.outcome, said=leg.said
            )
            for leg in found.legs
        ],
        body=found.body,
    )


def operations(found: Sequence[Operation]) -> list[shapes.Operation]:
    return [operation(one) for one in found]


def operation(found: Operation) -> shapes.Operation:
    leg, intent = found.leg, found.intent
    order = intent.order if intent else None
    return shapes.Operation(
        alarm=found.alarm.id,
        strategy=found.alarm.strategy,
        number=found.number,
        order=order_views.intent(intent) if intent else None,
        filled=plain(order.filled) if order else "0",
        average_price=money(order.average_price) if order else None,
        fees=account_views.fees(order.fees) if order else [],
        profit=money(found.profit),
        outcome=leg.outcome,
        said=leg.said,
    )


def replay(found: ReplayRun) -> shapes.ReplayRun:
    return shapes.ReplayRun(
        id=found.id,
        strategy=found.strategy,
        revision=found.revision,
        status=found.status,
        reason=found.reason,
        start_time=iso(found.start),
        end_time=iso(found.end),
        alarms_found=found.alarms_found,
        alarms_done=found.alarms_done,
        created=iso(found.created),
        result=None if found.result is None else _result(found.result),
    )


def _result(found: Result) -> shapes.ReplayResult:
    return shapes.ReplayResult(
        balance=plain(found.balance),
        equity=plain(found.equity[-1][1] if found.equity else found.balance),
        realised=plain(found.realised),
        fees=plain(found.fees),
        funding=plain(found.funding),
        drawdown=plain(found.drawdown),
        trades=len(found.fills),
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
            for one in found.alarms
        ],
        fills=[history_views.fill(one) for one in found.fills],
        curve=[shapes.EquityPoint(time=iso(time), equity=plain(worth)) for time, worth in found.equity],
    )


def strategy(found: Strategy) -> shapes.Strategy:
    return shapes.Strategy(
        id=found.id,
        revision=found.revision,
        label=found.label,
        enabled=found.enabled,
        account=found.account,
        product=found.product,
        kind=found.kind,
        symbols=dict(found.symbols),
        sizing=shapes.SizingShape(by=found.sizing.by, amount=plain(found.sizing.amount)),
        leverage=found.leverage,
        margin_mode=found.margin_mode,
        take_profit=money(found.take_profit),
        stop_loss=money(found.stop_loss),
        conditions=[
            shapes.ConditionShape(left=one.left, op=one.op, right=one.right) for one in found.conditions
        ],
        max_age_seconds=found.max_age // 1000,
        link_wait_seconds=found.link_wait // 1000,
        changed=iso(found.changed),
    )
