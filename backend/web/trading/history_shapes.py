"""The shapes of answers about histories of accounts. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from backend.core.job import Status as JobStatus
from backend.trading.extraction import Stage
from backend.trading.history import Kind
from backend.trading.proof import Check
from backend.trading.rows import Product, Side
from backend.web.api.common_shapes import Answer, Failure, Moment, Shape
from backend.web.trading.account_shapes import MaybeMoney, Money, OrderRow, PaidFee

Behind = Annotated[str | None, Meta(description="The `after` of the following page; null: there is none")]


class Span(Shape):
    """A span of time, the end not included."""

    start: Moment
    end: Moment


class LostSpan(Span):
    """A span whose rows the exchange cannot tell."""

    reason: Annotated[
        Literal["beyond_retention", "not_offered"],
        Meta(description="The exchange tells it no more, or never did"),
    ]


class StreamStanding(Shape):
    """How complete one history is: every moment from `first` to `until` is held, lost or missing."""

    stream: Annotated[str, Meta(description="Kind, product and perhaps symbol: `fills/spot/BTC-USDT`")]
    kind: Kind
    product: Product
    symbol: str | None
    complete: Annotated[bool, Meta(description="Whether all that can be had is held")]
    first: Annotated[Moment, Meta(description="The first moment that can have rows")]
    until: Annotated[Moment, Meta(description="Later rows may still come late")]
    held: list[Span]
    lost: list[LostSpan]
    missing: Annotated[list[Span], Meta(description="Not asked yet, or asked in vain")]
    unproven: Annotated[
        list[Span],
        Meta(description="Held, but the exchange names no retention and told of nothing there"),
    ]
    filled_only: Annotated[
        list[Span],
        Meta(description="Held, but orders that ended without a fill were not told there any more"),
    ]
    pending: Annotated[list[str], Meta(description="Orders that are open, so their windows are not closed")]


class FactDiffers(Shape):
    """What does not add up."""

    check: Check
    stream: Annotated[str, Meta(description="Where to look: kind and product")]
    symbol: str
    coin: str
    id: str
    time: Moment
    expected: Money
    found: Money
    message: Annotated[str, Meta(description="The same as a sentence")]


class ProofShape(Shape):
    """What was compared, and what differs."""

    holds: Annotated[bool, Meta(description="Whether all that was compared adds up")]
    checked: Annotated[dict[str, int], Meta(description="Comparisons by check")]
    differing: Annotated[int, Meta(description="Comparisons that do not add up")]
    differences: Annotated[list[FactDiffers], Meta(description="The first hundred of them")]
    proved_at: Moment


class Completeness(Shape):
    """How complete an account's history is, and its proof."""

    complete: bool
    read_at: Annotated[Moment | None, Meta(description="When the exchange was asked last")]
    streams: list[StreamStanding]
    proof: ProofShape | None


class CompletenessAnswer(Answer, kw_only=True):
    account: str
    completeness: Completeness


class FillRow(Shape):
    product: Product
    symbol: str
    fill_id: str
    order_id: str
    side: Side | None
    price: Money
    size: Money
    value: MaybeMoney
    fees: list[PaidFee]
    role: str | None
    realised: MaybeMoney
    time: Moment


class BillRow(Shape):
    """A change of a balance. A negative amount was taken away."""

    product: Product
    bill_id: str
    symbol: str
    coin: str
    kind: Annotated[str, Meta(description="The exchange's word for the cause")]
    amount: Money
    fee: MaybeMoney
    balance: MaybeMoney
    time: Moment


class OrderHistoryAnswer(Answer, kw_only=True):
    account: str
    count: int
    orders: list[OrderRow]
    next: Behind
    completeness: Completeness


class TradesAnswer(Answer, kw_only=True):
    account: str
    count: int
    trades: list[FillRow]
    next: Behind
    completeness: Completeness


class LedgerAnswer(Answer, kw_only=True):
    account: str
    count: int
    ledger: list[BillRow]
    next: Behind
    completeness: Completeness


class ExtractionShape(Shape):
    """The state of an extraction."""

    id: str
    account: str
    products: list[Product]
    since: Moment | None
    status: JobStatus
    stage: Stage | None
    created: Moment
    started: Moment | None
    finished: Moment | None
    windows_done: int
    windows_total: Annotated[int, Meta(description="So far; more may be found on the way")]
    seconds_left: float | None
    new_rows: int
    requests: int
    symbols: list[str]
    error: Failure | None


class ExtractionAnswer(Answer, kw_only=True):
    extraction: ExtractionShape


class ExtractionsAnswer(Answer, kw_only=True):
    count: int
    extractions: list[ExtractionShape]


class ExtractedOrders(Answer, kw_only=True):
    """All orders, oldest first, and how complete they are."""

    extraction: ExtractionShape
    completeness: Completeness
    orders: list[OrderRow]
    count: int


class StageAnswer(Answer, kw_only=True):
    """What one stage did alone."""

    extraction: ExtractionShape
    completeness: Completeness
