"""The shapes of answers about alarms and strategies. Money is text. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from backend.trading.alarms.alarm import AlarmState
from backend.trading.alarms.strategy import By, Kind, Operator
from backend.trading.rows import Product, Side
from backend.trading.tickets import MarginMode
from backend.web.api.common_shapes import Answer, Moment, Shape
from backend.web.trading.account_shapes import MaybeMoney, Money, PaidFee
from backend.web.trading.history_shapes import FillRow
from backend.web.trading.order_shapes import Intent, Ticket


class AlarmReceived(Answer, kw_only=True):
    alarm: Annotated[str, Meta(description="The alarm's id")]
    state: AlarmState
    repeated: Annotated[bool, Meta(description="It was there already: this delivery is counted")]


class AlarmLeg(Shape):
    """An order of an alarm."""

    ticket: Ticket
    intent: Annotated[str, Meta(description="Its id, as in `/orders/{id}`; empty: not placed")]
    outcome: Annotated[
        str,
        Meta(description="Empty: not known yet. `accepted`, `refused`, `never_arrived`, `not_sent`"),
    ]
    said: str


class Alarm(Shape):
    """An alarm, and what followed from it."""

    id: str
    strategy: str
    revision: Annotated[int, Meta(description="The revision of the strategy that was in use")]
    account: str
    symbol: Annotated[str, Meta(description="In the exchange's spelling")]
    ticker: str
    exchange: str
    interval: str
    action: Side | None
    quantity: MaybeMoney
    entry_price: MaybeMoney
    exit_price: MaybeMoney
    position_before: MaybeMoney
    position_after: MaybeMoney
    order: str
    bar_time: Moment | None
    alarm_time: Moment | None
    received: Moment
    sender: str
    deliveries: int
    state: AlarmState
    reason: str
    missing_link: Annotated[bool, Meta(description="An alarm that should have come before never came")]
    finished: Moment | None
    legs: list[AlarmLeg]
    body: Annotated[str, Meta(description="What came, without its token")]


class AlarmsAnswer(Answer, kw_only=True):
    count: int
    next: Annotated[str | None, Meta(description="The `after` of the following page; null: there is none")]
    alarms: list[Alarm]


class Operation(Shape):
    """An order that an alarm led to, with all that is known of it."""

    alarm: str
    strategy: str
    number: Annotated[int, Meta(ge=0, description="The place among the orders of the alarm")]
    order: Intent | None
    filled: Money
    average_price: MaybeMoney
    fees: list[PaidFee]
    profit: Annotated[MaybeMoney, Meta(description="What its fills realised, before fees; null: not known")]
    outcome: str
    said: str


class AlarmAnswer(Answer, kw_only=True):
    alarm: Alarm
    operations: list[Operation]


class OperationsAnswer(Answer, kw_only=True):
    count: int
    next: Annotated[str | None, Meta(description="The `after` of the following page; null: there is none")]
    operations: list[Operation]


class SizingShape(Shape):
    by: By
    amount: Money


class ConditionShape(Shape):
    left: str
    op: Operator
    right: str


class Strategy(Shape):
    """What is done when an alarm comes. Its token is not shown."""

    id: str
    revision: int
    label: str
    enabled: bool
    account: str
    product: Product
    kind: Kind
    symbols: Annotated[dict[str, str], Meta(description="Tickers to symbols; empty: spelled by rule")]
    sizing: SizingShape
    leverage: int | None
    margin_mode: MarginMode
    take_profit: MaybeMoney
    stop_loss: MaybeMoney
    conditions: list[ConditionShape]
    max_age_seconds: int
    link_wait_seconds: int
    changed: Moment


class StrategiesAnswer(Answer, kw_only=True):
    count: int
    strategies: list[Strategy]


class StrategyAnswer(Answer, kw_only=True):
    strategy: Strategy


class NewStrategyAnswer(Answer, kw_only=True):
    strategy: Strategy
    token: Annotated[str, Meta(description="What alarms prove themselves with. It is told only now")]


class StrategyRevisionsAnswer(Answer, kw_only=True):
    revisions: list[Strategy]


class ReplayedAlarm(Shape):
    alarm: str
    time: Moment
    symbol: str
    price: MaybeMoney
    position: Annotated[Money, Meta(description="Afterwards, below zero for short")]
    reason: Annotated[str, Meta(description="Why nothing was done, or not all; empty: carried out")]
    really: Annotated[AlarmState, Meta(description="What became of it when it came")]
    differs: Annotated[bool, Meta(description="The replay carried it out and reality did not, or vice versa")]


class EquityPoint(Shape):
    time: Moment
    equity: Money


class ReplayResult(Shape):
    """What the alarms would have led to. Sums in quote coins."""

    balance: Annotated[Money, Meta(description="At first")]
    equity: Annotated[Money, Meta(description="At the end")]
    realised: Annotated[Money, Meta(description="What trades won, before fees")]
    fees: Money
    funding: Annotated[Money, Meta(description="What funding brought, below zero where it cost")]
    drawdown: Annotated[Money, Meta(description="The deepest fall of the equity from a height before it")]
    trades: int
    alarms: list[ReplayedAlarm]
    fills: list[FillRow]
    curve: list[EquityPoint]


class ReplayHead(Shape):
    id: str
    strategy: str
    revision: int
    status: Literal["running", "done", "failed", "cancelled"]
    reason: str
    start_time: Moment
    end_time: Moment
    balance: Money
    alarms_found: int
    alarms_done: int
    created: Moment


class ReplayRun(ReplayHead):
    result: Annotated[ReplayResult | None, Meta(description="null: it is not done")]


class ReplayAnswer(Answer, kw_only=True):
    replay: ReplayRun


class ReplaysAnswer(Answer, kw_only=True):
    count: int
    replays: list[ReplayHead]


class AlertTemplateAnswer(Answer, kw_only=True):
    """What to paste into an alert."""

    url: Annotated[str, Meta(description="The webhook URL: this service as the sender reaches it")]
    message: Annotated[str, Meta(description="The message of the alert; put the token in")]
    content_type: Literal["application/json"]
