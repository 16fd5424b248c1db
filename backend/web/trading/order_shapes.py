"""The shapes of answers about orders that the service places. Money is text. Pure."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from backend.services.orders.cancelling import Step
from backend.trading.account import Mode
from backend.trading.intents import State
from backend.trading.rows import Held, Product, Side
from backend.trading.tickets import Force, MarginMode
from backend.trading.trigger import TriggerStatus
from backend.trading.twap import TwapStatus
from backend.web.api.common_shapes import Answer, Moment, Shape
from backend.web.trading.account_shapes import OpenPosition, OrderRow, Wallet

Money = Annotated[str | None, Meta(description="A decimal number, exact; null: it does not apply")]
Id = Annotated[
    str, Meta(description="The id of the order at this service, and its client id at the exchange")
]


class Ticket(Shape):
    """An order as it is sent: sizes and prices are multiples of the market's steps."""

    product: Product
    symbol: str
    side: Side
    size: Money
    quote_size: Money
    price: Annotated[str | None, Meta(description="null: a market order")]
    force: Force
    position: Held
    reduce_only: bool
    take_profit: Money
    stop_loss: Money
    margin_mode: MarginMode


class Intent(Shape):
    """What somebody wanted of an exchange, and what became of it."""

    id: Id
    account: str
    venue: str
    mode: Mode
    state: Annotated[
        State,
        Meta(description="`unknown`: sent, and the exchange is asked what became of it; never sent again"),
    ]
    reason: Annotated[str, Meta(description="The exchange's words, or what hindered the answer")]
    order_id: Annotated[str, Meta(description="The exchange's id of the order; empty: not known")]
    ticket: Ticket
    value: Annotated[str | None, Meta(description="The most that the order may be worth, in quote coins")]
    caller: Annotated[str, Meta(description="Name of the API key that asked for it")]
    source: Annotated[
        str, Meta(description="`api`, `close`, `kill`, or `amend`, `twap`, `trigger` or `alarm` with an id")
    ]
    created: Moment
    order: Annotated[OrderRow | None, Meta(description="The order as the exchange showed it last")]


class IntentAnswer(Answer, kw_only=True):
    order: Intent


class DryRunAnswer(Answer, kw_only=True):
    """What would be sent."""

    dry_run: Annotated[bool, Meta(description="Always true: nothing was sent")]
    allowed: bool
    refused: Annotated[str | None, Meta(description="Why the service would not send it")]
    tried: Annotated[bool, Meta(description="The exchange itself was asked, and would take it (BingX)")]
    mode: Mode
    ticket: Ticket
    value: Money
    fee: Annotated[str | None, Meta(description="The most that it may cost in fees, in quote coins")]
    margin: Annotated[
        str | None, Meta(description="What it would hold back; null: the exchange does not say")
    ]


class IntentsAnswer(Answer, kw_only=True):
    account: str
    mode: Mode
    count: int
    next: str | None
    orders: list[Intent]


class CancelledAnswer(Answer, kw_only=True):
    account: str
    mode: Mode
    cancelled: Annotated[int, Meta(ge=0, description="How many orders are gone")]
    open: Annotated[list[OrderRow], Meta(description="Orders that are still open")]


class ClosedAnswer(Answer, kw_only=True):
    account: str
    mode: Mode
    count: int
    orders: Annotated[list[Intent], Meta(description="The market orders that close positions")]


class KilledAnswer(Answer, kw_only=True):
    account: str
    mode: Mode
    step: Step
    cancelled: Annotated[int, Meta(ge=0, description="How many orders are gone")]
    open: Annotated[list[OrderRow], Meta(description="Orders that are still open")]
    undecided: Annotated[list[str], Meta(description="Entries of which nobody knows yet if they exist")]
    closed: Annotated[list[Intent], Meta(description="The market orders that close positions")]


class Twap(Shape):
    """An order that is placed in slices. The slices are in `/intents`, with `source` `twap` and its id."""

    id: str
    account: str
    mode: Mode
    status: TwapStatus
    reason: Annotated[str, Meta(description="Why it failed, or why the last slice was left out")]
    ticket: Ticket
    slices: int
    interval_ms: Annotated[int, Meta(description="Between two slices")]
    placed: Annotated[int, Meta(ge=0, description="Slices that were sent and not refused")]
    skipped: Annotated[int, Meta(ge=0, description="Slices that were refused or too late")]
    next: Annotated[Moment | None, Meta(description="When the next slice is due; null: it is over")]
    caller: str
    started: Moment


class TriggerOrder(Shape):
    """An order that waits for a price. Once it is placed it is in `/intents`, with `source` `trigger` and its
    id."""

    id: str
    account: str
    mode: Mode
    status: Annotated[
        TriggerStatus, Meta(description="`fired`: the price was reached, and the order is being placed")
    ]
    reason: str
    ticket: Ticket
    trigger_price: str
    above: Annotated[bool, Meta(description="It waits for this price or a higher one; else a lower one")]
    caller: str
    created: Moment
    fired: Moment | None
    intent: Annotated[str, Meta(description="The order, as in `/orders/{id}`; empty: not placed")]


class TriggerAnswer(Answer, kw_only=True):
    trigger: TriggerOrder


class TriggersAnswer(Answer, kw_only=True):
    account: str
    mode: Mode
    count: int
    triggers: list[TriggerOrder]


class TwapAnswer(Answer, kw_only=True):
    twap: Twap


class TwapsAnswer(Answer, kw_only=True):
    account: str
    mode: Mode
    count: int
    twaps: list[Twap]


class AuditRecord(Shape):
    """One thing that was done in somebody's name."""

    time: Moment
    account: str
    caller: str
    action: str
    intent: str
    outcome: str
    said: str


class AuditAnswer(Answer, kw_only=True):
    count: int
    next: str | None
    records: list[AuditRecord]


class AccountBeginning(Shape):
    """The first event of a stream of an account."""

    account: str
    venue: str
    mode: Mode
    resumed: Annotated[
        bool, Meta(description="`false`: a `snapshot` follows; forget what you knew of the account")
    ]


class AccountSnapshot(Shape):
    """All that an account has."""

    read_at: Moment
    orders: list[OrderRow]
    positions: list[OpenPosition]
    wallets: list[Wallet]


class AccountTrouble(Shape):
    """Why the exchange cannot be asked about an account; empty: it can be asked again."""

    said: str
